// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "mpirun-wrap/bench/bench.h"
#include "mpirun-wrap/launch/launch.h"
#include "mpirun-wrap/launcher/launcher.h"
#include "mpirun-wrap/preflight/preflight.h"

enum { ROUNDS = 3, SECONDS = 4, MAX_ROUNDS = 100, MAX_SECONDS = 600 };

struct options {
	const char *cluster, *plan;
	bool check, no_check, bench, defaults;
	const char *between, *svg;
	uint64_t rounds, seconds;
};

static const struct vh_opt options[] = {
	{ "cluster", 0, VH_OPT_STR, offsetof(struct options, cluster), "NAME|FILE",
	  "the cluster, by name or manifest (default: VHPC_CLUSTER, or the one that has the batch job's nodes)" },
	{ "plan", 0, VH_OPT_MAYBE, offsetof(struct options, plan), NULL,
	  "print the plan (--plan=argv: mpirun's command line, a word a line) and launch nothing" },
	{ "check", 0, VH_OPT_FLAG, offsetof(struct options, check), NULL, "check the nodes, print what fails and launch nothing" },
	{ "no-check", 0, VH_OPT_FLAG, offsetof(struct options, no_check), NULL, "launch without a check of the nodes" },
	{ "bench", 0, VH_OPT_FLAG, offsetof(struct options, bench), NULL, "measure between two nodes, by every transport that they have" },
	{ "defaults", 0, VH_OPT_FLAG, offsetof(struct options, defaults), NULL,
	  "in a node, at boot: write what an mpirun that is started there itself reads" },
	{ "between", 0, VH_OPT_STR, offsetof(struct options, between), "A,B", "of --bench: the nodes (default: the first two)" },
	{ "rounds", 0, VH_OPT_UINT, offsetof(struct options, rounds), "N", "of --bench: turns of each transport (default 3)" },
	{ "seconds", 0, VH_OPT_UINT, offsetof(struct options, seconds), "N", "of --bench: how long each turn measures (default 4)" },
	{ "svg", 0, VH_OPT_STR, offsetof(struct options, svg), "FILE", "of --bench: draw latency and bandwidth there" },
	{ 0 }
};

static int print_plan(const struct vh_cli *cli, const struct vh_mpi_cluster *c, const struct vh_mpi_job *job,
		      struct vh_err *err)
{
	const struct options *o = cli->opts;

	if (cli->json) {
		json_t *doc = vh_mpi_job_json(c, job);

		return doc ? vh_json_print("vhpc.mpirun.plan/2", doc, err) : vh_err_nomem(err);
	}
	if (!*o->plan) {
		vh_mpi_job_print(stdout, c, job);
		return 0;
	}
	for (char *const *a = job->argv; *a; a++)
		puts(*a);
	return 0;
}

static int find_cluster(const struct vh_cli *cli, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	const struct options *o = cli->opts;
	const char *what = o->cluster ? o->cluster : getenv("VHPC_CLUSTER");
	vh_autocluster own = NULL;
	vh_autostrv nodes = NULL;
	int r = vh_mpi_is_node() ? vh_mpi_cluster_load(VH_MPI_NODE_RECORD, &own, err) : 0;

	if (r < 0)
		return r;
	if (own && (!what || !*what || !strcmp(what, own->name))) {
		*ret = vh_steal(&own);
		return 0;
	}
	if (what && *what)
		return vh_mpi_cluster_find(cli->state, what, ret, err);
	r = vh_mpi_slurm_nodes(environ, &nodes, err);
	if (r < 0 || (nodes && vh_mpi_cluster_with(cli->state, nodes, ret, err) == 0))
		return r;
	return vh_err_usage(err, "no cluster is named (--cluster NAME|FILE, or VHPC_CLUSTER)");
}

