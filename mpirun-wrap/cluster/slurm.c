// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/cluster/cluster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hostlist.h"
#include "lib/strv.h"
#include "mpirun-wrap/cluster/node.h"

int vh_mpi_slurm_nodes(char *const *env, char ***ret, struct vh_err *err)
{
	const char *list = vh_env_get(env, "SLURM_JOB_NODELIST");

	*ret = NULL;
	if (!list || !*list || !vh_env_get(env, "SLURM_JOB_ID"))
		return 0;
	if (vh_hostlist_parse(list, ret, err) == 0)
		return 0;
	vh_err_as(err, VH_EXIT_REFUSED);
	return vh_err_within(err, "SLURM_JOB_NODELIST");
}

/* "4(x2),3": 4 4 3. The number of node i, or 0 where the text ends before it. */
static unsigned count_of(const char *text, size_t node)
{
	while (text && *text) {
		char *end;
		unsigned long n = strtoul(text, &end, 10), times = 1;

		if (end == text)
			return 0;
		if (!strncmp(end, "(x", 2)) {
			times = strtoul(end + 2, &end, 10);
			end += *end == ')';
		}
		if (node < times)
			return n > VH_MPI_MAX_SLOTS ? VH_MPI_MAX_SLOTS : (unsigned)n;
		node -= times;
		text = *end == ',' ? end + 1 : NULL;
	}
	return 0;
}

/* Slurm counts a task a node where none were asked for. */
static const char *counts(char *const *env)
{
	const bool tasks = vh_env_get(env, "SLURM_NTASKS") || vh_env_get(env, "SLURM_NTASKS_PER_NODE");

	return vh_env_get(env, tasks ? "SLURM_TASKS_PER_NODE" : "SLURM_JOB_CPUS_PER_NODE");
}

static struct vh_mpi_node *find(struct vh_mpi_cluster *c, const char *name)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].name && !strcmp(c->nodes[i].name, name))
			return &c->nodes[i];
	return NULL;
}

/* How many of nodes are c's; *ret_other is one that is not. */
static size_t known(struct vh_mpi_cluster *c, char *const *nodes, const char **ret_other)
{
	size_t n = 0;

	for (; *nodes; nodes++)
		if (find(c, *nodes))
			n++;
		else
			*ret_other = *nodes;
	return n;
}

static int keep_nodes(struct vh_mpi_cluster *c, char *const *nodes, const char *counts_text, struct vh_err *err)
{
	struct vh_mpi_node *taken = calloc(vh_strv_len(nodes) + 1, sizeof(*taken));
	size_t n = 0;

	if (!taken)
		return vh_err_nomem(err);
	for (size_t i = 0; nodes[i]; i++) {
		struct vh_mpi_node *node = find(c, nodes[i]);
		unsigned slots = count_of(counts_text, i);

		if (!node)	/* named twice */
			continue;
		taken[n] = *node;
		*node = (struct vh_mpi_node){ 0 };
		if (slots && slots < taken[n].slots)
			taken[n].slots = slots;
		n++;
	}
	for (size_t i = 0; i < c->n_nodes; i++)
		vh_mpi_node_clear(&c->nodes[i]);
	free(c->nodes);
	c->nodes = taken;
	c->n_nodes = n;
	return 0;
}

int vh_mpi_slurm_narrow(struct vh_mpi_cluster *c, char *const *env, const char **ret_note, struct vh_err *err)
{
	vh_autostrv nodes = NULL;
	const char *other = NULL;
	size_t n;
	int r = vh_mpi_slurm_nodes(env, &nodes, err);

	*ret_note = NULL;
	if (r < 0 || !nodes)
		return r;
	n = known(c, nodes, &other);
	if (n == 0) {
		*ret_note = "the nodes of this batch job are not the cluster's: all of the cluster's are used";
		return 0;
	}
	if (other) {
		vh_err_refuse(err, ENOENT, "job %s has the node %s, which is not one of cluster %s's",
			      vh_env_get(env, "SLURM_JOB_ID"), other, c->name);
		return vh_err_hint(err, "a job runs on nodes of one cluster");
	}
	return keep_nodes(c, nodes, counts(env), err);
}
