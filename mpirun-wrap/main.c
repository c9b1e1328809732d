// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/table.h"
#include "mpirun-wrap/launch.h"

struct options {
	const char *cluster;
	bool plan;
};

static const struct vh_opt options[] = {
	{ "cluster", 0, VH_OPT_STR, offsetof(struct options, cluster), "NAME|FILE",
	  "the cluster, by name or manifest (default: VHPC_CLUSTER)" },
	{ "plan", 0, VH_OPT_FLAG, offsetof(struct options, plan), NULL,
	  "print mpirun's command line, one argument a line, and launch nothing" },
	{ 0 }
};

static int print_plan(const struct vh_cli *cli, const struct vh_mpi_cluster *c, const struct vh_mpi_plan *plan,
		      struct vh_err *err)
{
	if (cli->json) {
		json_t *doc = vh_mpi_plan_json(c, plan);

		return doc ? vh_json_print("vhpc.mpirun.plan/1", doc, err) : vh_err_nomem(err);
	}
	for (char *const *a = plan->argv; *a; a++)
		puts(*a);
	return 0;
}

static int find_cluster(const struct vh_cli *cli, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	const struct options *o = cli->opts;
	const char *what = o->cluster ? o->cluster : getenv("VHPC_CLUSTER");

	if (!what || !*what)
		return vh_err_usage(err, "no cluster is named (--cluster NAME|FILE, or VHPC_CLUSTER)");
	return vh_mpi_cluster_find(cli->state, what, ret, err);
}

static int run(struct vh_cli *cli, struct vh_err *err)
{
	const struct options *o = cli->opts;
	char hostfile[32], interface[IFNAMSIZ];
	vh_autocluster c = NULL;
	vh_autoplan plan = { 0 };
	vh_autoclose int fd = -1;
	int r;

	if (cli->json && !o->plan)
		return vh_err_usage(err, "--json goes with --plan");
	r = find_cluster(cli, &c, err);
	if (r == 0)
		r = vh_mpi_hostfile_open(&fd, hostfile, err);
	if (r == 0 && !o->plan)
		r = vh_mpi_check(c, err);
	if (r == 0)
		r = vh_mpi_plan_make(&(struct vh_mpi_input){
			.cluster = c, .args = cli->argv, .env = environ, .hostfile = hostfile,
			.head_interface = vh_mpi_head_interface(c->cidr, interface) == 0 ? interface : NULL,
			.root = geteuid() == 0,
		}, &plan, err);
	if (r < 0)
		return r;
	return o->plan ? print_plan(cli, c, &plan, err) : vh_mpi_launch(&plan, fd, err);
}

static const struct vh_verb verbs[] = {
	{ "", "[MPIRUN OPTIONS] PROGRAM [ARGUMENTS]", 1, -1, "run an MPI program on the nodes of a virtual cluster",
	  VH_VERB_JSON | VH_VERB_PASS, options, sizeof(struct options), run },
	{ 0 }
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "mpirun-wrap", "Run an MPI program on the nodes of a virtual cluster", verbs };

	return vh_main(&prog, argc, argv);
}
