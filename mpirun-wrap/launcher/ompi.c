// SPDX-License-Identifier: Apache-2.0
/* Open MPI's mpirun: 4.1 (ORTE) and 5.0 (PRRTE). */
#include "mpirun-wrap/launcher/ompi_settings.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "mpirun-wrap/launcher/launcher.h"

/* --- where ranks go */

static int say(struct vh_mpi_job *job, const char *option, char *v, const char *why)
{
	if (!v || vh_strv_push(&job->argv, option) < 0 || vh_strv_push(&job->argv, v) < 0) {
		free(v);
		return -ENOMEM;
	}
	return vh_mpi_setting_add(job, option, v, why);
}

static int place(const struct vh_mpi_input *in, struct vh_mpi_job *job, bool prrte)
{
	static const char why_flat[] = "blocks of neighbours on a node, each rank on CPUs of its own";
	const struct vh_mpi_ranks *ranks = &job->ranks;
	int r = 0;

	if (!ranks->ours)
		return 0;
	if (!job->args.ranks && job->args.program < vh_strv_len(in->args))
		r = say(job, "-n", vh_strf("%llu", (unsigned long long)ranks->n), "all slots");
	if (r == 0 && !ranks->listed)
		r = say(job, "--map-by", strdup("slot"), why_flat);
	if (r == 0 && !ranks->listed)
		return say(job, "--bind-to", strdup("core"), why_flat);
	if (r == 0 && vh_strv_push(&job->argv, "--use-hwthread-cpus") < 0)
		r = -ENOMEM;
	if (r == 0)
		r = say(job, prrte ? "--map-by" : "--rankfile", prrte ? vh_strf("rankfile:FILE=%s", in->rankfile) : strdup(in->rankfile),
			"ranks share caches and NUMA cells of their node evenly, devices near first");
	if (r == 0)
		job->rankfile = vh_mpi_rankfile(in->cluster, ranks);
	return r < 0 || !job->rankfile ? -ENOMEM : 0;
}

/* -x and mca_base_env_list exclude each other. */
static int forward(const struct vh_mpi_input *in, struct vh_mpi_job *job)
{
	if (vh_ompi_in_args(in->args, "mca_base_env_list") || vh_ompi_in_env(in->env, "mca_base_env_list"))
		return 0;
	for (char *const *e = in->env; e && *e; e++) {
		vh_autofree char *name = vh_mpi_forwarded(*e) ? strndup(*e, strcspn(*e, "=")) : NULL;

		if (!name || vh_ompi_in_args(in->args, name))
			continue;
		if (say(job, "-x", vh_strf("%s", name), "set here, so for the ranks too") < 0)
			return -ENOMEM;
	}
	return 0;
}

static int say_all(const struct vh_mpi_input *in, struct vh_mpi_job *job, bool prrte, struct vh_err *err)
{
	if (vh_ompi_settings(in, job, prrte) < 0 || forward(in, job) < 0 || place(in, job, prrte) < 0)
		return vh_err_nomem(err);
	return 0;
}

static int say_41(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	return say_all(in, job, false, err);
}

static int say_50(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	return say_all(in, job, true, err);
}

/* From `mpirun --help full` of 4.1.4 and prterun's of 5.0.7: what takes arguments, and what
 * says where ranks go. */
