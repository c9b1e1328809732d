// SPDX-License-Identifier: Apache-2.0
/* Slurm's files but slurm.conf, which is long: topology.conf(5), cgroup.conf(5), gres.conf(5). */
#include "tools/cluster/slurm/slurm.h"

#include <errno.h>
#include <string.h>

#include "lib/hostlist.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/conf.h"
#include "tools/cluster/slurm/nodes.h"

void slurm_clear(struct slurm *s)
{
	free(s->nodes);
	*s = (struct slurm){ 0 };
}

static char *conf(const struct slurm *s)
{
	return text_of(put_conf, s);
}

static size_t count_hosts(const struct slurm *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_nodes; i++)
		n = s->nodes[i].host >= n ? s->nodes[i].host + 1 : n;
	return n;
}

/* A switch for each hypervisor, within which nodes share memory; *ret are those that have nodes. */
static int put_leaves(FILE *f, const struct slurm *s, char ***ret)
{
	const size_t hosts = count_hosts(s);
	int r = 0;

	for (size_t h = 0; r >= 0 && h < hosts; h++) {
		vh_autofree char *name = vh_strf("host%zu", h + 1), *head = vh_strf("SwitchName=host%zu Nodes=", h + 1);

		r = name && head ? put_nodes(f, s, (long)h, head, "") : -ENOMEM;
		if (r > 0)
			r = vh_strv_push(ret, name);
	}
	return r;
}

/* Those of several hypervisors meet in one. */
static int put_topology(FILE *f, const struct slurm *s)
{
	vh_autostrv leaves = NULL;
	vh_autofree char *list = NULL;
	int r = put_leaves(f, s, &leaves);

	if (r < 0 || vh_strv_len(leaves) < 2)
		return r;
	list = vh_hostlist_format(leaves);
	return list && fprintf(f, "SwitchName=all Switches=%s\n", list) > 0 ? 0 : -ENOMEM;
}

static char *topology(const struct slurm *s)
{
	return text_of(put_topology, s);
}

/* Images have no message bus, by which slurmd would ask systemd for a control group. */
static char *cgroup(const struct slurm *s)
{
	(void)s;
	return strdup("IgnoreSystemd=yes\nConstrainCores=yes\nConstrainRAMSpace=yes\n");
}

/* Their number alone: slurmd ends where a device's file is not there, which a driver makes that an image need not
 * have. */
static char *gpus_text(const struct slurm_node *n)
{
	return n->gpus ? vh_strf("Name=gpu Count=%zu", n->gpus) : strdup("");
}

static int put_gres(FILE *f, const struct slurm *s)
{
	return put_runs(f, s, gpus_text);
}

static char *gres(const struct slurm *s)
{
	return text_of(put_gres, s);
}

const struct slurm_file slurm_files[] = {
	{ "slurm.conf", conf }, { "topology.conf", topology }, { "cgroup.conf", cgroup }, { "gres.conf", gres }, { NULL, NULL },
};
