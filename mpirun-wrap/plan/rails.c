// SPDX-License-Identifier: Apache-2.0
/* Which RDMA ports carry messages between hosts, and how UCX is told of them. */
#include "mpirun-wrap/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"

enum { FULL_MEMBER = 0x8000 };

static bool same_text(const char *a, const char *b)
{
	return !a || !b ? a == b : !strcmp(a, b);
}

static bool same_fabric(const struct vh_mpi_device *a, const struct vh_mpi_device *b)
{
	return a->ethernet == b->ethernet && same_text(a->fabric, b->fabric) &&
	       (a->ethernet || (a->pkey & ~FULL_MEMBER) == (b->pkey & ~FULL_MEMBER));
}

static const struct vh_mpi_device *find(const struct vh_mpi_node *n, const struct vh_mpi_device *like)
{
	for (size_t i = 0; i < n->n_devices; i++)
		if (n->devices[i].port == like->port && !strcmp(n->devices[i].name, like->name))
			return same_fabric(&n->devices[i], like) ? &n->devices[i] : NULL;
	return NULL;
}

/* Two limited members of a partition do not hear each other. */
static bool hear(const struct vh_mpi_device *a, const struct vh_mpi_device *b)
{
	return a->ethernet || !a->pkey || !b->pkey || ((a->pkey | b->pkey) & FULL_MEMBER);
}

static const struct vh_mpi_node *first_with_device(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].n_devices && vh_mpi_used(job, i))
			return &c->nodes[i];
	return NULL;
}

/* One variable names the devices of all ranks, so a port counts that every node with
 * devices has by this name, on this fabric. */
static bool everywhere(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, const struct vh_mpi_device *d)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct vh_mpi_device *other = find(&c->nodes[i], d);

		if (c->nodes[i].n_devices && vh_mpi_used(job, i) && (!other || !hear(d, other)))
			return false;
	}
	return true;
}

static bool spans_hosts(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	const struct vh_mpi_node *first = NULL;

	for (size_t i = 0; i < c->n_nodes; i++) {
		if (!vh_mpi_used(job, i))
			continue;
		if (first && first->host != c->nodes[i].host)
			return true;
		first = first ? first : &c->nodes[i];
	}
	return false;
}

int vh_mpi_rails_make(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	const struct vh_mpi_cluster *c = in->cluster;
	const struct vh_mpi_node *first = first_with_device(c, job);
	struct vh_mpi_rails *r = &job->rails;

	r->has = calloc(c->n_nodes, sizeof(*r->has));
	r->ports = calloc(first ? first->n_devices : 1, sizeof(*r->ports));
	if (!r->has || !r->ports)
		return vh_err_nomem(err);
	if (!first || !spans_hosts(c, job))
		return 0;
	/* Ports of one fabric: ranks choose among them by their own locality. */
	for (size_t i = 0; i < first->n_devices; i++)
		if (everywhere(c, job, &first->devices[i]) && (!r->n || same_fabric(r->ports[0], &first->devices[i])))
			r->ports[r->n++] = &first->devices[i];
	if (!r->n)
		return vh_mpi_note(job, "no RDMA port has one name and one fabric in all nodes that have any: TCP carries messages between hosts") < 0
			? vh_err_nomem(err) : 0;
	for (size_t i = 0; i < c->n_nodes; i++) {
		r->has[i] = c->nodes[i].n_devices && vh_mpi_used(job, i);
		r->n_has += r->has[i];
	}
	return 0;
}

char *vh_mpi_rails_names(const struct vh_mpi_rails *rails)
{
	vh_autofree char *text = strdup("");

	for (size_t i = 0; text && i < rails->n; i++) {
		char *longer = vh_strf("%s%s%s:%u", text, i ? "," : "", rails->ports[i]->name, rails->ports[i]->port);

		free(text);
		text = longer;
	}
	return vh_steal(&text);
}

static bool by_tcp(const struct vh_mpi_job *job)
{
	return job->pairs[VH_MPI_TCP] > 0 || !job->rails.n;
}

char *vh_mpi_ucx_devices(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	vh_autofree char *names = vh_mpi_rails_names(&job->rails);
	const bool tcp = by_tcp(job);

	return names ? vh_strf("%s%s%s", names, *names && tcp ? "," : "", tcp ? c->interface : "") : NULL;
}

char *vh_mpi_ucx_tls(const struct vh_mpi_job *job)
{
	return vh_strf("self,sm%s%s", job->rails.n ? ",ib" : "", by_tcp(job) ? ",tcp" : "");
}
