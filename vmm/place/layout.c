// SPDX-License-Identifier: Apache-2.0
/* A plan, which speaks of a host by index, as a layout; and the processor that the guest is
 * to see: sockets, dies, cores and threads as the vCPUs' own CPUs have them. */
#include <errno.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) {
		unsigned rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* What guests call a socket: the package of the vCPU's CPU, or of its node. */
static unsigned package_of(const struct vh_host *host, const struct vh_plan *p, unsigned v)
{
	return p->cpu[v] >= 0 ? host->cpus[p->cpu[v]].package : host->nodes[p->cells[p->cell[v]].node].package;
}

/* Sockets are of one size: the largest of which every package's run of vCPUs is a multiple. */
static unsigned socket_size(const struct vh_host *host, const struct vh_plan *p)
{
	unsigned size = 0, run = 1;

	for (unsigned v = 1; v <= p->vcpus; v++, run++)
		if (v == p->vcpus || package_of(host, p, v) != package_of(host, p, v - 1)) {
			size = gcd(size, run);
			run = 0;
		}
	return size;
}

/* Whether each socket lies in one guest node, or holds whole ones. */
static bool is_nested(const struct vh_plan *p, unsigned size)
{
	for (unsigned first = 0; first < p->vcpus; first += size)
		for (unsigned v = first + 1; v < first + size; v++)
			if (p->cell[v] != p->cell[first])
				for (unsigned o = 0; o < p->vcpus; o++)
					if ((o < first || o >= first + size) &&
					    (p->cell[o] == p->cell[first] || p->cell[o] == p->cell[v]))
						return false;
	return true;
}

static unsigned cell_size(const struct vh_plan *p, unsigned size)
{
	unsigned run = 1;

	for (unsigned v = 1; v <= p->vcpus; v++, run++)
		if (v == p->vcpus || p->cell[v] != p->cell[v - 1]) {
			size = gcd(size, run);
			run = 0;
		}
	return size;
}

static bool same_core(const struct vh_host *host, const struct vh_plan *p, unsigned a, unsigned b)
{
	return p->cpu[a] >= 0 && p->cpu[b] >= 0 && p->cell[a] == p->cell[b] &&
	       host->cpus[p->cpu[a]].core == host->cpus[p->cpu[b]].core;
}

/* Threads of a core: all cores have as many of them, one after another, or it is one. */
static unsigned thread_count(const struct vh_host *host, const struct vh_plan *p)
{
	unsigned threads = 0, run = 1;

	for (unsigned v = 1; v <= p->vcpus; v++, run++)
		if (v == p->vcpus || !same_core(host, p, v, v - 1)) {
			if (threads && run != threads)
				return 1;
			threads = run;
			run = 0;
		}
	return threads;
}

/* Dies of a socket: each socket has as many, of one size, or it is one. */
static unsigned die_count(const struct vh_host *host, const struct vh_plan *p, unsigned size)
{
	unsigned of_one = 0, run = 1;

	for (unsigned v = 0; v < p->vcpus; v++)
		if (p->cpu[v] < 0)
			return 1;
	for (unsigned v = 1; v <= p->vcpus; v++, run++)
		if (v % size == 0 || host->cpus[p->cpu[v]].die != host->cpus[p->cpu[v - 1]].die) {
			if (of_one && run != of_one)
				return 1;
			of_one = run;
			run = 0;
		}
	return size / of_one;
}

static void fill_processor(const struct vh_host *host, const struct vh_plan *p, struct vh_layout *l)
{
	unsigned size = socket_size(host, p), dies;

	if (!is_nested(p, size))
		size = cell_size(p, size);
	dies = die_count(host, p, size);
	l->threads = thread_count(host, p);
	if (size / dies % l->threads)
		l->threads = 1;
	l->dies = dies;
	l->sockets = p->vcpus / size;
	l->cores = size / dies / l->threads;
}

/* The guest node that a device is shown on: the nearest. */
static int nearest_cell(const struct vh_host *host, const struct vh_plan *p, int node)
{
	int best = -1;

	for (size_t i = 0; node >= 0 && i < p->n_cells; i++)
		if (best < 0 || vh_host_distance(host, (size_t)node, p->cells[i].node) <
				vh_host_distance(host, (size_t)node, p->cells[best].node))
			best = (int)i;
	return best;
}

static void fill_device(const struct vh_host *host, const struct vh_plan *p, size_t i, struct vh_layout_device *out)
{
	const struct vh_host_device *d = &host->devices[p->devices[i]];

	*out = (struct vh_layout_device){
		.kind = d->kind, .bars = d->bars, .cell = nearest_cell(host, p, d->node),
		.node = d->node < 0 ? -1 : (int)host->nodes[d->node].id,
	};
	memcpy(out->address, d->address, sizeof(out->address));
	memcpy(out->pf, d->pf, sizeof(out->pf));
	memcpy(out->name, d->name, sizeof(out->name));
	memcpy(out->sw, d->sw, sizeof(out->sw));
}

static void fill_cells(const struct vh_host *host, const struct vh_plan *p, struct vh_layout *l)
{
	l->n_cells = p->n_cells;
	for (size_t i = 0; i < p->n_cells; i++) {
		l->cells[i] = (struct vh_layout_cell){ host->nodes[p->cells[i].node].id, p->cells[i].memory };
		for (size_t k = 0; k < p->n_cells; k++) {
			unsigned d = vh_host_distance(host, p->cells[i].node, p->cells[k].node);

			/* 10 is a node's own, and 255 "not at all", which no guest need hear. */
			l->distances[i * l->n_cells + k] = i == k ? 10 : d < 11 ? 11 : d > 254 ? 254 : d;
		}
	}
}

static void kernel_ids(const struct vh_host *host, const unsigned *cpus, size_t n, unsigned *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = host->cpus[cpus[i]].id;
	vh_sort_unsigned(out, n);
}

int vh_plan_layout(const struct vh_host *host, const struct vh_plan *p, struct vh_layout *ret)
{
	struct vh_layout l = {
		.page = p->page, .vcpus = p->vcpus, .n_floating = p->n_floating, .n_held = p->n_held,
		.n_devices = p->n_devices, .iothreads = p->iothreads,
		.emulator = p->emulator < 0 ? -1 : (int)host->cpus[p->emulator].id,
		.cpu = calloc(p->vcpus, sizeof(*l.cpu)), .cell = calloc(p->vcpus, sizeof(*l.cell)),
		.floating = calloc(p->n_floating + 1, sizeof(*l.floating)),
		.held = calloc(p->n_held + 1, sizeof(*l.held)),
		.devices = calloc(p->n_devices + 1, sizeof(*l.devices)),
	};

	if (!l.cpu || !l.cell || !l.floating || !l.held || !l.devices) {
		vh_layout_clear(&l);
		return -ENOMEM;
	}
	for (unsigned v = 0; v < p->vcpus; v++) {
		l.cpu[v] = p->cpu[v] < 0 ? -1 : (int)host->cpus[p->cpu[v]].id;
		l.cell[v] = p->cell[v];
	}
	kernel_ids(host, p->floating, p->n_floating, l.floating);
	kernel_ids(host, p->held, p->n_held, l.held);
	for (size_t i = 0; i < p->n_devices; i++)
		fill_device(host, p, i, &l.devices[i]);
	fill_cells(host, p, &l);
	fill_processor(host, p, &l);
	*ret = l;
	return 0;
}
