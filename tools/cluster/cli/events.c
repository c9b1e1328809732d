// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/events.h"

#include "lib/clock.h"
#include "lib/json.h"

void events_say(json_t *event)
{
	vh_autojson stolen = event;

	if (!stolen)
		return;
	json_dumpf(stolen, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
}

static double rounded(double seconds)
{
	return (double)(long)(seconds * 1000 + 0.5) / 1000;
}

/* A guest's console and ssh have their say in an error: any bytes. */
static json_t *text_or_none(const char *text)
{
	return text ? vh_json_text(text) : NULL;
}

void events_begin(const struct events *e, const char *cluster, size_t nodes, json_t *users)
{
	vh_autojson stolen = users;

	if (e->json)
		events_say(json_pack("{s:s, s:s, s:s, s:b, s:I, s:O*}", "schema", "vhpc.cluster.apply/1", "event", "begin", "cluster", cluster,
			      "exists", e->exists, "nodes", (json_int_t)nodes, "users", stolen));
}

void events_replace(const struct events *e, const char *cluster, json_t *nodes)
{
	vh_autojson stolen = nodes;

	if (e->json)
		events_say(json_pack("{s:s, s:s, s:s, s:O}", "schema", "vhpc.cluster.replace/1", "event", "begin", "cluster", cluster, "nodes", stolen));
}

static void say_node(const struct events *e, const char *node, enum roll_state state, const struct vh_err *why)
{
	static const char *const names[] = { [ROLL_BEGINS] = "begins", [ROLL_DONE] = "replaced", [ROLL_FAILED] = "failed", [ROLL_BACK] = "back" };

	events_say(json_pack("{s:s, s:s, s:s, s:f, s:o*}", "event", "node", "node", node, "state", names[state],
			     "seconds", rounded(vh_now() - e->begun), "error", text_or_none(why ? why->text : NULL)));
}

void events_roll(void *arg, enum roll_state state, const struct node *n, const struct vh_err *why)
{
	const struct events *e = arg;
	const char *node = spot_node(&(struct spot){ .node = n });

	if (e->json)
		say_node(e, node, state, why);
	switch (state) {
	case ROLL_BEGINS:
		vh_progress_step(e->progress, "%s", node);
		break;
	case ROLL_DONE:
		vh_progress_note(e->progress, "%s %s", e->rolled, node);
		break;
	case ROLL_FAILED:
		vh_progress_note(e->progress, "%s; %s goes back", why->text, node);
		break;
	case ROLL_BACK:
		vh_progress_note(e->progress, "%s is as it was", node);
	}
}

void events_replaced(const struct events *e, const char *cluster, size_t replaced, const struct vh_err *err)
{
	if (e->json)
		events_say(json_pack("{s:s, s:s, s:s, s:I, s:f, s:o*, s:o*}", "event", "end", "cluster", cluster, "state", err ? "failed" : "done",
			      "replaced", (json_int_t)replaced, "seconds", rounded(vh_now() - e->begun),
			      "error", text_or_none(err ? err->text : NULL), "hint", text_or_none(err ? err->hint : NULL)));
}

static const char *state_of(const struct step_event *event)
{
	switch (event->state) {
	case STEP_BEGINS:
		return event->undo ? "undoing" : "begins";
	case STEP_CHANGED:
		return event->undo ? "undone" : "changed";
	case STEP_SAME:
		return "same";
	default:
		return "failed";
	}
}

void events_step(void *arg, const struct step_event *event)
{
	const struct events *e = arg;

	if (e->json)
		events_say(json_pack("{s:s, s:s, s:o, s:s*, s:s, s:f, s:o*}", "event", "step", "step", event->step->what,
			      "object", vh_json_text(event->object), "node", event->node, "state", state_of(event),
			      "seconds", rounded(event->seconds), "error", event->state == STEP_FAILED ? text_or_none(event->err->text) : NULL));
	/* A node that goes is said once. */
	if (e->exists && event->state == STEP_CHANGED && event->undo && event->step == &step_domain)
		vh_progress_note(e->progress, "removed %s", event->object);
	else if (e->exists && event->state == STEP_CHANGED && !event->undo)
		vh_progress_note(e->progress, "%s %s", event->step->what, event->object);
}

void events_end(const struct events *e, const char *cluster, unsigned changed, json_t *missing, const struct vh_err *err)
{
	vh_autojson stolen = missing;

	if (e->json)
		events_say(json_pack("{s:s, s:s, s:s, s:I, s:f, s:O*, s:o*, s:o*}", "event", "end", "cluster", cluster, "state", err ? "failed" : "up",
			      "changed", (json_int_t)changed, "seconds", rounded(vh_now() - e->begun),
			      "missing", err ? NULL : stolen, "error", text_or_none(err ? err->text : NULL), "hint", text_or_none(err ? err->hint : NULL)));
}
