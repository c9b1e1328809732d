// SPDX-License-Identifier: Apache-2.0
/* Waiting for a node until it is up. */
#include "tools/cluster/steps/steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/domain.h"
#include "tools/cluster/ssh/ssh.h"
#include "tools/cluster/console/console.h"
#include "tools/cluster/steps/files.h"
#include "vmm/virt/virt.h"

/* sshd says its version at once; a guest under emulation may take a while for the rest. */
enum { BANNER_MS = 2000, PATIENT_MS = 10000, LOGIN_MS = 30000, PAUSE_MS = 200, LOOK_S = 2, HUNG_S = 60 };

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Whether an ssh server greets at the address: far cheaper than a log-in that fails. */
static bool greets(const char *address, int within_ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(22) };
	vh_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char greeting[4];

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return false;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return false;
	return poll(&p, 1, within_ms) == 1 && recv(fd, greeting, sizeof(greeting), MSG_PEEK) == sizeof(greeting) &&
	       !memcmp(greeting, "SSH-", sizeof(greeting));
}

/* Whether the node says yes to that question of a shell. */
static bool agrees(const struct cluster *c, const struct node *n, const char *question)
{
	vh_autofree char *config = vh_strf("%s/ssh_config", c->dir);
	char *const argv[] = { "ssh", "-F", config, n->name, (char *)question, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = LOGIN_MS };
	vh_autoerr ignored = VH_ERR_NONE;

	return config && vh_spawn_ok(&spawn, NULL, &ignored) == 0;
}

static bool answers(const struct cluster *c, const struct node *n, int within_ms)
{
	return greets(n->nics[0].address, within_ms) && agrees(c, n, "true");
}

static int still_runs(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	const char *state = NULL;
	char words[160];
	int r = vh_virt_state(ctx->virts[n->host], n->name, &state, err);

	if (r < 0 || (state && !strcmp(state, "running")))
		return r;
	console_last_words(ctx->cluster->dir, n->name, words, sizeof(words));
	return vh_err_set(err, EIO, "%s: the VM is %s instead of coming up%s", n->name, state ? state : "gone", words);
}

/* A guest that hangs while it boots is started once more: only one that this run has made, on which nobody can have worked. */
static int restart_if_hung(const struct context *ctx, const struct node *n, double begun, bool *restarted, struct vh_err *err)
{
	int r;

	if (*restarted || !n->is_new || vh_now() - begun < HUNG_S || !console_hangs(ctx->cluster->dir, n->name))
		return 0;
	r = node_start_again(ctx, n, err);
	*restarted = true;
	if (r == 0)
		vh_progress_note(ctx->progress, "%s: its kernel says that it hangs, after %d s: it is started once more", n->name, (int)(vh_now() - begun));
	return r;
}

/* Whether passwd, whose first line stands behind a newline, has him with that number. */
static int has_user(const char *passwd, const char *name, uint64_t uid, bool *ret)
{
	vh_autofree char *line = vh_strf("\n%s:x:%llu:", name, (unsigned long long)uid);

	*ret = line && strstr(passwd, line);
	return line ? 0 : -ENOMEM;
}

/* One whom it lacks; or has still, though he left; malloc'd. Both NULL: it has all users, and no others. */
struct unlike { char *lacks, *keeps; };

static void unlike_clear(struct unlike *u)
{
	free(u->lacks);
	free(u->keeps);
	*u = (struct unlike){ 0 };
}

static int compare_users(const struct cluster *c, const char *passwd, struct unlike *ret)
{
	const struct login *l = c->users.items;
	const struct named *gone = c->gone.items;
	bool has = true;
	int r = 0;

	for (size_t i = 0; r == 0 && !ret->lacks && i < c->users.n; i++) {
		r = has_user(passwd, l[i].name, l[i].uid, &has);
		if (r == 0 && !has)
			r = (ret->lacks = strdup(l[i].name)) ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && !ret->keeps && i < c->gone.n; i++) {
		r = has_user(passwd, gone[i].name, gone[i].number, &has);
		if (r == 0 && has)
			r = (ret->keeps = strdup(gone[i].name)) ? 0 : -ENOMEM;
	}
	return r;
}

static int ask_for_users(const struct cluster *c, const struct node *n, struct unlike *ret, struct vh_err *err)
{
	vh_autofree char *config = vh_strf("%s/ssh_config", c->dir), *passwd = NULL;
	char *const argv[] = { "ssh", "-F", config, n->name, "getent passwd", NULL };
	vh_autooutput out = { 0 };
	int r = config ? 0 : vh_err_nomem(err);

	if (r < 0 || c->users.n + c->gone.n == 0)
		return r;
	r = vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .deadline_ms = LOGIN_MS }, &out, err);
	if (r < 0)
		return vh_err_within(err, "%s: does not say who its users are", n->name);
	passwd = vh_strf("\n%s", out.out);
	return passwd && compare_users(c, passwd, ret) == 0 ? 0 : vh_err_nomem(err);
}

