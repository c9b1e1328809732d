// SPDX-License-Identifier: Apache-2.0
/* A plan made of its parts, in order: where ranks go, what carries their messages, and both
 * in the launcher's words. */
#include "mpirun-wrap/launch/launch.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "mpirun-wrap/launcher/launcher.h"

/* UCX carries everything where it serves every pair, or where nothing else speaks RDMA. */
static int choose_carrier(const struct vh_mpi_input *in, struct vh_mpi_job *job)
{
	uint64_t ivshm;

	vh_mpi_pairs_count(in->cluster, job);
	ivshm = job->pairs[VH_MPI_IVSHM];
	if (!job->pairs[VH_MPI_RDMA])
		return 0;
	job->ucx = !job->ops->verbs || (!ivshm && !job->pairs[VH_MPI_TCP]);
	vh_mpi_pairs_count(in->cluster, job);
	return job->ucx && ivshm ? vh_mpi_note(job, "memory shared between VMs is left unused: with %s %s UCX carries all pairs of a job that spans hosts with RDMA",
						job->ops->shown, in->cluster->version) : 0;
}

static int make(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	int r = vh_mpi_ranks_make(in, job, err);

	if (r == 0)
		r = vh_mpi_rails_make(in, job, err);
	if (r == 0 && choose_carrier(in, job) < 0)
		r = vh_err_nomem(err);
	/* Without a '/' in its own name Open MPI does not take our prefix for the nodes'. */
	if (r == 0 && vh_strv_push(&job->argv, job->ops->program) < 0)
		r = vh_err_nomem(err);
	if (r == 0)
		r = job->ops->settings(in, job, err);
	for (char *const *a = in->args; r == 0 && a && *a; a++)
		if (vh_strv_push(&job->argv, *a) < 0)
			r = vh_err_nomem(err);
	if (r == 0 && !(job->hostfile = vh_mpi_hostfile(job->ops, in->cluster)))
		r = vh_err_nomem(err);
	return r;
}

int vh_mpi_job_make(const struct vh_mpi_input *in, struct vh_mpi_job *ret, struct vh_err *err)
{
	vh_autojob job = { .ops = vh_mpi_ops_find(in->cluster, err) };
	int r;

	if (!job.ops)
		return -ENOTSUP;
	vh_mpi_args_read(in->args, job.ops->options, &job.args);
	r = make(in, &job, err);
	if (r < 0)
		return r;
	*ret = job;
	job = (struct vh_mpi_job){ 0 };
	return 0;
}
