// SPDX-License-Identifier: Apache-2.0
/* Many hosts: a tree of what they have. */
#include <errno.h>

#include "vmm/host/host.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

enum { SMALL, PAGES_2M, PAGES_1G, SIZES };
enum {
	CPUS_NODE, CPUS_ALL, FLOATS, MEMORY_NODE, MEMORY_ALL = MEMORY_NODE + SIZES, DEVICES = MEMORY_ALL + SIZES,
	SUMS = DEVICES + 2 * VH_DEVICE_KINDS,
};

/* What one host has, or the most that any of several has; or what is wanted at least. */
struct sums { uint64_t v[SUMS]; };

struct vh_fleet {
	size_t n, leaves;
	struct vh_left *left;
	const char **names;
	struct sums *tree;	/* node i is above 2i and 2i + 1; host h is leaves + h */
};

struct looking {
	const struct vh_fleet *f;
	const struct vh_want *want;
	size_t most_nodes, host;
	struct sums need;
	struct vh_plan *plan;
	int r;
};

static const uint64_t sizes[SIZES] = { VH_PAGE_SMALL, 2 << 20, 1 << 30 };

struct vh_fleet *vh_fleet_new(size_t hosts)
{
	struct vh_fleet *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	for (f->leaves = 1; f->leaves < hosts;)
		f->leaves *= 2;
	f->n = hosts;
	f->left = calloc(hosts + 1, sizeof(*f->left));
	f->names = calloc(hosts + 1, sizeof(*f->names));
	f->tree = calloc(2 * f->leaves, sizeof(*f->tree));
	if (!f->left || !f->names || !f->tree) {
		vh_fleet_free(f);
		return NULL;
	}
	return f;
}

void vh_fleet_free(struct vh_fleet *f)
{
	if (!f)
		return;
	for (size_t i = 0; f->left && i < f->n; i++)
		vh_left_clear(&f->left[i]);
	free(f->left);
	free(f->names);
	free(f->tree);
	free(f);
}

static void raise_to(uint64_t *v, uint64_t to)
{
	if (*v < to)
		*v = to;
}

static void add_node(struct sums *s, const struct vh_left *left, size_t node)
{
	for (int p = 0; p < SIZES; p++) {
		uint64_t bytes = vh_left_bytes(left, sizes[p], node);

		raise_to(&s->v[MEMORY_NODE + p], bytes);
		s->v[MEMORY_ALL + p] += bytes;
	}
}

static void add_cpus(struct sums *s, const struct vh_left *left)
{
	const struct vh_host *host = left->host;
	uint64_t here[16] = { 0 };

	for (size_t i = 0; i < host->n_cpus; i++) {
		s->v[CPUS_ALL] += left->cpu[i];
		s->v[FLOATS] += left->floats[i];
		/* Past sixteen nodes they are counted together: more than there are, never fewer. */
		here[host->cpus[i].node % 16] += left->cpu[i];
	}
	for (int i = 0; i < 16; i++)
		raise_to(&s->v[CPUS_NODE], here[i]);
}

static void summarise(struct vh_fleet *f, size_t h)
{
	const struct vh_left *left = &f->left[h];
	struct sums s = { 0 };

	add_cpus(&s, left);
	for (size_t i = 0; i < left->host->n_nodes; i++)
		add_node(&s, left, i);
	for (size_t i = 0; i < left->host->n_devices; i++)
		s.v[DEVICES + 2 * left->host->devices[i].kind + (left->host->devices[i].pf[0] != 0)] +=
			left->device[i];
	f->tree[f->leaves + h] = s;
	for (size_t i = (f->leaves + h) / 2; i > 0; i /= 2)
		for (int k = 0; k < SUMS; k++) {
			uint64_t a = f->tree[2 * i].v[k], b = f->tree[2 * i + 1].v[k];

			f->tree[i].v[k] = a > b ? a : b;
		}
}

int vh_fleet_set(struct vh_fleet *f, size_t i, const char *name, const struct vh_host *host, const struct vh_taken *taken)
{
	if (vh_left_init(&f->left[i], host, taken) < 0)
		return -ENOMEM;
	f->names[i] = name;
	summarise(f, i);
	return 0;
}

void vh_fleet_adopt(struct vh_fleet *f, size_t i, const char *name, struct vh_left *left)
{
	f->names[i] = name;
	f->left[i] = *left;
	*left = (struct vh_left){ 0 };
	summarise(f, i);
}

size_t vh_fleet_len(const struct vh_fleet *f)
{
	return f->n;
}

const char *vh_fleet_name(const struct vh_fleet *f, size_t i)
{
	return f->names[i];
}

const struct vh_left *vh_fleet_left(const struct vh_fleet *f, size_t i)
{
	return &f->left[i];
}

