// SPDX-License-Identifier: Apache-2.0
/* Nodes that are to run no jobs for a while, or for good. */
#include "tools/cluster/slurm/slurm.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/hostlist.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/ask.h"
#include "tools/cluster/slurm/judge.h"

static const struct timespec pause_of = { .tv_sec = 1 };

static int unanswered(const struct slurm *s, const char *tool, const struct said *said, struct vh_err *err)
{
	return vh_err_set(err, EIO, "%s: %s says: %s", s->head, tool, said->text);
}

/* The nodes of that kind as Slurm lists them, malloc'd; NULL: there are none. -EIO: it does not answer. */
static int list_of(const struct slurm *s, const char *ssh_config, enum nodes_kind kind, const char *reason, char **ret, struct vh_err *err)
{
	autosaid said = { 0 };
	vh_autostrv names = NULL;
	char *list = NULL;
	int r = head_ask(s, ssh_config, nodes_question, &said, err);

	if (r == 0 && !said.well)
		r = unanswered(s, "sinfo", &said, err);
	if (r < 0)
		return r;
	if (nodes_said(s, said.text, kind, reason, &names) < 0 || (names && !(list = vh_hostlist_format(names))))
		return vh_err_nomem(err);
	*ret = list;
	return 0;
}

static int jobs_on(const struct slurm *s, const char *ssh_config, const char *list, char **ret, struct vh_err *err)
{
	vh_autofree char *question = vh_strf("%s '%s'", jobs_question, list), *jobs = NULL;
	autosaid said = { 0 };
	int r = question ? head_ask(s, ssh_config, question, &said, err) : vh_err_nomem(err);

	if (r == 0 && !said.well)
		r = unanswered(s, "squeue", &said, err);
	if (r == 0)
		r = (jobs = jobs_said(said.text)) ? 0 : vh_err_nomem(err);
	if (r == 0)
		*ret = vh_steal(&jobs);
	return r;
}

int slurm_jobs(const struct slurm *s, const char *ssh_config, char **ret, struct vh_err *err)
{
	vh_autofree char *list = NULL;
	int r = s->n_nodes ? list_of(s, ssh_config, NODES_KNOWN, NULL, &list, err) : 0;

	if (r == 0 && list)
		return jobs_on(s, ssh_config, list, ret, err);
	if (r == 0)
		r = (*ret = strdup("")) ? 0 : vh_err_nomem(err);
	return r;
}

static int update(const struct slurm *s, const char *ssh_config, const char *list, const char *state, struct vh_err *err)
{
	return head_tell(s, ssh_config, vh_strf("scontrol update 'NodeName=%s' %s", list, state), err);
}

static int close_open(const struct slurm *s, const char *ssh_config, const char *reason, struct vh_err *err)
{
	vh_autofree char *list = NULL, *state = vh_strf("State=DRAIN 'Reason=%s'", reason);
	int r = state ? list_of(s, ssh_config, NODES_OPEN, NULL, &list, err) : vh_err_nomem(err);

	return r < 0 || !list ? r : update(s, ssh_config, list, state, err);
}

static int are_busy(const struct slurm *s, const char *jobs, int within_ms, struct vh_err *err)
{
	vh_err_set(err, ETIMEDOUT, "%s: nodes are not free of jobs after %d s: %s", s->head, within_ms / 1000, jobs);
	return vh_err_hint(err, "--timeout SECONDS waits longer; scancel on %s ends a job", s->head);
}

/* A controller that is just starting does not answer yet. */
static bool is_starting(int r, double until)
{
	return r == -EIO && vh_now() < until;
}

int slurm_drain(const struct slurm *s, const char *ssh_config, const char *reason, int within_ms, struct vh_err *err)
{
	const double until = vh_now() + within_ms / 1e3;

	for (bool closed = false; s->n_nodes; nanosleep(&pause_of, NULL)) {
		vh_autofree char *jobs = NULL;
		int r = closed ? 0 : close_open(s, ssh_config, reason, err);

		closed |= r == 0;
		if (r == 0)
			r = slurm_jobs(s, ssh_config, &jobs, err);
		if (r < 0 && !is_starting(r, until))
			return r;
		if (r == 0 && !*jobs)
			return 0;
		if (r == 0 && vh_now() >= until)
			return are_busy(s, jobs, within_ms, err);
	}
	return 0;
}

int slurm_down(const struct slurm *s, const char *ssh_config, const char *reason, struct vh_err *err)
{
	vh_autofree char *list = NULL, *state = vh_strf("State=DOWN 'Reason=%s'", reason);
	int r = !state ? vh_err_nomem(err) : s->n_nodes ? list_of(s, ssh_config, NODES_OPEN, reason, &list, err) : 0;

	return r < 0 || !list ? r : update(s, ssh_config, list, state, err);
}

/* Of a node that it has not heard of since it started Slurm says that this state is none, and takes it all the same. */
static int resume(const struct slurm *s, const char *ssh_config, const char *list, const char *reason, struct vh_err *err)
{
	vh_autofree char *still = NULL;
	vh_autoerr none = VH_ERR_NONE;
	int r = update(s, ssh_config, list, "State=RESUME", err);

	if (r != -EIO || list_of(s, ssh_config, NODES_HELD, reason, &still, &none) < 0 || still)
		return r;
	vh_err_clear(err);
	return 0;
}

int slurm_resume(const struct slurm *s, const char *ssh_config, const char *reason, bool *ret_any, struct vh_err *err)
{
	vh_autofree char *list = NULL;
	int r = s->n_nodes ? list_of(s, ssh_config, NODES_HELD, reason, &list, err) : 0;

	if (r < 0)
		return r;
	*ret_any = list != NULL;
	return list ? resume(s, ssh_config, list, reason, err) : 0;
}
