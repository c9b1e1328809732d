// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lib/json.h"
#include "lib/progress.h"
#include "lib/table.h"
#include "tools/validate/measure.h"

enum { RUNS_QUICK = 3, RUNS = 5 };

struct options {
	bool quick;
	const char *cluster;
	uint64_t runs;
};

struct validation {
	struct options o;
	struct target target;
	struct conditions conditions;
	struct results results;
	json_t *errors;
	double load;		/* average of the last minute before the start */
};

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

static void one(struct validation *v, struct vh_progress *p, unsigned run, enum job job, enum side side)
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
					one(v, p, run, job, side);
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

/* --- output */

static json_t *cpus_json(const struct target *t)
{
	return t->cpus[0] < 0 ? json_null() : json_pack("[i, i]", t->cpus[0], t->cpus[1]);
}

static json_t *conditions_json(const struct validation *v)
{
	const struct target *t = &v->target;
	const struct results *r = &v->results;

	return json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:o}, s:{s:s, s:s, s:i}, s:s, s:b, s:I, s:f, s:{s:s, s:s, s:s}}",
			 "accel", t->accel, "mpi", "name", "openmpi", "version", t->mpi_version,
			 "host", "cpu", v->conditions.host_cpu, "cpus", cpus_json(t),
			 "vm", "name", t->node[0], "cpu", v->conditions.vm_cpu, "vcpus", (int)t->vcpus,
			 "instructions", v->conditions.path, "quick", v->o.quick, "runs", (json_int_t)v->o.runs,
			 "load", v->load, "transport", "host", r->transport[SIDE_HOST], "vm", r->transport[SIDE_VM],
			 "pair", r->transport[SIDE_PAIR]);
}

static int print_json(const struct validation *v, struct vh_err *err)
{
	json_t *doc = json_pack("{s:s, s:o, s:o, s:O}", "cluster", v->target.cluster, "conditions", conditions_json(v),
				"results", results_json(&v->results), "errors", v->errors);

	return doc ? vh_json_print("vhpc.validate/1", doc, err) : vh_err_nomem(err);
}

static const char *or_none(const char *s)
{
	return *s ? s : "not measured";
}

static void print_conditions(const struct validation *v)
{
	const struct target *t = &v->target;
	const struct results *r = &v->results;

	printf("\nA ratio is what the guest reaches of the host: 1 is equal, less is slower. Values and RATIO are the best\n"
	       "batches; TYPICAL is the ratio of the lower quartiles, which a lucky moment of one side does not move.\n");
	printf("Accelerator %s%s, %u %s per side taking turns; %s instructions on both sides.\n", t->accel,
	       strcmp(t->accel, "tcg") ? "" : " (every guest instruction is emulated)", (unsigned)v->o.runs,
	       v->o.runs == 1 ? "run" : "runs", v->conditions.path);
	printf("Host: %s; ", v->conditions.host_cpu);
	if (t->cpus[0] >= 0)
		printf("pinned to CPUs %d and %d, where the VM runs.\n", t->cpus[0], t->cpus[1]);
	else
		printf("not pinned.\n");
	printf("VM: %s, %u vCPUs, %s.\n", t->node[0], t->vcpus, v->conditions.vm_cpu);
	printf("MPI: Open MPI %s, 2 ranks; on the host over %s, in the VM over %s, between VMs over %s.\n",
	       t->mpi_version, or_none(r->transport[SIDE_HOST]), or_none(r->transport[SIDE_VM]),
	       or_none(r->transport[SIDE_PAIR]));
	printf("Load of the host before the start: %.2f.\n", v->load);
}

static int print_table(const struct validation *v)
{
	static const struct vh_col columns[] = {
		{ "KERNEL", "name", VH_COL_TEXT }, { "UNIT", "unit", VH_COL_TEXT },
		{ "HOST", "host", VH_COL_RIGHT }, { "VM", "vm", VH_COL_RIGHT }, { "RATIO", "ratio", VH_COL_RIGHT },
		{ "TYPICAL", "typical_ratio", VH_COL_RIGHT }, { "VM TO VM", "pair", VH_COL_RIGHT },
		{ "RATIO", "pair_ratio", VH_COL_RIGHT }, { "TYPICAL", "pair_typical_ratio", VH_COL_RIGHT }, { 0 }
	};
	vh_autojson rows = results_rows(&v->results);

	vh_table_print(stdout, columns, rows);
	print_conditions(v);
	return 0;
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
		r = cli->json ? print_json(v, err) : print_table(v);
	if (r < 0)
		return r;
	if (json_array_size(v->errors) == 0)
		return VH_EXIT_DONE;
	return measured_any(&v->results) ? VH_EXIT_PARTIAL : VH_EXIT_FAILED;
}

static int run(struct vh_cli *cli, struct vh_err *err)
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
	  sizeof(struct options), run },
	{ 0 }
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc validate", "Compare a VM with its own host", verbs };

	return vh_main(&prog, argc, argv);
}