static int check_options(const struct vh_cli *cli, struct vh_err *err)
{
	const struct options *o = cli->opts;

	if (o->plan && *o->plan && strcmp(o->plan, "argv"))
		return vh_err_usage(err, "--plan=%s: it is --plan or --plan=argv", o->plan);
	if (cli->json && !o->plan && !o->check && !o->bench)
		return vh_err_usage(err, "--json goes with --plan, --check and --bench");
	if (!!o->plan + o->check + o->bench + o->defaults > 1)
		return vh_err_usage(err, "--plan, --check, --bench and --defaults: one of them");
	if (!o->bench && (o->between || o->svg || o->rounds || o->seconds))
		return vh_err_usage(err, "--between, --rounds, --seconds and --svg go with --bench");
	if (o->rounds > MAX_ROUNDS || o->seconds > MAX_SECONDS)
		return vh_err_usage(err, "--rounds is at most %d, --seconds at most %d", MAX_ROUNDS, MAX_SECONDS);
	if ((o->bench || o->defaults) && cli->argc > 0)
		return vh_err_usage(err, "%s, not '%s'", o->bench ? "--bench runs a program of its own" : "--defaults runs no program",
				    cli->argv[0]);
	if (cli->argc == 0 && !o->plan && !o->check && !o->bench && !o->defaults)
		return vh_err_usage(err, "a program is missing");
	return 0;
}

static void print_notes(const struct vh_cli *cli, const char *note, char *const *notes)
{
	if (cli->quiet)
		return;
	if (note)
		fprintf(stderr, "%s: note: %s\n", cli->prog, note);
	for (; notes && *notes; notes++)
		fprintf(stderr, "%s: note: %s\n", cli->prog, *notes);
}

/* --check: exits 3 when something failed. */
static int check_nodes(const struct vh_cli *cli, const struct vh_mpi_preflight *p, struct vh_err *err)
{
	vh_autofindings found = VH_FINDINGS_NONE;
	int r = vh_mpi_preflight_run(p, &found, err);
	const size_t checks = json_array_size(found.rows), failed = found.count[VH_WRONG];

	if (r < 0)
		return r;
	if (cli->json) {
		r = vh_json_print("vhpc.mpirun.check/2", json_pack("{s:s, s:i, s:O}", "cluster", p->cluster->name, "failed", (int)failed,
								   "findings", found.rows), err);
		return r < 0 ? r : failed ? VH_EXIT_REFUSED : 0;
	}
	if (failed)
		vh_findings_print(stdout, found.rows, false);
	else if (!cli->quiet)
		printf("cluster %s: %zu checks passed\n", p->cluster->name, checks);
	return failed ? vh_err_refuse(err, EREMOTEIO, "cluster %s: %zu of %zu checks failed", p->cluster->name, failed, checks) : 0;
}

static void note_borne(const struct vh_cli *cli, const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
		if (vh_finding_is(r, VH_WRONG) && !json_is_true(json_object_get(r, "stops")))
			fprintf(stderr, "%s: note: %s: %s: %s instead of %s\n", cli->prog, vh_finding_text(r, "object"),
				vh_finding_text(r, "check"), vh_finding_text(r, "found"), vh_finding_text(r, "wanted"));
}

/* Before a launch: what stops it is shown as a table, what only makes it slower is noted. */
static int check_launch(const struct vh_cli *cli, const struct vh_mpi_preflight *p, struct vh_err *err)
{
	vh_autofindings found = VH_FINDINGS_NONE;
	int r = vh_mpi_preflight_launch(p, &found, err);

	if (r < 0 && found.rows)
		vh_findings_print(stderr, found.rows, false);
	else if (!cli->quiet)
		note_borne(cli, found.rows);
	return r;
}