/* The image may have given a name or a number to somebody else: then the node has left that user out. */
static int are_unlike(const struct cluster *c, const struct node *n, const struct unlike *u, struct vh_err *err)
{
	if (u->keeps) {
		vh_err_set(err, EIO, "%s: has %s still, who is no user of the cluster any more", n->name, u->keeps);
		return vh_err_hint(err, "nodes of an image that is older than this release keep users: build it anew, and vhpc cluster replace %s",
				   c->name);
	}
	vh_err_set(err, EIO, "%s: does not have all users of the cluster: %s is not there", n->name, u->lacks);
	return vh_err_hint(err, "with apply --keep: vhpc cluster ssh --user root %s %s journalctl -u vhpc-identity says who was left out",
			   c->name, n->name);
}

/* One that booted anew from inside, with a root in memory, was told what its VM was started with. */
static int settle_users(const struct cluster *c, const struct node *n, bool *told, struct vh_err *err)
{
	vh_cleanup(unlike_clear) struct unlike unlike = { 0 };
	vh_autoerr left_out = VH_ERR_NONE;
	int r = ask_for_users(c, n, &unlike, err);

	if (r == 0 && !*told && (unlike.lacks || unlike.keeps) && node_tell_again(c->dir, n->name, &left_out) == 0) {
		*told = true;
		unlike_clear(&unlike);
		r = ask_for_users(c, n, &unlike, err);
	}
	return r < 0 || (!unlike.lacks && !unlike.keeps) ? r : are_unlike(c, n, &unlike, err);
}

/* Waits until all of its volumes are mounted. */
static int wait_for_volumes(const struct context *ctx, const struct node *n, double begun, struct vh_err *err)
{
	vh_autofree char *question = cluster_volumes_question(ctx->cluster, n);

	if (!question)
		return vh_err_nomem(err);
	while (*question && !agrees(ctx->cluster, n, question)) {
		if (vh_now() - begun > ctx->ready_ms / 1e3) {
			vh_err_set(err, ETIMEDOUT, "%s: has not mounted its volumes after %d s", n->name, ctx->ready_ms / 1000);
			return vh_err_hint(err, "with apply --keep: vhpc cluster ssh --user root %s %s systemctl status vhpc-mounts tells why",
					   ctx->cluster->name, n->name);
		}
		pause_ms(PAUSE_MS);
	}
	return 0;
}

/* Waits until the node answers over ssh, and tells it what has changed of its cluster; fails early when its domain has ended. */
static int ready_apply(const struct context *ctx, const struct spot *at, bool *ret_waited, struct vh_err *err)
{
	const struct node *n = at->node;
	double begun = vh_now(), looked = begun;
	bool told = false, restarted = false;
	char words[160];
	int r;

	*ret_waited = false;
	/* One that is up, on a busy machine, is not waited for twice. */
	for (int within = PATIENT_MS; !answers(ctx->cluster, n, within); within = BANNER_MS) {
		*ret_waited = true;
		if (vh_now() - begun > ctx->ready_ms / 1e3) {
			console_last_words(ctx->cluster->dir, n->name, words, sizeof(words));
			vh_err_set(err, ETIMEDOUT, "%s: does not answer over ssh after %d s%s", n->name,
				   ctx->ready_ms / 1000, words);
			return vh_err_hint(err, "apply --timeout SECONDS waits longer; --keep leaves it for a look at its console");
		}
		if (vh_now() - looked > LOOK_S) {
			r = still_runs(ctx, n, err);
			if (r == 0)
				r = restart_if_hung(ctx, n, begun, &restarted, err);
			if (r < 0)
				return r;
			looked = vh_now();
		}
		pause_ms(PAUSE_MS);
	}
	r = wait_for_volumes(ctx, n, begun, err);
	if (r == 0)
		r = node_tell(ctx->cluster->dir, n->name, &told, err);
	if (r == 0)
		r = settle_users(ctx->cluster, n, &told, err);
	*ret_waited |= told;
	return r;
}

/* What one that answers does not know; cause NULL: it knows all. */
static struct look look_told(const struct context *ctx, const struct node *n)
{
	vh_cleanup(unlike_clear) struct unlike unlike = { 0 };
	vh_autoerr late = VH_ERR_NONE;

	if (ctx->untold)
		return (struct look){ LOOK_OTHER, ctx->untold, ctx->untold_costs };
	if (node_is_untold(ctx->cluster->dir, n->name))
		return (struct look){ LOOK_OTHER, "was not told of a change", NULL };
	if (ask_for_users(ctx->cluster, n, &unlike, &late) < 0)
		return (struct look){ LOOK_OTHER, "does not say who its users are", NULL };
	return unlike.lacks || unlike.keeps ? (struct look){ LOOK_OTHER, "has other users", NULL } : (struct look){ .is = LOOK_SAME };
}

/* Of one that does not run it is no news. One that is busy is given time: it is asked but once. */
static int ready_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const char *state;
	int r = node_state(ctx, at->node, &state, err);

	if (r < 0)
		return r;
	if (!state || strcmp(state, "running"))
		*ret = (struct look){ .is = LOOK_NOTHING };
	else if (!answers(ctx->cluster, at->node, PATIENT_MS))
		*ret = (struct look){ LOOK_OTHER, "does not answer over ssh", NULL };
	else
		*ret = look_told(ctx, at->node);
	return r;
}

const struct step step_ready = { "ready", ONCE_A_NODE, ready_apply, node_nothing_undo, ready_look, node_object, .again = false };
