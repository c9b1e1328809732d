// SPDX-License-Identifier: Apache-2.0
/* A plan made of its parts, in order: where ranks go, what carries their messages, and both
 * in the launcher's words. */
#include "mpirun-wrap/launch/launch.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "mpirun-wrap/launcher/launcher.h"

/* UCX carries everything where it serves every pair, or where nothing else speaks RDMA. */
static int choose_carrier(const struct vh_mpi_input *in, struct vh_mpi_plan *plan)
{
	uint64_t ivshm;

	vh_mpi_pairs_count(in->cluster, plan);
	ivshm = plan->pairs[VH_MPI_IVSHM];
	if (!plan->pairs[VH_MPI_RDMA])
		return 0;
	plan->ucx = !plan->ops->verbs || (!ivshm && !plan->pairs[VH_MPI_TCP]);
	vh_mpi_pairs_count(in->cluster, plan);
	return plan->ucx && ivshm ? vh_mpi_note(plan, "memory shared between VMs is left unused: with %s %s UCX carries all pairs of a job that spans hosts with RDMA",
						plan->ops->shown, in->cluster->version) : 0;
}

static int make(const struct vh_mpi_input *in, struct vh_mpi_plan *plan, struct vh_err *err)
{
	int r = vh_mpi_layout_make(in, plan, err);

	if (r == 0)
		r = vh_mpi_rails_make(in, plan, err);
	if (r == 0 && choose_carrier(in, plan) < 0)
		r = vh_err_nomem(err);
	/* Without a '/' in its own name Open MPI does not take our prefix for the nodes'. */
	if (r == 0 && vh_strv_push(&plan->argv, plan->ops->program) < 0)
		r = vh_err_nomem(err);
	if (r == 0)
		r = plan->ops->settings(in, plan, err);
	for (char *const *a = in->args; r == 0 && a && *a; a++)
		if (vh_strv_push(&plan->argv, *a) < 0)
			r = vh_err_nomem(err);
	if (r == 0 && !(plan->hostfile = plan->ops->hostfile(in->cluster)))
		r = vh_err_nomem(err);
	return r;
}

int vh_mpi_plan_make(const struct vh_mpi_input *in, struct vh_mpi_plan *ret, struct vh_err *err)
{
	vh_autoplan plan = { .ops = vh_mpi_ops_find(in->cluster, err) };
	int r;

	if (!plan.ops)
		return -ENOTSUP;
	vh_mpi_args_read(in->args, plan.ops->options, &plan.args);
	r = make(in, &plan, err);
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct vh_mpi_plan){ 0 };
	return 0;
}
