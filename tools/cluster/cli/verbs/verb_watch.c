// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster watch: looks at the nodes whenever libvirt tells that one has ended, and every now and then, for what it
 * tells may be lost. What is to be done follows from what is there, not from what was told. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/cli/events.h"
#include "tools/cluster/cli/verbs/verb_life.h"
#include "tools/cluster/cli/wake.h"
#include "vmm/virt/virt.h"

/* Without libvirt it ends after GIVE_UP_S: a private daemon is started by whoever starts us again. */
enum { LOOK_S = 10, RETRY_MAX_S = 30, GIVE_UP_S = 120 };

struct watch {
	const struct vh_cli *cli;
	char **wanted;		/* names of clusters, a strv; NULL: all */
	struct wake wake;	/* its virt NULL: there is no cluster */
	char **limited;		/* nodes of which it was said that they may not be started again now; a strv */
	char *trouble;		/* what was said last that keeps us from looking */
	bool failed;
	double lost;		/* since when there is no libvirt, by vh_now; 0: there is */
	unsigned tries;
};

static void watch_clear(struct watch *w)
{
	vh_strv_free(w->wanted);
	vh_strv_free(w->limited);
	wake_clear(&w->wake);
	free(w->trouble);
}

/* --- what is said */

static const char *const event_names[] = {
	[HEAL_LEFT] = "left", [HEAL_LIMIT] = "limit", [HEAL_BEGINS] = "starts", [HEAL_DONE] = "started", [HEAL_FAILED] = "failed",
};

static void tell_json(const struct heal_event *e)
{
	const bool ended = e->what == HEAL_DONE || e->what == HEAL_FAILED;

	events_say(json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:i, s:i, s:o*, s:o*}", "schema", "vhpc.cluster.watch/1",
			   "event", event_names[e->what], "time", (json_int_t)time(NULL), "cluster", e->cluster, "node", e->node,
			   "why", e->why, "count", (int)e->count, "limit", (int)e->limit,
			   "seconds", ended ? json_real((double)(long)(e->seconds * 1000 + 0.5) / 1000) : NULL,
			   "error", e->what == HEAL_FAILED ? vh_json_text(e->err->text) : NULL));
}

static void tell_text(const struct heal_event *e)
{
	printf("%s: ", e->node);
	switch (e->what) {
	case HEAL_LEFT:
		printf("%s, and is left so\n", e->why);
		break;
	case HEAL_LIMIT:
		printf("%s, and is left so: it was started again %u times within the hour\n", e->why, e->count);
		break;
	case HEAL_BEGINS:
		printf("%s, and is started again (%u of at most %u an hour)\n", e->why, e->count, e->limit);
		break;
	case HEAL_DONE:
		printf("answers over ssh after %.1f s\n", e->seconds);
		break;
	case HEAL_FAILED:
		printf("could not be started again: %s\n", e->err->text);
	}
	fflush(stdout);
}

/* Whether the node stands in the list; it is there then, or not any more. */
static bool set_limited(struct watch *w, const char *node, bool limited)
{
	vh_autostrv others = NULL;
	const bool was = vh_strv_has(w->limited, node);

	for (char **n = w->limited; n && *n; n++)
		if (strcmp(*n, node) && vh_strv_push(&others, *n) < 0)
			return was;
	if (limited && vh_strv_push(&others, node) < 0)
		return was;
	vh_strv_free(w->limited);
	w->limited = vh_steal(&others);
	return was;
}

static void tell(void *arg, const struct heal_event *e)
{
	struct watch *w = arg;
	const bool said = set_limited(w, e->node, e->what == HEAL_LIMIT) && e->what == HEAL_LIMIT;

	w->failed |= e->what == HEAL_FAILED || e->what == HEAL_LIMIT;
	if (said)
		return;
	if (w->cli->json)
		tell_json(e);
	else
		tell_text(e);
}

/* Once, until it is another. text NULL: there is none any more. */
static void trouble(struct watch *w, const char *text)
{
	if (text && (!w->trouble || strcmp(w->trouble, text)))
		fprintf(stderr, "%s: %s\n", w->cli->prog, text);
	free(w->trouble);
	w->trouble = text ? strdup(text) : NULL;
}

/* --- a look */

