// SPDX-License-Identifier: Apache-2.0
/* Every setting is a row, left out when the user makes it or one of its rivals, on the command
 * line or by environment. */
#include "mpirun-wrap/launcher/ompi_settings.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

enum value { TEXT, CIDR, AGENT, HOSTFILE, INTERFACES, BTLS, PML, RAILS, PKEY, GID_INDEX, TLS, NET_DEVICES };
enum when { ALWAYS, OB1, VERBS, ROCE, UCX };

struct setting {
	const char *option;	/* what stands before the key; "-x": an environment variable of the ranks */
	const char *key;
	enum value value;
	enum when when;
	const char *text;
	const char *rivals[5];	/* keys, or whole options, that say the same or exclude it */
	const char *why;
};

static const char why_slurm[] = "the cluster's nodes are reached by ssh, also inside a batch job";
static const char why_hosts[] = "the cluster's nodes and slots";
static const char why_names[] = "daemons say their addresses: node names need no DNS";
static const char why_tree[] = "the head alone opens ssh: what goes wrong is said where it is seen";
static const char why_oob[] = "daemons talk over the cluster's network, never a bridge or a user network";
static const char why_tcp[] = "so do ranks, where nothing faster is there";
static const char why_agent[] = "ssh with the nodes' own key and known hosts, ending with mpirun";
static const char why_pml[] = "one transport for each pair of ranks, or UCX where it serves all";
static const char why_btl[] = "in a VM its memory, in a host memory that VMs share, then the network";
static const char why_port[] = "the ports on the fabric that all nodes share";
static const char why_pkey[] = "the partition that the nodes share";
static const char why_gid[] = "the address of a RoCE port";
static const char why_components[] = "each library finds its own components, ivshm among them";
static const char why_tls[] = "RDMA between hosts, memory inside a VM";

/* Without a VF, ob1 over shared memory and TCP is what needs no probing of devices that
 * hang. Debian switches the only one-sided communication off that works over every
 * transport. In 4.1 verbs leaves InfiniBand to UCX unless it is told. */
static const struct setting settings_41[] = {
	{ "--mca", "plm", TEXT, ALWAYS, "rsh", { NULL }, why_slurm },
	{ "--mca", "ras", TEXT, ALWAYS, "^slurm,gridengine,tm,loadleveler", { NULL }, why_slurm },
	{ "--mca", "plm_rsh_agent", AGENT, ALWAYS, NULL, { "orte_rsh_agent", "pls_rsh_agent" }, why_agent },
	{ "--mca", "plm_rsh_no_tree_spawn", TEXT, ALWAYS, "1", { NULL }, why_tree },
	{ "--mca", "orte_default_hostfile", HOSTFILE, ALWAYS, NULL, { "--default-hostfile", "-default-hostfile" }, why_hosts },
	{ "--mca", "if_base_do_not_resolve", TEXT, ALWAYS, "1", { NULL }, why_names },
	{ "--mca", "oob_tcp_if_include", CIDR, ALWAYS, NULL,
	  { "oob_tcp_if_exclude", "oob_tcp_include", "oob_tcp_exclude" }, why_oob },
	{ "--mca", "btl_tcp_if_include", CIDR, ALWAYS, NULL, { "btl_tcp_if_exclude" }, why_tcp },
	{ "--mca", "pml", PML, ALWAYS, NULL, { NULL }, why_pml },
	{ "--mca", "btl", BTLS, ALWAYS, NULL, { NULL }, why_btl },
	{ "--mca", "osc", TEXT, OB1, "^ucx", { NULL }, "one-sided communication over every transport" },
	{ "--mca", "btl_openib_allow_ib", TEXT, VERBS, "1", { NULL }, "4.1 leaves InfiniBand to UCX unless it is told" },
	{ "--mca", "btl_openib_if_include", RAILS, VERBS, NULL, { "btl_openib_if_exclude" }, why_port },
	{ "--mca", "btl_openib_pkey", PKEY, VERBS, NULL, { NULL }, why_pkey },
	{ "--mca", "btl_openib_gid_index", GID_INDEX, VERBS, NULL, { NULL }, why_gid },
	{ "--mca", "btl_openib_cpc_include", TEXT, ROCE, "rdmacm", { "btl_openib_cpc_exclude" }, "RoCE connects by addresses" },
	{ "-x", "UCX_NET_DEVICES", NET_DEVICES, UCX, NULL, { NULL }, why_port },
	{ "-x", "UCX_TLS", TLS, UCX, NULL, { NULL }, why_tls },
	{ "-x", "UCX_IB_PKEY", PKEY, UCX, NULL, { NULL }, why_pkey },
	{ "-x", "UCX_IB_GID_INDEX", GID_INDEX, UCX, NULL, { NULL }, why_gid },
	{ 0 }
};

