// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"

/* CPUs of a node that share a cache; or a cell, or the node, where a rank wants more CPUs
 * than a cache has. */
struct domain { unsigned first, n, cell, ranks; bool near; };

/* A program with threads says so by OMP_NUM_THREADS: they get a CPU each, as far as the
 * smallest node has them. */
static unsigned threads(const struct vh_mpi_input *in)
{
	const char *text = vh_env_get(in->env, "OMP_NUM_THREADS");
	unsigned long n = text ? strtoul(text, NULL, 10) : 1;

	for (size_t i = 0; i < in->cluster->n_nodes; i++)
		n = n > in->cluster->nodes[i].slots ? in->cluster->nodes[i].slots : n;
	return n ? (unsigned)n : 1;
}

/* Whether the user has said where ranks go, and with what word. */
static bool placed_by_user(const struct vh_mpi_input *in, const struct vh_mpi_job *job, const char **word, const char **value)
{
	*word = job->args.placement;
	*value = job->args.placement_value ? job->args.placement_value : "";
	if (*word)
		return true;
	for (const char *const *v = job->ops->placement_variables; *v; v++)
		if ((*value = vh_env_get(in->env, *v))) {
			*word = *v;
			return true;
		}
	return false;
}

/* The plan stays out of it: 1, or 0 when it is the plan's to decide. */
static int left_alone(const struct vh_mpi_input *in, struct vh_mpi_job *job, uint64_t fit)
{
	static const char why[] = "where ranks go, and what they are bound to, is mpirun's then";
	const char *word, *value, *because = NULL;
	int r;

	if (job->args.contexts)
		because = "several programs";
	else if (job->args.oversubscribe)
		because = "oversubscribed";
	else if (job->args.ranks > fit)
		because = "more ranks than slots";
	if (placed_by_user(in, job, &word, &value))
		r = vh_mpi_setting_users(job, word, value, NULL, why);
	else if (because)
		r = vh_mpi_setting_add(job, "placement", strdup(because), why);
	else
		return 0;
	return r < 0 ? r : 1;
}

static bool near_device(const struct vh_mpi_node *n, unsigned cell)
{
	for (size_t i = 0; i < n->n_devices; i++)
		if (n->devices[i].cell == (int)cell)
			return true;
	return false;
}

/* level 0: by cache, 1: by cell, 2: the whole node */
static size_t find_domains(const struct vh_mpi_node *n, int level, struct domain *d)
{
	size_t count = 0;

	for (unsigned i = 0; i < n->n_cpus; i++) {
		const struct vh_mpi_cpu *cpu = &n->cpus[i], *before = i ? cpu - 1 : NULL;

		if (!before || (level < 2 && cpu->cell != before->cell) || (level < 1 && cpu->cache != before->cache))
			d[count++] = (struct domain){ .first = i, .cell = cpu->cell, .near = near_device(n, cpu->cell) };
		d[count - 1].n++;
	}
	return count;
}

static unsigned room(const struct domain *d, size_t n, unsigned per)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += d[i].n / per;
	return sum;
}

/* One rank at a time to the emptiest domain, of equal ones to one near a device: memory
 * bandwidth and caches are shared by as few as may be. */
static void share_out(struct domain *d, size_t n, unsigned ranks, unsigned per)
{
	for (; ranks > 0; ranks--) {
		struct domain *best = NULL;

		for (size_t i = 0; i < n; i++)
			if (d[i].ranks < d[i].n / per &&
			    (!best || d[i].ranks < best->ranks || (d[i].ranks == best->ranks && d[i].near && !best->near)))
				best = &d[i];
		best->ranks++;
	}
}

