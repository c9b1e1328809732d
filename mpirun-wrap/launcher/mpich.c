// SPDX-License-Identifier: Apache-2.0
/* MPICH's mpiexec (Hydra). MPICH is Debian's, over UCX (ch4:ucx), which carries all pairs. */
#include "mpirun-wrap/launcher/launcher.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

static const struct vh_mpi_option options[] = {
	{ "n", 1, VH_MPI_RANKS }, { "np", 1, VH_MPI_RANKS }, { "ppn", 1, VH_MPI_PLACEMENT }, { "perhost", 1, VH_MPI_PLACEMENT },
	{ "f", 1, VH_MPI_HOSTS }, { "hostfile", 1, VH_MPI_HOSTS }, { "machinefile", 1, VH_MPI_HOSTS },
	{ "hosts", 1, VH_MPI_HOSTS }, { "host", 1, VH_MPI_HOSTS }, { "bind-to", 1, VH_MPI_PLACEMENT },
	{ "map-by", 1, VH_MPI_PLACEMENT }, { "order-nodes", 1, VH_MPI_PLACEMENT }, { "skip-launch-node", 0, VH_MPI_PLACEMENT },
	{ "configfile", 1, VH_MPI_CONTEXTS }, { "genv", 2, 0 }, { "env", 2, 0 }, { "genvlist", 1, 0 }, { "envlist", 1, 0 },
	{ "wdir", 1, 0 }, { "wd", 1, 0 }, { "launcher", 1, 0 }, { "launcher-exec", 1, 0 }, { "rmk", 1, 0 }, { "topolib", 1, 0 },
	{ "membind", 1, 0 }, { "demux", 1, 0 }, { "iface", 1, 0 }, { "prepend-pattern", 1, 0 }, { "outfile-pattern", 1, 0 },
	{ "errfile-pattern", 1, 0 }, { "nameserver", 1, 0 }, { "localhost", 1, 0 }, { "usize", 1, 0 }, { "gpus-per-proc", 1, 0 },
	{ NULL, 0, 0 }
};

static const char *const files[] = { "f", "hostfile", "machinefile", "configfile", NULL };
/* Hydra 4.0 crashes where its command line repeats an option of its file of settings, so it is told by variables. */
static const struct vh_mpi_params params[] = { { NULL, NULL } };
static const char *const node_env[] = {
	"HYDRA_LAUNCHER=ssh", "HYDRA_LAUNCHER_EXTRA_ARGS=-F " VH_MPI_NODE_SSH_CONFIG, "HYDRA_RMK=user",
	"HYDRA_HOST_FILE=" VH_MPI_NODE_HOSTS, NULL
};
static const char *const placement_variables[] = { "HYDRA_HOST_FILE", "HYDRA_BINDING", "HYDRA_MAPPING", NULL };

/* Before the program: a word of its own arguments is none of mpiexec's. */
static const char *users_option(const struct vh_mpi_input *in, const struct vh_mpi_job *job, const char *option)
{
	for (size_t i = 0; i < job->args.program; i++) {
		const char *word = in->args[i];

		if (word[0] == '-' && !strcmp(word + 1 + (word[1] == '-'), option + 1))
			return in->args[i + 1] ? in->args[i + 1] : "";
	}
	return NULL;
}

/* variable: what in the environment says the same, or NULL. Takes value. */
static int option(const struct vh_mpi_input *in, struct vh_mpi_job *job, const char *name, const char *variable, char *value,
		  const char *why)
{
	const char *users = users_option(in, job, name);

	if (!value)
		return -ENOMEM;
	if (!users && variable)
		users = vh_env_get(in->env, variable);
	if (users)
		return vh_mpi_setting_users(job, name, users, value, why);
	if (vh_strv_push(&job->argv, name) < 0 || vh_strv_push(&job->argv, value) < 0) {
		free(value);
		return -ENOMEM;
	}
	return vh_mpi_setting_add(job, name, value, why);
}

/* -genv or -env NAME of the user's. */
static const char *users_variable(const struct vh_mpi_input *in, const struct vh_mpi_job *job, const char *name)
{
	for (size_t i = 0; i + 2 < job->args.program + 1; i++)
		if ((!strcmp(in->args[i], "-genv") || !strcmp(in->args[i], "-env")) && !strcmp(in->args[i + 1], name))
			return in->args[i + 2];
	return vh_env_get(in->env, name);
}

/* A variable of the ranks. Takes value. */
static int variable(const struct vh_mpi_input *in, struct vh_mpi_job *job, const char *name, char *value, const char *why)
{
	const char *users = users_variable(in, job, name);

	if (!value)
		return -ENOMEM;
	if (users)
		return vh_mpi_setting_users(job, name, users, value, why);
	if (vh_strv_push(&job->argv, "-genv") < 0 || vh_strv_push(&job->argv, name) < 0 || vh_strv_push(&job->argv, value) < 0) {
		free(value);
		return -ENOMEM;
	}
	return vh_mpi_setting_add(job, name, value, why);
}

