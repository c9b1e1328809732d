// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/table.h"

static const struct vh_mpi_ops *const all_ops[] = { &vh_ompi_41, &vh_ompi_50 };

static bool in_series(const char *version, const char *series)
{
	size_t n = strlen(series);

	return !strncmp(version, series, n) && (version[n] == '.' || !version[n]);
}

static const struct vh_mpi_ops *find_ops(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	for (size_t i = 0; i < vh_array_len(all_ops); i++)
		if (!strcmp(c->mpi, all_ops[i]->mpi) && in_series(c->version, all_ops[i]->series))
			return all_ops[i];
	vh_err_refuse(err, ENOTSUP, "the nodes of %s run %s %s, which this program cannot launch", c->name, c->mpi,
		      c->version);
	vh_err_hint(err, "it launches openmpi 4.1 and 5.0");
	return NULL;
}

int vh_mpi_plan_make(const struct vh_mpi_input *in, struct vh_mpi_plan *ret, struct vh_err *err)
{
	const struct vh_mpi_ops *ops = find_ops(in->cluster, err);
	vh_autoplan plan = { 0 };
	int r;

	if (!ops)
		return -ENOTSUP;
	/* Without a '/' in its own name Open MPI does not take our prefix for the nodes'. */
	if (vh_strv_push(&plan.argv, "mpirun") < 0)
		return vh_err_nomem(err);
	r = ops->plan(in, &plan, err);
	if (r < 0)
		return r;
	for (char *const *a = in->args; a && *a; a++)
		if (vh_strv_push(&plan.argv, *a) < 0)
			return vh_err_nomem(err);
	*ret = plan;
	plan = (struct vh_mpi_plan){ 0 };
	return 0;
}

void vh_mpi_plan_clear(struct vh_mpi_plan *plan)
{
	vh_strv_free(plan->argv);
	vh_strv_free(plan->env);
	vh_strv_free(plan->users);
	free(plan->hostfile);
	*plan = (struct vh_mpi_plan){ 0 };
}

static json_t *texts(char *const *v)
{
	json_t *a = json_array();

	for (; v && *v; v++)
		json_array_append_new(a, vh_json_text(*v));
	return a;
}

json_t *vh_mpi_plan_json(const struct vh_mpi_cluster *c, const struct vh_mpi_plan *plan)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct vh_mpi_node *n = &c->nodes[i];

		json_array_append_new(nodes, json_pack("{s:s, s:s, s:i}", "name", n->name, "address", n->address,
						       "slots", (int)n->slots));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:s, s:o, s:o, s:o}",
			 "cluster", c->name, "accel", c->accel, "cidr", c->cidr, "interface", c->interface,
			 "user", c->user, "ssh_config", c->ssh_config, "mpi", "name", c->mpi, "version", c->version,
			 "nodes", nodes, "hostfile", plan->hostfile, "argv", texts(plan->argv),
			 "env", texts(plan->env), "users", texts(plan->users));
}
