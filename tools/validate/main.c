// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/show/progress.h"
#include "tools/validate/validate.h"

enum { RUNS_QUICK = 3, RUNS = 5 };

/* The one global: a signal has no other way to say that we shall stop. */
static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* Our directory in the guests must be removed however we end. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static void measure_one(struct validation *v, struct vh_progress *p, unsigned run, enum job job, enum side side)
{
	static const char *const where[N_SIDES] = { "on the host", "in the VM", "between two VMs" };
	vh_autoerr err = VH_ERR_NONE;

	vh_progress_step(p, "run %u of %u: %s %s", run + 1, (unsigned)v->o.runs, measure_name(job), where[side]);
	if (measure(&v->target, &v->conditions, job, side, &v->results, &err) == 0)
		return;
	vh_err_within(&err, "%s %s", measure_name(job), where[side]);
	vh_progress_note(p, "%s", err.text);
	json_array_append_new(v->errors, json_string(err.text));
}

/* The sides take turns, so that what disturbs the machine disturbs all of them. */
static int measure_all(struct validation *v, struct vh_progress *p, struct vh_err *err)
{
	for (unsigned run = 0; run < v->o.runs; run++)
		for (int job = 0; job < N_JOBS; job++)
			for (int side = 0; side < N_SIDES; side++) {
				if (interrupted)
					return vh_err_set(err, EINTR, "interrupted");
				if (measure_runs(&v->target, job, side))
					measure_one(v, p, run, job, side);
			}
	return 0;
}

static int in_guests(struct validation *v, struct vh_progress *p, struct vh_err *err)
{
	int r;

	vh_progress_step(p, "copying the kernels into the guests");
	r = target_enter(&v->target, err);
	if (r == 0)
		r = measure_conditions(&v->target, &v->conditions, err);
	return r < 0 ? r : measure_all(v, p, err);
}

static bool measured_any(const struct results *r)
{
	for (int m = 0; m < N_METRICS; m++)
		if (r->of[m][SIDE_VM].n > 0 && r->of[m][SIDE_HOST].n > 0)
			return true;
	return false;
}

/* --- the verb */

static int validate(struct vh_cli *cli, struct validation *v, struct vh_err *err)
{
	vh_autoerr leaving = VH_ERR_NONE;
	struct vh_progress *p;
	int r = target_open(&v->target, cli, v->o.cluster ? v->o.cluster : getenv("VHPC_CLUSTER"), err);

	if (r < 0)
		return r;
	p = vh_progress_start("validate", cli->quiet);
	catch_signals();
	r = in_guests(v, p, err);
	if (target_leave(&v->target, &leaving) < 0) {
		vh_progress_note(p, "%s", leaving.text);
		json_array_append_new(v->errors, json_string(leaving.text));
	}
	vh_progress_end(p, NULL);
	if (r == 0)
		r = cli->json ? validation_print_json(v, err) : validation_print_table(v);
	if (r < 0)
		return r;
	if (json_array_size(v->errors) == 0)
		return VH_EXIT_DONE;
	return measured_any(&v->results) ? VH_EXIT_PARTIAL : VH_EXIT_FAILED;
}

static int validate_run(struct vh_cli *cli, struct vh_err *err)
{
	const struct options *o = cli->opts;
	struct validation *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return vh_err_nomem(err);
	v->o = *o;
	if (v->o.runs == 0)
		v->o.runs = v->o.quick ? RUNS_QUICK : RUNS;
	v->conditions = (struct conditions){ .quick = o->quick, .state = cli->state };
	v->errors = json_array();
	if (getloadavg(&v->load, 1) != 1)
		v->load = 0;
	r = v->o.runs > MAX_RUNS ? vh_err_usage(err, "--runs: at most %d", MAX_RUNS) : validate(cli, v, err);
	target_clear(&v->target);
	json_decref(v->errors);
	free(v);
	return r;
}

static const struct vh_opt options[] = {
	{ "quick", 0, VH_OPT_FLAG, offsetof(struct options, quick), NULL, "short measurements: a minute or so" },
	{ "cluster", 0, VH_OPT_STR, offsetof(struct options, cluster), "NAME|FILE",
	  "the cluster (default: VHPC_CLUSTER, or the only one)" },
	{ "runs", 0, VH_OPT_UINT, offsetof(struct options, runs), "N", "runs per side (default 5, quick 3)" },
	{ 0 }
};

static const struct vh_verb verbs[] = {
	{ "run", "", 0, 0, "the same small kernels on the host and in a VM, by turns", VH_VERB_JSON, options,
	  sizeof(struct options), validate_run },
	{ 0 }
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc validate", "Compare a VM with its own host", verbs };

	return vh_main(&prog, argc, argv);
}