/* PRRTE 3.0 does not match its own interfaces with a network (it says "did not find
 * interface matching this subnet" and takes them all), so it gets their names. It would
 * have the ranks look for components in PMIx's directory, where ivshm is not; told the
 * right one, it tells PMIx so too, which then complains of what it finds there. */
static const struct setting settings_50[] = {
	{ "--prtemca", "plm", TEXT, ALWAYS, "ssh", { NULL }, why_slurm },
	{ "--prtemca", "ras", TEXT, ALWAYS, "^slurm,gridengine,lsf,pbs,flux", { NULL }, why_slurm },
	{ "--prtemca", "plm_ssh_agent", AGENT, ALWAYS, NULL, { "plm_rsh_agent", "prte_ssh_agent", "prte_rsh_agent" }, why_agent },
	{ "--prtemca", "plm_ssh_no_tree_spawn", TEXT, ALWAYS, "1", { "plm_rsh_no_tree_spawn" }, why_tree },
	{ "--prtemca", "prte_default_hostfile", HOSTFILE, ALWAYS, NULL, { "default_hostfile" }, why_hosts },
	{ "--prtemca", "prte_if_include", INTERFACES, ALWAYS, NULL,
	  { "prte_if_exclude", "if_include", "if_exclude", "oob_tcp_if_include", "oob_tcp_if_exclude" }, why_oob },
	{ "--mca", "btl_tcp_if_include", CIDR, ALWAYS, NULL, { "btl_tcp_if_exclude" }, why_tcp },
	{ "--mca", "pml", PML, ALWAYS, NULL, { NULL }, why_pml },
	{ "--mca", "btl", BTLS, ALWAYS, NULL, { NULL }, why_btl },
	{ "--mca", "mca_base_component_path", TEXT, ALWAYS, VH_OMPI_COMPONENTS, { NULL }, why_components },
	{ "--pmixmca", "mca_base_component_path", TEXT, ALWAYS, VH_PMIX_COMPONENTS, { NULL }, why_components },
	{ "-x", "UCX_NET_DEVICES", NET_DEVICES, UCX, NULL, { NULL }, why_port },
	{ "-x", "UCX_TLS", TLS, UCX, NULL, { NULL }, why_tls },
	{ "-x", "UCX_IB_PKEY", PKEY, UCX, NULL, { NULL }, why_pkey },
	{ "-x", "UCX_IB_GID_INDEX", GID_INDEX, UCX, NULL, { NULL }, why_gid },
	{ 0 }
};

static const char *const mca_options[] = { "--mca", "-mca", "--gmca", "-gmca", "--omca", "--prtemca", "--pmixmca" };
static const char *const mca_variables[] = { "OMPI_MCA_", "PRTE_MCA_", "PMIX_MCA_" };

static bool is_mca_option(const char *word)
{
	for (size_t i = 0; i < vh_array_len(mca_options); i++)
		if (!strcmp(word, mca_options[i]))
			return true;
	return false;
}

/* What the user's words say of key. Where mpirun's options end is mpirun's to know; a program
 * that takes "--mca KEY" among its own arguments costs us that one setting. */
const char *vh_ompi_in_args(char *const *args, const char *key)
{
	size_t n = strlen(key);

	for (; args && *args; args++) {
		if (*key == '-' && !strcmp(*args, key))
			return args[1] ? args[1] : "";
		if (!args[1])
			break;
		if (is_mca_option(*args) && !strcmp(args[1], key))
			return args[2] ? args[2] : "";
		if (!strcmp(*args, "-x") && !strncmp(args[1], key, n) && (args[1][n] == '=' || !args[1][n]))
			return args[1][n] ? args[1] + n + 1 : "";
	}
	return NULL;
}

const char *vh_ompi_in_env(char *const *env, const char *key)
{
	for (size_t i = 0; i < vh_array_len(mca_variables); i++) {
		char name[128];
		const char *v;

		snprintf(name, sizeof(name), "%s%s", mca_variables[i], key);
		v = vh_env_get(env, name);
		if (v)
			return v;
	}
	return NULL;
}

static const char *users(const struct vh_mpi_input *in, const struct setting *s, const char *key)
{
	const char *v = vh_ompi_in_args(in->args, key);

	return v ? v : !strcmp(s->option, "-x") ? vh_env_get(in->env, key) : vh_ompi_in_env(in->env, key);
}

