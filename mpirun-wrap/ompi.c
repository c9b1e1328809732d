// SPDX-License-Identifier: Apache-2.0
/* Open MPI's mpirun: 4.1 (ORTE) and 5.0 (PRRTE). Every setting is a row, left out when
 * the user makes it or one of its rivals, on the command line or by environment. */
#include "mpirun-wrap/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

enum value { TEXT, CIDR, AGENT, HOSTFILE, INTERFACES, BTLS };

struct setting {
	const char *option;	/* what stands before the key */
	const char *key;
	enum value value;
	const char *text;
	const char *rivals[5];	/* keys, or whole options, that say the same or exclude it */
};

/* A remote daemon opens no ssh of its own (no tree spawn): the key stays on this machine.
 * Node names are not looked up in DNS: their daemons say the addresses. Without a VF,
 * ob1 over shared memory and TCP is what needs no probing of devices that hang. Debian
 * switches the only one-sided communication off that works over every transport. */
static const struct setting settings_41[] = {
	{ "--mca", "plm", TEXT, "rsh", { NULL } },
	{ "--mca", "ras", TEXT, "^slurm,gridengine,tm,loadleveler", { NULL } },
	{ "--mca", "plm_rsh_agent", AGENT, NULL, { "orte_rsh_agent", "pls_rsh_agent" } },
	{ "--mca", "plm_rsh_no_tree_spawn", TEXT, "1", { NULL } },
	{ "--mca", "orte_default_hostfile", HOSTFILE, NULL, { "--default-hostfile", "-default-hostfile" } },
	{ "--mca", "if_base_do_not_resolve", TEXT, "1", { NULL } },
	{ "--mca", "oob_tcp_if_include", CIDR, NULL, { "oob_tcp_if_exclude", "oob_tcp_include", "oob_tcp_exclude" } },
	{ "--mca", "btl_tcp_if_include", CIDR, NULL, { "btl_tcp_if_exclude" } },
	{ "--mca", "pml", TEXT, "ob1", { NULL } },
	{ "--mca", "btl", BTLS, "vader", { NULL } },
	{ "--mca", "osc", TEXT, "^ucx", { NULL } },
	{ 0 }
};

/* PRRTE 3.0 does not match its own interfaces with a network (it says "did not find
 * interface matching this subnet" and takes them all), so it gets their names. It would
 * have the ranks look for components in PMIx's directory, where ivshm is not; told the
 * right one, it tells PMIx so too, which then complains of what it finds there. */