static const struct vh_mpi_option options[] = {
	{ "n", 1, VH_MPI_RANKS }, { "np", 1, VH_MPI_RANKS }, { "c", 1, VH_MPI_RANKS },
	{ "N", 1, VH_MPI_PLACEMENT }, { "npernode", 1, VH_MPI_PLACEMENT }, { "npersocket", 1, VH_MPI_PLACEMENT },
	{ "pernode", 0, VH_MPI_PLACEMENT }, { "map-by", 1, VH_MPI_PLACEMENT }, { "rank-by", 1, VH_MPI_PLACEMENT },
	{ "bind-to", 1, VH_MPI_PLACEMENT }, { "bind-to-core", 0, VH_MPI_PLACEMENT },
	{ "bind-to-socket", 0, VH_MPI_PLACEMENT }, { "bycore", 0, VH_MPI_PLACEMENT }, { "bynode", 0, VH_MPI_PLACEMENT },
	{ "byslot", 0, VH_MPI_PLACEMENT }, { "nolocal", 0, VH_MPI_PLACEMENT }, { "H", 1, VH_MPI_PLACEMENT },
	{ "host", 1, VH_MPI_PLACEMENT }, { "hostfile", 1, VH_MPI_PLACEMENT }, { "machinefile", 1, VH_MPI_PLACEMENT },
	{ "default-hostfile", 1, VH_MPI_PLACEMENT }, { "rf", 1, VH_MPI_PLACEMENT }, { "rankfile", 1, VH_MPI_PLACEMENT },
	{ "cpu-set", 1, VH_MPI_PLACEMENT }, { "cpu-list", 1, VH_MPI_PLACEMENT }, { "ppr", 1, VH_MPI_PLACEMENT },
	{ "cpus-per-proc", 1, VH_MPI_PLACEMENT }, { "cpus-per-rank", 1, VH_MPI_PLACEMENT }, { "pset", 1, VH_MPI_PLACEMENT },
	{ "add-host", 1, VH_MPI_PLACEMENT }, { "add-hostfile", 1, VH_MPI_PLACEMENT },
	{ "use-hwthread-cpus", 0, VH_MPI_PLACEMENT }, { "oversubscribe", 0, VH_MPI_OVERSUBSCRIBE },
	{ "app", 1, VH_MPI_CONTEXTS }, { "mca", 2, 0 }, { "gmca", 2, 0 }, { "omca", 2, 0 }, { "prtemca", 2, 0 },
	{ "pmixmca", 2, 0 }, { "am", 1, 0 }, { "tune", 1, 0 }, { "x", 1, 0 }, { "wd", 1, 0 }, { "wdir", 1, 0 },
	{ "path", 1, 0 }, { "prefix", 1, 0 }, { "preload-files", 1, 0 }, { "cf", 1, 0 }, { "cartofile", 1, 0 },
	{ "debugger", 1, 0 }, { "hnp", 1, 0 }, { "launch-agent", 1, 0 }, { "max-restarts", 1, 0 }, { "max-vm-size", 1, 0 },
	{ "ompi-server", 1, 0 }, { "output-filename", 1, 0 }, { "personality", 1, 0 }, { "report-events", 1, 0 },
	{ "report-pid", 1, 0 }, { "report-uri", 1, 0 }, { "stdin", 1, 0 }, { "timeout", 1, 0 }, { "xml-file", 1, 0 },
	{ "xterm", 1, 0 }, { "output", 1, 0 }, { "display", 1, 0 }, { "runtime-options", 1, 0 }, { "rtos", 1, 0 }, { "dvm", 1, 0 },
	{ "dvm-uri", 1, 0 }, { "namespace", 1, 0 }, { "forward-signals", 1, 0 }, { "keepalive", 1, 0 }, { "with-ft", 1, 0 },
	{ "spawn-timeout", 1, 0 }, { "gpu-support", 1, 0 }, { "memory-alloc-kinds", 1, 0 }, { "output-directory", 1, 0 },
	{ "num-connect-retries", 1, 0 }, { "exec-agent", 1, 0 }, { "pid", 1, 0 }, { NULL, 0, 0 }
};

static const char *const files[] = {
	"hostfile", "machinefile", "default-hostfile", "add-hostfile", "rf", "rankfile", "app", "tune", "am", NULL
};

static const struct vh_mpi_params params[] = {
	{ "--mca", "/etc/openmpi/openmpi-mca-params.conf" }, { "--prtemca", "/etc/openmpi/prte-mca-params.conf" }, { NULL, NULL }
};
static const char *const node_env_41[] = { NULL };
/* In a file they would come too late: prterun sets a path of its own for the ranks. */
static const char *const node_env_50[] = {
	"OMPI_MCA_mca_base_component_path=" VH_OMPI_COMPONENTS, "PMIX_MCA_mca_base_component_path=" VH_PMIX_COMPONENTS, NULL
};

static const char *const variables_41[] = {
	"OMPI_MCA_rmaps_base_mapping_policy", "OMPI_MCA_rmaps_base_ranking_policy", "OMPI_MCA_hwloc_base_binding_policy",
	"OMPI_MCA_rmaps_base_oversubscribe", "OMPI_MCA_rmaps", "OMPI_MCA_orte_rankfile", NULL
};
static const char *const variables_50[] = {
	"PRTE_MCA_rmaps_default_mapping_policy", "PRTE_MCA_rmaps_default_ranking_policy", "PRTE_MCA_hwloc_default_binding_policy",
	"PRTE_MCA_rmaps", NULL
};

static const struct vh_mpi_way ways[VH_MPI_TRANSPORTS] = {
	[VH_MPI_SM] = { NULL, { "--mca", "pml", "ob1" } },
	[VH_MPI_IVSHM] = { NULL, { "--mca", "pml", "ob1", "--mca", "btl", "self,ivshm" } },
	[VH_MPI_RDMA] = { "ucx", { "--mca", "pml", "ucx", "-x", "UCX_NET_DEVICES=", "-x", "UCX_TLS=self,ib" } },
	[VH_MPI_TCP] = { NULL, { "--mca", "pml", "ob1", "--mca", "btl", "self,tcp" } },
};

#define OPEN_MPI .mpi = "openmpi", .shown = "Open MPI", .program = "mpirun", .package = "openmpi-bin", .options = options, \
	.files = files, .params = params, .ways = ways, .slots_mark = " slots="

const struct vh_mpi_ops vh_ompi_41 = {
	OPEN_MPI, .series = "4.1", .daemon = "orted", .shm_a_rank = 4 << 20, .placement_variables = variables_41, .verbs = true, .node_env = node_env_41,
	.names = { [VH_MPI_SM] = "vader", [VH_MPI_IVSHM] = "ivshm", [VH_MPI_RDMA] = "openib", [VH_MPI_TCP] = "tcp" },
	.settings = say_41,
};
const struct vh_mpi_ops vh_ompi_50 = {
	OPEN_MPI, .series = "5.0", .daemon = "prted", .shm_a_rank = 16 << 20, .placement_variables = variables_50, .verbs = false, .node_env = node_env_50,
	.names = { [VH_MPI_SM] = "sm", [VH_MPI_IVSHM] = "ivshm", [VH_MPI_RDMA] = "ucx", [VH_MPI_TCP] = "tcp" },
	.settings = say_50,
};
