// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster scale: apply with other counts than the manifest's, which is to follow. */
#include "tools/cluster/cli/cli.h"

#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/verbs/apply.h"
#include "tools/cluster/manifest/manifest.h"

struct scale {
	const struct vh_cli *cli;
	struct manifest given;	/* empty: only a name was */
	json_t *rows;		/* a group each whose count changes, or is another in the manifest that was given */
	json_t *findings;	/* what that says otherwise besides */
};

static void scale_clear(struct scale *s)
{
	manifest_clear(&s->given);
	json_decref(s->rows);
	json_decref(s->findings);
}

static json_int_t count_of(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* --- what changes, and what the manifest says of it */

/* Nodes from the one behind those to the last. */
static json_t *names_of(const struct manifest *m, const struct pool *p, uint64_t behind, uint64_t last)
{
	vh_autojson names = json_array();

	for (uint64_t i = behind + 1; i <= last; i++)
		if (json_array_append_new(names, json_sprintf("%s%s%s-%" PRIu64, m->name, p->name ? "-" : "", p->name ? p->name : "", i)) < 0)
			return NULL;
	return vh_steal(&names);
}

/* says NULL: no manifest was given, or it has no such group. */
static json_t *row_of(const struct manifest *m, const struct pool *p, uint64_t was, const struct pool *says)
{
	return json_pack("{s:s*, s:s, s:I, s:I, s:o*, s:o, s:o}", "group", p->name, "key", p->name ? "count" : "nodes",
			 "was", (json_int_t)was, "count", (json_int_t)p->count,
			 "says", says ? json_integer((json_int_t)says->count) : NULL,
			 "made", names_of(m, p, was, p->count), "removed", names_of(m, p, p->count, was));
}

static int compare(struct scale *s, const struct manifest *was, const struct manifest *m, struct vh_err *err)
{
	size_t n;
	const struct pool *before = manifest_pools(was, &n), *now = manifest_pools(m, &n);

	s->rows = json_array();
	for (size_t i = 0; s->rows && i < n; i++) {
		const struct pool *says = s->given.name ? manifest_pool(&s->given, now[i].name) : NULL;

		if (before[i].count == now[i].count && (!says || says->count == now[i].count))
			continue;
		if (json_array_append_new(s->rows, row_of(m, &now[i], before[i].count, says)) < 0)
			return vh_err_nomem(err);
	}
	return s->rows ? 0 : vh_err_nomem(err);
}

/* But for counts. */
static int find_drift(struct scale *s, const struct cluster *is, const struct manifest *was, struct vh_err *err)
{
	vh_autofindings found = VH_FINDINGS_NONE;

	if (s->given.name) {
		manifest_take_counts(&s->given, was);
		causes_of_manifest(is, &s->given, &found);
	}
	return vh_findings_end(&found, &s->findings, err);
}

/* --- what is said */

static void say_group(const json_t *row)
{
	const char *group = json_string_value(json_object_get(row, "group"));

	if (group)
		fprintf(stderr, "group %s: ", group);
}

/* "c-3", "c-3 to c-5" */
static void say_names(const json_t *names, const char *verb)
{
	size_t n = json_array_size(names);

	if (n == 1)
		fprintf(stderr, ": %s is %s\n", json_string_value(json_array_get(names, 0)), verb);
	else if (n)
		fprintf(stderr, ": %s to %s are %s\n", json_string_value(json_array_get(names, 0)),
			json_string_value(json_array_get(names, n - 1)), verb);
}

static void say_before(void *arg)
{
	const struct scale *s = arg;
	const json_t *row;
	size_t i;

	if (s->cli->json)
		events_say(json_pack("{s:s, s:s, s:O, s:O}", "schema", "vhpc.cluster.scale/1", "event", "scale", "groups", s->rows,
				     "findings", s->findings));
	json_array_foreach(s->rows, i, row) {
		if (s->cli->quiet || count_of(row, "was") == count_of(row, "count"))
			continue;
		fprintf(stderr, "%s: ", s->cli->prog);
		say_group(row);
		fprintf(stderr, "%" JSON_INTEGER_FORMAT " nodes become %" JSON_INTEGER_FORMAT, count_of(row, "was"), count_of(row, "count"));
		say_names(json_object_get(row, "made"), "made");
		say_names(json_object_get(row, "removed"), "removed, with what was written on disks");
	}
}

/* Of what the manifest has to say, or the next apply takes it back. */
static void say_row_after(const struct scale *s, const json_t *row)
{
	const char *key = json_string_value(json_object_get(row, "key"));
	const json_t *says = json_object_get(row, "says");

	if (says && json_integer_value(says) == count_of(row, "count"))
		return;
	fprintf(stderr, "%s: ", s->cli->prog);
	say_group(row);
	if (says)
		fprintf(stderr, "%s says '%s: %" JSON_INTEGER_FORMAT "'; let it say", s->cli->argv[0], key, json_integer_value(says));
	else
		fputs("let the manifest say", stderr);
	fprintf(stderr, " '%s: %" JSON_INTEGER_FORMAT "', or the next apply takes this back\n", key, count_of(row, "count"));
}

static void say_after(const struct scale *s)
{
	const json_t *row;
	size_t i;

	if (s->cli->quiet)
		return;
	json_array_foreach(s->rows, i, row)
		say_row_after(s, row);
	json_array_foreach(s->findings, i, row)
		fprintf(stderr, "%s: %s: %s\n", s->cli->prog, s->cli->argv[0], json_string_value(json_object_get(row, "found")));
}

/* --- */

static int make_change(void *arg, const struct cluster *is, const struct manifest *was, struct manifest *m, struct vh_err *err)
{
	struct scale *s = arg;
	int r = manifest_scale(m, s->cli->argv + 1, s->cli->argc - 1, err);

	if (r == 0)
		r = compare(s, was, m, err);
	return r < 0 ? r : find_drift(s, is, was, err);
}

int verb_scale(struct vh_cli *cli, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	vh_cleanup(scale_clear) struct scale s = { .cli = cli };
	const struct change change = { .make = make_change, .say = say_before, .arg = &s };
	vh_autofree char *name = NULL;
	int r = cluster_given(cli->argv[0], &s.given, &name, err);

	if (r == 0)
		r = apply_change(cli, name, &change, err);
	if (r == 0 && !o->dry_run)
		say_after(&s);
	return r;
}
