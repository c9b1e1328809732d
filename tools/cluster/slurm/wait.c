// SPDX-License-Identifier: Apache-2.0
/* Whether a cluster's Slurm is up, which its head is asked for over ssh. */
#include "tools/cluster/slurm/slurm.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/ask.h"
#include "tools/cluster/slurm/judge.h"

static const struct timespec pause_of = { .tv_nsec = 300 * 1000 * 1000 };

/* Who does not take part by its answer, or that it gives none. */
static int absent(const struct slurm *s, const char *ssh_config, struct said *answer, char **ret, struct vh_err *err)
{
	int r = head_ask(s, ssh_config, nodes_question, answer, err);
	char *text;

	if (r < 0)
		return r;
	text = answer->well ? slurm_absent(s, answer->text) : vh_strf("sinfo says: %s", answer->text);
	if (!text)
		return vh_err_nomem(err);
	*ret = text;
	return 0;
}

static int is_late(const struct slurm *s, int within_ms, const char *amiss, struct vh_err *err)
{
	vh_err_set(err, ETIMEDOUT, "%s: Slurm is not up after %d s: %s", s->head, within_ms / 1000, amiss);
	return vh_err_hint(err, "apply --timeout SECONDS waits longer; with --keep, vhpc cluster ssh --user root %s %s journalctl -u slurmctld says more",
			   s->cluster, s->head);
}

int slurm_wait(const struct slurm *s, const char *ssh_config, int within_ms, bool *ret_waited, struct vh_err *err)
{
	const double begun = vh_now();
	bool waited = false;

	for (;; waited = true) {
		autosaid answer = { 0 };
		vh_autofree char *amiss = NULL;
		int r = absent(s, ssh_config, &answer, &amiss, err);

		if (r == 0 && !*amiss)
			*ret_waited = waited;
		if (r < 0 || !*amiss)
			return r;
		if (vh_now() - begun > within_ms / 1e3)
			return is_late(s, within_ms, amiss, err);
		nanosleep(&pause_of, NULL);
	}
}

/* --- of all nodes that it is to have */

/* What is amiss where all take part; NULL without memory. */
static char *else_amiss(const struct slurm *s, const char *answer, const char *reason)
{
	vh_autostrv held = NULL;

	if (nodes_said(s, answer, NODES_HELD, reason, &held) < 0)
		return NULL;
	return strdup(nodes_differ(s, answer) ? "it has other nodes in mind" : held ? "nodes drain that are to stay" : "");
}

int slurm_amiss(const struct slurm *s, const char *ssh_config, const char *reason, char **ret, struct vh_err *err)
{
	autosaid answer = { 0 };
	vh_autofree char *text = NULL;
	int r = absent(s, ssh_config, &answer, &text, err);

	if (r < 0)
		return r;
	*ret = *text ? vh_steal(&text) : else_amiss(s, answer.text, reason);
	return *ret ? 0 : vh_err_nomem(err);
}

/* A controller that is just starting does not answer yet. */
static int answer_of(const struct slurm *s, const char *ssh_config, int within_ms, struct said *ret, struct vh_err *err)
{
	const double begun = vh_now();
	int r = head_ask(s, ssh_config, nodes_question, ret, err);

	while (r == 0 && !ret->well && vh_now() - begun <= within_ms / 1e3) {
		nanosleep(&pause_of, NULL);
		said_clear(ret);
		r = head_ask(s, ssh_config, nodes_question, ret, err);
	}
	return r < 0 || ret->well ? r : is_late(s, within_ms, ret->text, err);
}

int slurm_bring_up(const struct slurm *s, const char *ssh_config, const char *reason, int within_ms, bool *ret_resumed, bool *ret_others,
		   struct vh_err *err)
{
	autosaid said = { 0 };
	int r = answer_of(s, ssh_config, within_ms, &said, err);

	if (r == 0)
		r = slurm_resume(s, ssh_config, reason, ret_resumed, err);
	if (r == 0)
		*ret_others = nodes_differ(s, said.text);
	return r;
}

int slurm_restart(const struct slurm *s, const char *ssh_config, struct vh_err *err)
{
	return head_tell(s, ssh_config, strdup("systemctl restart slurmctld"), err);
}