static int ucx(const struct vh_mpi_input *in, struct vh_mpi_job *job)
{
	const struct vh_mpi_device *port = job->rails.n ? job->rails.ports[0] : NULL;
	int r = variable(in, job, "UCX_NET_DEVICES", vh_mpi_ucx_devices(in->cluster, job),
			 "the cluster's network, and the ports on the fabric that its nodes share");

	if (r == 0)
		r = variable(in, job, "UCX_TLS", vh_mpi_ucx_tls(job),
			     "memory inside a VM, RDMA between hosts that have it, else TCP");
	if (r == 0 && port && port->pkey)
		r = variable(in, job, "UCX_IB_PKEY", vh_strf("0x%04x", port->pkey), "the partition that the nodes share");
	if (r == 0 && port && port->gid_index >= 0)
		r = variable(in, job, "UCX_IB_GID_INDEX", vh_strf("%d", port->gid_index), "the address of a RoCE port");
	return r;
}

/* "user:0,1,4": a list for each rank of a node, which all nodes must then share. */
static char *binding(const struct vh_mpi_input *in, const struct vh_mpi_ranks *ranks)
{
	const struct vh_mpi_cluster *c = in->cluster;
	size_t fullest = 0, first = 0;
	uint64_t rank = 0;
	char *text;

	if (!ranks->listed)
		return strdup("hwthread");
	for (size_t i = 0; i < c->n_nodes; rank += ranks->count[i], i++)
		if (ranks->count[i] > ranks->count[fullest] || i == 0) {
			fullest = i;
			first = rank;
		}
	text = strdup("user");
	for (unsigned k = 0; text && k < ranks->count[fullest]; k++) {
		const unsigned *cpus = vh_mpi_rank_cpus(ranks, first + k);

		for (unsigned p = 0; text && p < ranks->cpus_a_rank; p++) {
			char *longer = vh_strf("%s%c%u", text, p ? '+' : k ? ',' : ':', cpus[p]);

			free(text);
			text = longer;
		}
	}
	return text;
}

static int place(const struct vh_mpi_input *in, struct vh_mpi_job *job)
{
	const struct vh_mpi_ranks *ranks = &job->ranks;
	int r = 0;

	if (!ranks->ours)
		return 0;
	if (!job->args.ranks && job->args.program < vh_strv_len(in->args))
		r = option(in, job, "-n", NULL, vh_strf("%llu", (unsigned long long)ranks->n), "all slots");
	if (r == 0)
		r = option(in, job, "-bind-to", NULL, binding(in, ranks), "each rank on CPUs of its own, caches and NUMA cells shared evenly");
	return r;
}

/* Hydra adds them to ssh's command line; there is no option for it. */
static int ssh_options(const struct vh_mpi_input *in, struct vh_mpi_job *job)
{
	static const char name[] = "HYDRA_LAUNCHER_EXTRA_ARGS", why[] = "the nodes' own key and known hosts";
	const char *users = vh_env_get(in->env, name);
	char *v = strdup("-F " VH_MPI_NODE_SSH_CONFIG);

	if (!v)
		return -ENOMEM;
	if (users)
		return vh_mpi_setting_users(job, name, users, v, why);
	if (vh_strv_pushf(&job->env, "%s=%s", name, v) < 0) {
		free(v);
		return -ENOMEM;
	}
	return vh_mpi_setting_add(job, name, v, why);
}

static int settings(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	int r = option(in, job, "-launcher", "HYDRA_LAUNCHER", strdup("ssh"), "the cluster's nodes are reached by ssh, also inside a batch job");

	if (r == 0)
		r = option(in, job, "-rmk", "HYDRA_RMK", strdup("user"), "hosts are the cluster's, also inside a batch job");
	if (r == 0)
		r = option(in, job, "-localhost", NULL, strdup(in->head), "daemons call back over the cluster's network");
	if (r == 0 && !job->args.hosts)
		r = option(in, job, "-f", "HYDRA_HOST_FILE", strdup(in->hostfile), "the cluster's nodes and slots");
	if (r == 0)
		r = ucx(in, job);
	if (r == 0)
		r = place(in, job);
	if (r == 0)
		r = ssh_options(in, job);
	return r < 0 ? vh_err_nomem(err) : 0;
}

const struct vh_mpi_ops vh_mpich = {
	.mpi = "mpich", .series = "", .shown = "MPICH", .program = "mpiexec.hydra", .package = "mpich", .daemon = "hydra_pmi_proxy",
	.shm_a_rank = 4 << 20, .options = options, .files = files, .params = params, .node_env = node_env, .placement_variables = placement_variables, .verbs = false,
	.names = { [VH_MPI_SM] = "ucx sm", [VH_MPI_RDMA] = "ucx ib", [VH_MPI_TCP] = "ucx tcp" },
	.slots_mark = ":", .settings = settings,
};