/* 0, or partly done when a transport could not be measured. */
static int bench(const struct vh_cli *cli, const struct vh_mpi_cluster *c, struct vh_err *err)
{
	const struct options *o = cli->opts;
	const char *env = getenv("VHPC_CLUSTER");
	const struct vh_mpi_bench b = {
		.cluster = c, .state = cli->state, .what = o->cluster ? o->cluster : env && *env ? env : c->name, .between = o->between, .quiet = cli->quiet,
		.rounds = o->rounds ? o->rounds : ROUNDS, .seconds = o->seconds ? o->seconds : SECONDS,
	};
	vh_autofree char *svg = NULL;
	vh_autojson doc = NULL;
	const json_t *t;
	size_t i, bad = 0;
	int r = vh_mpi_bench_run(&b, &doc, err);

	if (r == 0 && o->svg)
		r = vh_mpi_bench_svg(doc, &svg, err);
	if (r == 0 && o->svg)
		r = vh_write_file(o->svg, svg, strlen(svg), 0644, err);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(doc, "transports"), i, t)
		bad += json_object_get(t, "error") != NULL;
	if (cli->json)
		r = vh_json_print("vhpc.mpirun.bench/1", json_incref(doc), err);
	else
		vh_mpi_bench_print(stdout, doc);
	return r < 0 ? r : bad ? VH_EXIT_PARTIAL : 0;
}

static int act(const struct vh_cli *cli, const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, bool inside, struct vh_err *err)
{
	const struct options *o = cli->opts;
	vh_autofree char *cwd = getcwd(NULL, 0);
	const struct vh_mpi_preflight p = {
		.cluster = c, .job = job, .directory = cwd, .prog = cli->prog,
		.program = job->args.contexts ? NULL : cli->argv[job->args.program],
	};
	int r;

	if (o->bench)
		return bench(cli, c, err);
	if (o->check)
		return check_nodes(cli, &p, err);
	r = o->no_check ? 0 : check_launch(cli, &p, err);
	return r < 0 ? r : vh_mpi_launch(c, job, cli->argv, cwd, inside, err);
}

/* Where a node has no file of parameters its MPI is not there, or not of that kind. */
static int write_defaults(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	vh_autojob job = { 0 };
	int r;

	if (!vh_mpi_is_node())
		return vh_err_refuse(err, ENOTSUP, "--defaults: this machine is no node of a cluster");
	r = vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = c, .args = (char *[]){ NULL }, .hostfile = VH_MPI_NODE_HOSTS,
			    .rankfile = VH_MPI_RANKFILE, .head = c->nodes[0].address, .batch = c->slurm }, &job, err);
	return r < 0 ? r : vh_mpi_defaults_write(&job, "", err);
}

static int run(struct vh_cli *cli, struct vh_err *err)
{
	const struct options *o = cli->opts;
	const char *note = NULL, *own;
	const struct vh_mpi_ops *ops;
	vh_autocluster c = NULL;
	vh_autojob job = { 0 };
	int r = check_options(cli, err);

	if (r == 0)
		r = find_cluster(cli, &c, err);
	if (r == 0 && o->defaults)
		return write_defaults(c, err);
	own = r == 0 ? vh_mpi_own_address(c) : "";
	ops = r == 0 && *own ? vh_mpi_ops_find(c, err) : NULL;
	if (ops)
		vh_mpi_defaults_forget(ops);
	if (r == 0)
		r = vh_mpi_slurm_narrow(c, environ, &note, err);
	if (r < 0)
		return r;
	vh_mpi_own_first(c, own);
	r = vh_mpi_job_make(&(struct vh_mpi_input){
		.cluster = c, .args = cli->argv, .env = environ, .hostfile = VH_MPI_HOSTFILE, .rankfile = VH_MPI_RANKFILE,
		.head = *own ? own : c->nodes[0].address,
	}, &job, err);
	if (r < 0)
		return r;
	print_notes(cli, note, o->plan && !cli->json && !*o->plan ? NULL : job.notes);
	return o->plan ? print_plan(cli, c, &job, err) : act(cli, c, &job, *own, err);
}

static const struct vh_verb verbs[] = {
	{ "", "[MPIRUN OPTIONS] PROGRAM [ARGUMENTS]", 0, -1, "run an MPI program on the nodes of a virtual cluster",
	  VH_VERB_JSON | VH_VERB_PASS, options, sizeof(struct options), run },
	{ 0 }
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "mpirun-wrap", "Run an MPI program on the nodes of a virtual cluster", verbs };

	return vh_main(&prog, argc, argv);
}
