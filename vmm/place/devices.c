// SPDX-License-Identifier: Apache-2.0
#include "vmm/place/devices.h"

#include <errno.h>
#include <string.h>

#include "vmm/host/host.h"
#include "vmm/want/want.h"

enum { UNKNOWN = 255 };

struct choosing {
	const struct vh_left *left;
	const struct vh_want *want;
	const unsigned *nodes;
	size_t n;
	struct vh_plan *plan;
};

bool vh_device_is(const struct vh_host_device *d, enum vh_device_kind kind, const struct vh_want_devices *w)
{
	return d->kind == kind && w->vf == (d->pf[0] != 0);
}

static unsigned distance(const struct choosing *c, const struct vh_host_device *d)
{
	const struct vh_host *host = c->left->host;
	unsigned best = UNKNOWN;

	for (size_t i = 0; d->node >= 0 && i < c->n; i++) {
		unsigned here = vh_host_distance(host, c->nodes[i], (unsigned)d->node);

		best = here < best ? here : best;
	}
	return best;
}

static bool has_node(const struct choosing *c, const struct vh_host_device *d, bool package)
{
	const struct vh_host_node *nodes = c->left->host->nodes;

	for (size_t i = 0; d->node >= 0 && i < c->n; i++)
		if (c->nodes[i] == (unsigned)d->node ||
		    (package && nodes[c->nodes[i]].package == nodes[d->node].package))
			return true;
	return false;
}

static bool is_chosen(const struct vh_plan *plan, size_t device)
{
	for (size_t i = 0; i < plan->n_devices; i++)
		if (plan->devices[i] == device)
			return true;
	return false;
}

/* Its cost to these nodes; -1: is not of the kind, not free or not near as it must be. */
static int device_cost(const struct choosing *c, enum vh_device_kind kind, size_t i)
{
	const struct vh_want_devices *w = &c->want->devices[kind];
	const struct vh_host_device *d = &c->left->host->devices[i];

	if (!c->left->device[i] || !vh_device_is(d, kind, w) || is_chosen(c->plan, i))
		return -1;
	if ((w->affinity == VH_AFFINITY_REQUIRED && !has_node(c, d, false)) ||
	    (w->affinity == VH_AFFINITY_LEGACY && d->node >= 0 && !has_node(c, d, false)) ||
	    (w->affinity == VH_AFFINITY_SOCKET && !has_node(c, d, true)))
		return -1;
	return w->affinity == VH_AFFINITY_NONE ? 0 : (int)distance(c, d);
}

/* The cheapest of a kind, on that switch unless NULL; the first of equals. */
static int cheapest(const struct choosing *c, enum vh_device_kind kind, const char *sw, size_t *ret)
{
	int best = -1;

	for (size_t i = 0; i < c->left->host->n_devices; i++) {
		int here = sw && strcmp(c->left->host->devices[i].sw, sw) ? -1 : device_cost(c, kind, i);

		if (here >= 0 && (best < 0 || here < best)) {
			best = here;
			*ret = i;
		}
	}
	return best;
}

static void choose_device(const struct choosing *c, size_t device)
{
	c->plan->devices[c->plan->n_devices++] = (unsigned)device;
}

/* Switch by switch, the cheapest first: another pair instead would not make the rest cheaper. */
static int choose_pair(const struct choosing *c)
{
	const struct vh_host *host = c->left->host;
	size_t gpu = 0, hca = 0, best_gpu = 0, best_hca = 0;
	int best = -1;

	for (size_t i = 0; i < host->n_devices; i++) {
		const char *sw = host->devices[i].sw;
		int a, b;

		if (!sw[0] || device_cost(c, VH_DEVICE_GPU, i) < 0)
			continue;
		a = cheapest(c, VH_DEVICE_GPU, sw, &gpu);
		b = cheapest(c, VH_DEVICE_HCA, sw, &hca);
		if (a >= 0 && b >= 0 && (best < 0 || a + b < best)) {
			best = a + b;
			best_gpu = gpu;
			best_hca = hca;
		}
	}
	if (best >= 0) {
		choose_device(c, best_gpu);
		choose_device(c, best_hca);
	}
	return best;
}

static int by_index(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

int64_t vh_choose_devices(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes,
			  size_t n, struct vh_plan *plan)
{
	const struct choosing c = { left, want, nodes, n, plan };
	int64_t sum = 0;
	int here;

	plan->n_devices = 0;
	for (unsigned i = 0; i < want->pairs; i++, sum += here) {
		here = choose_pair(&c);
		if (here < 0)
			return -ENODEV;
	}
	for (int k = 0; k < VH_DEVICE_KINDS; k++) {
		bool paired = k == VH_DEVICE_GPU || k == VH_DEVICE_HCA;

		for (unsigned i = paired ? want->pairs : 0; i < want->devices[k].count; i++, sum += here) {
			size_t device = 0;

			here = cheapest(&c, (enum vh_device_kind)k, NULL, &device);
			if (here < 0)
				return -ENODEV;
			choose_device(&c, device);
		}
	}
	if (plan->n_devices)
		qsort(plan->devices, plan->n_devices, sizeof(*plan->devices), by_index);
	return sum;
}