static struct sums need(const struct vh_want *want, bool one_node)
{
	struct sums s = { 0 };
	uint64_t cpus = want->policy == VH_WANT_DEDICATED ? want->vcpus : want->dedicated;

	if (want->policy != VH_WANT_SHARED)
		s.v[one_node ? CPUS_NODE : CPUS_ALL] = cpus + want->emulator;
	if (want->policy != VH_WANT_DEDICATED)
		s.v[FLOATS] = 1;
	for (int p = 0; p < SIZES; p++)
		if (want->page == sizes[p])
			s.v[(one_node ? MEMORY_NODE : MEMORY_ALL) + p] = want->memory;
	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		s.v[DEVICES + 2 * k + want->devices[k].vf] += want->devices[k].count;
	return s;
}

static bool could(const struct looking *l, size_t node)
{
	for (int k = 0; k < SUMS; k++)
		if (l->f->tree[node].v[k] < l->need.v[k])
			return false;
	return true;
}

static void try_host(struct looking *l, size_t h)
{
	struct vh_plan *plan = NULL;

	if (h >= l->f->n || !l->f->left[h].host)
		return;
	l->r = vh_solve(&l->f->left[h], l->want, l->most_nodes, &plan);
	if (!plan)
		return;
	vh_plan_free(l->plan);
	l->plan = plan;
	l->host = h;
}

/* Packed, the first ends it; spread, whatever has no more CPUs than the best so far is cut. */
static bool pointless(const struct looking *l, size_t node)
{
	uint64_t best = l->plan ? l->f->tree[l->f->leaves + l->host].v[CPUS_ALL] : 0;

	return l->r < 0 || !could(l, node) ||
	       (l->plan && (!l->want->spread || l->f->tree[node].v[CPUS_ALL] <= best));
}

static void search_below(struct looking *l, size_t node)
{
	const struct sums *t = l->f->tree;
	size_t first = 2 * node;

	if (pointless(l, node))
		return;
	if (node >= l->f->leaves) {
		try_host(l, node - l->f->leaves);
		return;
	}
	if (l->want->spread && t[first].v[CPUS_ALL] < t[first + 1].v[CPUS_ALL])
		first++;
	search_below(l, first);
	search_below(l, first ^ 1);
}

/* The best host on which the VM needs at most so many nodes (0: any number). */
static void look_for(struct looking *l, size_t most_nodes)
{
	l->most_nodes = most_nodes;
	l->need = need(l->want, most_nodes == 1);
	search_below(l, 1);
}

/* The same want with all its devices on its nodes; false: they are, or are nowhere. */
static bool with_near_devices(const struct vh_want *want, struct vh_want *ret)
{
	bool other = false;

	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		other |= want->devices[k].count && want->devices[k].affinity == VH_AFFINITY_PREFERRED;
	if (!other)
		return false;
	*ret = *want;
	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		if (ret->devices[k].affinity == VH_AFFINITY_PREFERRED)
			ret->devices[k].affinity = VH_AFFINITY_REQUIRED;
	return true;
}

/* One node, if possible with the devices on it; else any number, and then fewer, until no
 * host can do with fewer. */
int vh_fleet_place(struct vh_fleet *f, const struct vh_want *want, size_t *ret_host, struct vh_plan **ret)
{
	struct looking l = { .f = f, .want = want };
	vh_autoplan plan = NULL;
	struct vh_want near;
	size_t host = 0;

	*ret = NULL;
	if (want->n_cells < 2 && with_near_devices(want, &near)) {
		l.want = &near;
		look_for(&l, 1);
		l.want = want;
	}
	if (l.r == 0 && !l.plan && want->n_cells < 2)
		look_for(&l, 1);
	if (l.r == 0 && !l.plan)
		look_for(&l, 0);
	while (l.r == 0 && l.plan) {
		int64_t nodes = l.plan->score[VH_SCORE_NODES];

		vh_plan_free(plan);
		plan = vh_steal(&l.plan);
		host = l.host;
		if (nodes <= 2 || want->n_cells)
			break;
		look_for(&l, (size_t)nodes - 1);
	}
	vh_plan_free(l.plan);
	if (l.r < 0)
		return l.r;
	if (plan) {
		vh_fleet_take(f, host, plan);
		*ret_host = host;
		*ret = vh_steal(&plan);
	}
	return 0;
}

void vh_fleet_take(struct vh_fleet *f, size_t host, const struct vh_plan *plan)
{
	vh_left_take(&f->left[host], plan);
	summarise(f, host);
}

void vh_fleet_remove(struct vh_fleet *f, size_t host, const struct vh_plan *plan)
{
	vh_left_give(&f->left[host], plan);
	summarise(f, host);
}