/* The clusters that are there, of those that are wanted; a strv. */
static int find_clusters(const struct watch *w, char ***ret, struct vh_err *err)
{
	vh_autostore store = NULL;
	vh_autojson all = NULL;
	vh_autostrv names = NULL;
	const char *name;
	json_t *record;
	int r = vh_store_open(&store, w->cli->state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_record_list(store, "cluster", &all, err);
	if (r < 0)
		return r;
	json_object_foreach(all, name, record)
		if ((!w->wanted || vh_strv_has(w->wanted, name)) && vh_strv_push(&names, name) < 0)
			return vh_err_nomem(err);
	*ret = vh_steal(&names);
	return 0;
}

/* At all of them; the first failure. Whoever is at work on one is waited for, and one that was just removed is not missed. */
static int look(struct watch *w, char **names, struct vh_err *err)
{
	for (; names && *names; names++) {
		vh_autoerr why = VH_ERR_NONE;
		int r = life_heal(w->cli, *names, ((const struct watch_opts *)w->cli->opts)->timeout, tell, w, &why);

		if (r < 0 && r != -EBUSY && r != -ENOENT && !err->num)
			vh_err_move(err, &why);
	}
	return -err->num;
}

/* --- libvirt */

/* Has somebody wake us where there is a cluster, and nobody where there is none: the private daemon ends with the last. */
static int attend(struct watch *w, bool any, struct vh_err *err)
{
	if (any)
		return wake_listen(&w->wake, w->cli, true, err);
	if (!w->wake.virt)
		return 0;
	wake_hang_up(&w->wake);
	return vh_virt_stop_private(w->cli->state, err);
}

/* --- */

static int look_once(struct watch *w, struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = find_clusters(w, &names, err);

	for (char **n = w->wanted; r == 0 && n && *n; n++)
		if (!vh_strv_has(names, *n))
			r = vh_err_refuse(err, ENOENT, "cluster %s: not applied on this host", *n);
	if (r == 0)
		r = look(w, names, err);
	return r < 0 ? r : w->failed ? VH_EXIT_PARTIAL : 0;
}

/* *ret_s: until the next look. */
static int look_and_wait(struct watch *w, unsigned *ret_s, struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = find_clusters(w, &names, err);

	if (r == 0) {
		r = attend(w, names != NULL, err);
		w->lost = r == 0 ? 0 : w->lost ? w->lost : vh_now();
		w->tries = r == 0 ? 0 : w->tries + 1;
	}
	if (r < 0 && w->lost && vh_now() - w->lost > GIVE_UP_S)
		return r;
	if (r == 0)
		r = look(w, names, err);
	trouble(w, r < 0 ? err->text : NULL);
	vh_err_clear(err);
	*ret_s = !w->tries ? LOOK_S : w->tries < 5 ? 1U << w->tries : RETRY_MAX_S;
	return 0;
}

/* A start that is under way goes on without us, and its steps are in the journal. */
static void end(int sig)
{
	(void)sig;
	_exit(VH_EXIT_DONE);
}

static int begin(struct watch *w, struct vh_err *err)
{
	const struct vh_cli *cli = w->cli;
	int r = vh_need_rights("watch", err);

	if (r == 0 && cli->root)
		r = vh_err_refuse(err, EROFS, "watch: a captured host (--root) can be planned on, not changed");
	for (int i = 0; r == 0 && i < cli->argc; i++) {
		r = vh_hostname_check(cli->argv[i], err);
		if (r == 0 && vh_strv_push(&w->wanted, cli->argv[i]) < 0)
			r = vh_err_nomem(err);
	}
	return r < 0 ? r : wake_begin(&w->wake, err);
}

int verb_watch(struct vh_cli *cli, struct vh_err *err)
{
	const struct watch_opts *o = cli->opts;
	vh_cleanup(watch_clear) struct watch w = { .cli = cli, .wake = WAKE_NONE };
	unsigned seconds = 0;
	int r = begin(&w, err);

	if (r == 0 && o->once)
		return look_once(&w, err);
	signal(SIGINT, end);
	signal(SIGTERM, end);
	for (; r == 0; wake_wait(&w.wake, seconds))
		r = look_and_wait(&w, &seconds, err);
	return r;
}