#define DEBIAN "/usr/lib/x86_64-linux-gnu"
static const struct setting settings_50[] = {
	{ "--prtemca", "plm", TEXT, "ssh", { NULL } },
	{ "--prtemca", "ras", TEXT, "^slurm,gridengine,lsf,pbs,flux", { NULL } },
	{ "--prtemca", "plm_ssh_agent", AGENT, NULL, { "plm_rsh_agent", "prte_ssh_agent", "prte_rsh_agent" } },
	{ "--prtemca", "plm_ssh_no_tree_spawn", TEXT, "1", { "plm_rsh_no_tree_spawn" } },
	{ "--prtemca", "prte_default_hostfile", HOSTFILE, NULL, { "default_hostfile" } },
	{ "--prtemca", "prte_if_include", INTERFACES, NULL,
	  { "prte_if_exclude", "if_include", "if_exclude", "oob_tcp_if_include", "oob_tcp_if_exclude" } },
	{ "--mca", "btl_tcp_if_include", CIDR, NULL, { "btl_tcp_if_exclude" } },
	{ "--mca", "pml", TEXT, "ob1", { NULL } },
	{ "--mca", "btl", BTLS, "sm", { NULL } },
	{ "--mca", "mca_base_component_path", TEXT, DEBIAN "/openmpi/lib/openmpi40", { NULL } },
	{ "--pmixmca", "mca_base_component_path", TEXT, DEBIAN "/pmix2/lib/pmix", { NULL } },
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

/* Where mpirun's options end is mpirun's to know; a program that takes "--mca KEY" among
 * its own arguments costs us that one setting. */
static bool in_args(char *const *args, const char *key)
{
	for (; args && *args; args++)
		if (*key == '-' ? !strcmp(*args, key) : is_mca_option(*args) && args[1] && !strcmp(args[1], key))
			return true;
	return false;
}

static bool in_env(char *const *env, const char *key)
{
	size_t len = strlen(key);

	for (; env && *env; env++)
		for (size_t i = 0; i < vh_array_len(mca_variables); i++) {
			size_t n = strlen(mca_variables[i]);

			if (!strncmp(*env, mca_variables[i], n) && !strncmp(*env + n, key, len) &&
			    (*env)[n + len] == '=')
				return true;
		}
	return false;
}

static bool users(const struct vh_mpi_input *in, const char *key)
{
	return in_args(in->args, key) || in_env(in->env, key);
}

/* What the user says about this setting, or NULL. */
static const char *users_word(const struct vh_mpi_input *in, const struct setting *s)
{
	if (users(in, s->key))
		return s->key;
	for (size_t i = 0; i < vh_array_len(s->rivals) && s->rivals[i]; i++)
		if (users(in, s->rivals[i]))
			return s->rivals[i];
	return NULL;
}

static char *value(const struct vh_mpi_input *in, const struct setting *s)
{
	const struct vh_mpi_cluster *c = in->cluster;

	switch (s->value) {
	case TEXT:
		return strdup(s->text);
	case CIDR:
		return strdup(c->cidr);
	case AGENT:
		/* mpirun does not wait for its ssh: it ends with mpirun. */
		return vh_strf("setpriv --pdeathsig TERM ssh -F %s", c->ssh_config);
	case HOSTFILE:
		return strdup(in->hostfile);
	case BTLS:
		return vh_strf("self,%s,%stcp", s->text, c->region ? "ivshm," : "");
	case INTERFACES:
		return vh_strf("%s%s%s", in->head_interface ? in->head_interface : "", in->head_interface ? "," : "",
			       c->interface);
	}
	return NULL;
}

static int add_setting(const struct vh_mpi_input *in, const struct setting *s, struct vh_mpi_plan *plan)
{
	const char *word = users_word(in, s);
	vh_autofree char *v = word ? NULL : value(in, s);

	if (word)
		return vh_strv_has(plan->users, word) ? 0 : vh_strv_push(&plan->users, word);
	if (!v || vh_strv_push(&plan->argv, s->option) < 0 || vh_strv_push(&plan->argv, s->key) < 0)
		return -ENOMEM;
	return vh_strv_push(&plan->argv, v);
}

static char *hostfile(const struct vh_mpi_cluster *c)
{
	vh_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "%s slots=%u\n", c->nodes[i].name, c->nodes[i].slots);
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}

static int plan_with(const struct setting *s, const struct vh_mpi_input *in, struct vh_mpi_plan *plan,
		     struct vh_err *err)
{
	for (; s->key; s++)
		if (add_setting(in, s, plan) < 0)
			return vh_err_nomem(err);
	/* No rank runs as root: they run on the nodes, as the cluster's user. */
	if (in->root && (vh_strv_push(&plan->env, "OMPI_ALLOW_RUN_AS_ROOT=1") < 0 ||
			 vh_strv_push(&plan->env, "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1") < 0))
		return vh_err_nomem(err);
	plan->hostfile = hostfile(in->cluster);
	return plan->hostfile ? 0 : vh_err_nomem(err);
}

static int plan_41(const struct vh_mpi_input *in, struct vh_mpi_plan *plan, struct vh_err *err)
{
	return plan_with(settings_41, in, plan, err);
}

static int plan_50(const struct vh_mpi_input *in, struct vh_mpi_plan *plan, struct vh_err *err)
{
	return plan_with(settings_50, in, plan, err);
}

const struct vh_mpi_ops vh_ompi_41 = { "openmpi", "4.1", plan_41 };
const struct vh_mpi_ops vh_ompi_50 = { "openmpi", "5.0", plan_50 };