/* What the user says about this setting: the word and its value; or NULL. */
static const char *users_word(const struct vh_mpi_input *in, const struct setting *s, const char **ret_value)
{
	if ((*ret_value = users(in, s, s->key)))
		return s->key;
	for (size_t i = 0; i < vh_array_len(s->rivals) && s->rivals[i]; i++)
		if ((*ret_value = users(in, s, s->rivals[i])))
			return s->rivals[i];
	return NULL;
}

/* A component that no pair of ranks uses is left out: Open MPI polls each that is there, and vader's turn is 3 to 5%
 * of a small message between VMs. */
static char *btls(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	vh_autofree char *text = strdup("self");

	for (int t = 0; text && t < VH_MPI_TRANSPORTS; t++)
		if (vh_mpi_transports[t].beside(c, job)) {
			char *longer = vh_strf("%s,%s", text, job->ops->names[t]);

			free(text);
			text = longer;
		}
	return vh_steal(&text);
}

/* NULL: there is nothing to say, or no memory (*nomem). */
static char *value(const struct vh_mpi_input *in, const struct setting *s, const struct vh_mpi_job *job, bool *nomem)
{
	const struct vh_mpi_cluster *c = in->cluster;
	const struct vh_mpi_device *port = job->rails.n ? job->rails.ports[0] : NULL;
	char *v = NULL;

	switch (s->value) {
	case TEXT:
		v = strdup(s->text);
		break;
	case CIDR:
		v = strdup(c->cidr);
		break;
	case AGENT:
		/* mpirun does not wait for its ssh: it ends with mpirun. */
		v = strdup("setpriv --pdeathsig TERM ssh -F " VH_MPI_NODE_SSH_CONFIG);
		break;
	case HOSTFILE:
		v = strdup(in->hostfile);
		break;
	case INTERFACES:
		v = strdup(c->interface);
		break;
	case BTLS:
		v = btls(c, job);
		break;
	case PML:
		v = strdup(job->ucx ? "ucx" : "ob1");
		break;
	case RAILS:
		v = vh_mpi_rails_names(&job->rails);
		break;
	case NET_DEVICES:
		v = vh_mpi_ucx_devices(c, job);
		break;
	case TLS:
		v = vh_mpi_ucx_tls(job);
		break;
	case PKEY:
		if (!port->pkey)
			return NULL;
		v = vh_strf("0x%04x", port->pkey);
		break;
	case GID_INDEX:
		if (port->gid_index < 0)
			return NULL;
		v = vh_strf("%d", port->gid_index);
		break;
	}
	*nomem = !v;
	return v;
}

static bool applies(const struct setting *s, const struct vh_mpi_job *job)
{
	const bool verbs = job->rails.n && job->ops->verbs && !job->ucx;

	switch (s->when) {
	case ALWAYS:
		return true;
	case OB1:
		return !job->ucx;
	case VERBS:
		return verbs;
	case ROCE:
		return verbs && job->rails.ports[0]->ethernet;
	case UCX:
		return job->ucx;
	}
	return false;
}

static int push(struct vh_mpi_job *job, const struct setting *s, const char *v)
{
	if (!strcmp(s->option, "-x"))
		return vh_strv_push(&job->argv, "-x") < 0 ? -ENOMEM : vh_strv_pushf(&job->argv, "%s=%s", s->key, v);
	if (vh_strv_push(&job->argv, s->option) < 0 || vh_strv_push(&job->argv, s->key) < 0)
		return -ENOMEM;
	return vh_strv_push(&job->argv, v);
}

static int add_setting(const struct vh_mpi_input *in, const struct setting *s, struct vh_mpi_job *job)
{
	const char *users_value, *word;
	bool nomem = false;
	char *v = value(in, s, job, &nomem);

	if (!v)
		return nomem ? -ENOMEM : 0;
	word = users_word(in, s, &users_value);
	if (word)
		return vh_mpi_setting_users(job, word, users_value, v, s->why);
	if (push(job, s, v) < 0) {
		free(v);
		return -ENOMEM;
	}
	return vh_mpi_setting_add(job, s->key, v, s->why);
}

int vh_ompi_settings(const struct vh_mpi_input *in, struct vh_mpi_job *job, bool prrte)
{
	for (const struct setting *s = prrte ? settings_50 : settings_41; s->key; s++)
		if (applies(s, job) && !(in->batch && s->why == why_slurm) && add_setting(in, s, job) < 0)
			return -ENOMEM;
	return 0;
}
