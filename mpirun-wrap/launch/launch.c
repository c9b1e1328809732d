// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/launch/launch.h"

#include <errno.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "mpirun-wrap/launch/remote.h"

/* The lists at the places where the plan has them. */
static int put_lists(const struct vh_mpi_job *job, struct vh_wire_job *wire)
{
	int r = vh_wire_job_file(wire, job->hostfile, strlen(job->hostfile));

	return r < 0 || !job->rankfile ? r : vh_wire_job_file(wire, job->rankfile, strlen(job->rankfile));
}

static int copy(char *const *from, char ***to)
{
	int r = 0;

	for (; r == 0 && from && *from; from++)
		r = vh_strv_push(to, *from);
	return r;
}

int vh_mpi_wire(const struct vh_mpi_job *job, char *const *args, char *const *env, const char *directory,
		struct vh_wire_job *ret, struct vh_err *err)
{
	vh_cleanup(vh_wire_job_clear) struct vh_wire_job wire = { .directory = directory ? strdup(directory) : NULL };
	const size_t ours = vh_strv_len(job->argv) - vh_strv_len(args);
	int r = directory && !wire.directory ? -ENOMEM : copy(job->argv, &wire.argv);

	if (r == 0)
		r = vh_mpi_env_along(args, env, &wire.env);
	if (r == 0)
		r = copy(job->env, &wire.env);
	if (r == 0)
		r = put_lists(job, &wire);
	if (r >= 0)
		r = vh_mpi_files_along(job->ops, wire.argv + ours, &wire);
	if (r == -ENOSPC)
		return vh_err_usage(err, "options name more files than %d", VH_WIRE_FILES - 2);
	if (r < 0)
		return vh_err_nomem(err);
	*ret = wire;
	wire = (struct vh_wire_job){ 0 };
	return 0;
}

static int launch_here(const struct vh_mpi_job *job, struct vh_err *err)
{
	vh_cleanup(vh_wire_job_clear) struct vh_wire_job lists = { 0 };
	int r = put_lists(job, &lists);

	if (r >= 0)
		r = vh_wire_job_open(&lists);
	if (r < 0)
		return vh_err_set(err, -r, "host list: %s", strerror(-r));
	for (char *const *e = job->env; e && *e; e++) {
		vh_autofree char *name = strndup(*e, strcspn(*e, "="));

		if (!name || setenv(name, *e + strlen(name) + 1, 1) < 0)
			return vh_err_nomem(err);
	}
	return vh_spawn_exec(job->argv, err);
}

int vh_mpi_launch(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, char *const *args, const char *directory,
		  bool inside, struct vh_err *err)
{
	vh_cleanup(vh_wire_job_clear) struct vh_wire_job wire = { 0 };
	vh_autostrv ssh = NULL;
	int r;

	if (inside)
		return launch_here(job, err);
	r = vh_mpi_wire(job, args, environ, directory, &wire, err);
	if (r == 0)
		r = vh_mpi_ssh(c, &c->nodes[0], &ssh, err);
	if (r == 0 && vh_strv_push(&ssh, VH_MPI_HEAD) < 0)
		r = vh_err_nomem(err);
	return r < 0 ? r : vh_mpi_remote(ssh, c->nodes[0].name, &wire, err);
}
