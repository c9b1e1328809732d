// SPDX-License-Identifier: Apache-2.0
/* What can carry messages between ranks: a row each, the first that can carries a pair. */
#include "mpirun-wrap/plan/plan.h"

#include <string.h>

/* --- in one VM: its memory */

static bool sm_carries(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b)
{
	(void)c;
	(void)job;
	return a == b;
}

static bool sm_beside(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	(void)c;
	return job->pairs[VH_MPI_SM] > 0;
}

static bool sm_joins(const struct vh_mpi_cluster *c, const struct vh_mpi_node *a, const struct vh_mpi_node *b)
{
	(void)c;
	return a == b && a->slots > 1;
}

/* --- between VMs of one host: the memory that they share */

static bool ivshm_beside(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	return c->region && job->ops->names[VH_MPI_IVSHM] && !job->ucx;
}

static bool ivshm_carries(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b)
{
	return c->nodes[a].host == c->nodes[b].host && ivshm_beside(c, job);
}

static bool ivshm_joins(const struct vh_mpi_cluster *c, const struct vh_mpi_node *a, const struct vh_mpi_node *b)
{
	return a != b && c->region && a->host == b->host;
}

/* --- RDMA */

static bool rdma_carries(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b)
{
	(void)c;
	return job->rails.n && job->rails.has[a] && job->rails.has[b];
}

static bool rdma_beside(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	(void)c;
	return job->rails.n && job->ops->verbs && !job->ucx;
}

/* As the record has it: the first port of both. */
static bool rdma_joins(const struct vh_mpi_cluster *c, const struct vh_mpi_node *a, const struct vh_mpi_node *b)
{
	(void)c;
	return a != b && a->n_devices && b->n_devices && !strcmp(a->devices[0].name, b->devices[0].name) &&
	       a->devices[0].port == b->devices[0].port;
}

static bool ucx_used(const struct vh_mpi_job *job)
{
	return job->ucx;
}

static const char *const ucx_packages[] = { "libucx0", NULL };
static const struct vh_mpi_library ucx = { "UCX", ucx_packages, ucx_used };

/* --- TCP */

static bool tcp_carries(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b)
{
	(void)c;
	(void)job;
	(void)a;
	(void)b;
	return true;
}

static bool tcp_beside(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	(void)c;
	(void)job;
	return true;
}

static bool tcp_joins(const struct vh_mpi_cluster *c, const struct vh_mpi_node *a, const struct vh_mpi_node *b)
{
	(void)c;
	return a != b;
}

const struct vh_mpi_transport_row vh_mpi_transports[VH_MPI_TRANSPORTS] = {
	[VH_MPI_SM] = { "sm", "in one VM", sm_carries, sm_beside, sm_joins, NULL },
	[VH_MPI_IVSHM] = { "ivshm", "VMs of one host", ivshm_carries, ivshm_beside, ivshm_joins, NULL },
	[VH_MPI_RDMA] = { "rdma", "nodes with RDMA", rdma_carries, rdma_beside, rdma_joins, &ucx },
	[VH_MPI_TCP] = { "tcp", "others", tcp_carries, tcp_beside, tcp_joins, NULL },
};

enum vh_mpi_transport vh_mpi_between(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b)
{
	enum vh_mpi_transport t = 0;

	while (!vh_mpi_transports[t].carries(c, job, a, b))	/* the last carries all */
		t++;
	return t;
}

/* Of ranks; where they are not known, of nodes, and one for each node with itself. */
void vh_mpi_pairs_count(const struct vh_mpi_cluster *c, struct vh_mpi_job *job)
{
	const unsigned *count = job->ranks.count;

	memset(job->pairs, 0, sizeof(job->pairs));
	for (size_t a = 0; a < c->n_nodes; a++) {
		if (!vh_mpi_used(job, a))
			continue;
		job->pairs[VH_MPI_SM] += count ? (uint64_t)count[a] * (count[a] - 1) / 2 : 1;
		for (size_t b = a + 1; b < c->n_nodes; b++)
			if (vh_mpi_used(job, b))
				job->pairs[vh_mpi_between(c, job, a, b)] += count ? (uint64_t)count[a] * count[b] : 1;
	}
}