/* Neighbours in rank share a cache: a domain's ranks follow each other. */
static void place_inside(const struct vh_mpi_node *node, unsigned ranks, unsigned per, struct domain *d, unsigned *cpus)
{
	size_t n = 0;

	for (int level = 0; level < 3; level++) {
		n = find_domains(node, level, d);
		if (room(d, n, per) >= ranks)
			break;
	}
	share_out(d, n, ranks, per);
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < d[i].ranks * per; k++)
			*cpus++ = node->cpus[d[i].first + k].id;
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int list_cpus(const struct vh_mpi_cluster *c, struct vh_mpi_ranks *ranks, struct vh_err *err)
{
	vh_autofree struct domain *d = calloc(VH_MPI_MAX_SLOTS, sizeof(*d));
	unsigned *at;

	ranks->cpus = calloc(ranks->n * ranks->cpus_a_rank + 1, sizeof(*ranks->cpus));
	if (!d || !ranks->cpus)
		return vh_err_nomem(err);
	at = ranks->cpus;
	for (size_t i = 0; i < c->n_nodes; at += (size_t)ranks->count[i] * ranks->cpus_a_rank, i++) {
		if (c->nodes[i].cpus)
			place_inside(&c->nodes[i], ranks->count[i], ranks->cpus_a_rank, d, at);
		else
			for (unsigned k = 0; k < ranks->count[i] * ranks->cpus_a_rank; k++)
				at[k] = k;
	}
	for (uint64_t rank = 0; rank < ranks->n; rank++)
		qsort(&ranks->cpus[rank * ranks->cpus_a_rank], ranks->cpus_a_rank, sizeof(*ranks->cpus), by_number);
	return 0;
}

/* More than one cell or cache inside a node that has ranks. */
static bool structured(const struct vh_mpi_cluster *c, const struct vh_mpi_ranks *ranks)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct vh_mpi_node *n = &c->nodes[i];

		if (n->cpus && ranks->count[i] && n->cpus[0].cache != n->cpus[n->n_cpus - 1].cache)
			return true;
	}
	return false;
}

/* Blocks: neighbours in rank are on one node. */
static void fill_nodes(const struct vh_mpi_cluster *c, struct vh_mpi_ranks *ranks)
{
	uint64_t left = ranks->n;

	for (size_t i = 0; i < c->n_nodes; i++) {
		uint64_t fit = c->nodes[i].slots / ranks->cpus_a_rank;

		ranks->count[i] = (unsigned)(left < fit ? left : fit);
		left -= ranks->count[i];
	}
}

int vh_mpi_ranks_make(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err)
{
	const struct vh_mpi_cluster *c = in->cluster;
	struct vh_mpi_ranks *ranks = &job->ranks;
	uint64_t fit = 0;
	int r;

	ranks->cpus_a_rank = threads(in);
	for (size_t i = 0; i < c->n_nodes; i++)
		fit += c->nodes[i].slots / ranks->cpus_a_rank;
	ranks->n = job->args.contexts ? 0 : job->args.ranks;
	r = left_alone(in, job, fit);
	if (r)
		return r < 0 ? vh_err_nomem(err) : 0;
	ranks->n = ranks->n ? ranks->n : fit;
	ranks->ours = ranks->bound = true;
	ranks->count = calloc(c->n_nodes, sizeof(*ranks->count));
	if (!ranks->count)
		return vh_err_nomem(err);
	fill_nodes(c, ranks);
	/* Not slot:PE=N for threads: with it 4.1.4's daemons die on nodes of one cache. */
	ranks->listed = ranks->cpus_a_rank > 1 || structured(c, ranks);
	return ranks->listed ? list_cpus(c, ranks, err) : 0;
}

char *vh_mpi_rankfile(const struct vh_mpi_cluster *c, const struct vh_mpi_ranks *ranks)
{
	vh_autofree char *text = NULL;
	uint64_t rank = 0;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < c->n_nodes; i++)
		for (unsigned k = 0; k < ranks->count[i]; k++, rank++) {
			const unsigned *cpus = vh_mpi_rank_cpus(ranks, rank);

			fprintf(f, "rank %llu=%s slot=%u", (unsigned long long)rank, c->nodes[i].name, cpus[0]);
			for (unsigned p = 1; p < ranks->cpus_a_rank; p++)
				fprintf(f, ",%u", cpus[p]);
			fputc('\n', f);
		}
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}
