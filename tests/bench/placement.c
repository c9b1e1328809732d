// SPDX-License-Identifier: Apache-2.0
/* 10,000 VMs over 1,000 two-socket hosts with devices, and the cost of one at several
 * sizes of the fleet. Fails past a second or 200 MB. */
#include <sys/resource.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/fleet.h"

enum { SOCKETS = 2, CORES = 32, THREADS = 2, DEVICES = 8, VMS = 10, VMS_MAX = 10000, MAX_MB = 200 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct vh_host *make_host(void)
{
	struct vh_host *h = calloc(1, sizeof(*h));

	h->n_nodes = SOCKETS;
	h->n_cpus = SOCKETS * CORES * THREADS;
	h->nodes = calloc(h->n_nodes, sizeof(*h->nodes));
	h->cpus = calloc(h->n_cpus, sizeof(*h->cpus));
	for (unsigned i = 0; i < SOCKETS; i++)
		h->nodes[i] = (struct vh_host_node){ .id = i, .package = i, .memory = 256ULL << 30, .free = 256ULL << 30,
			.n_pools = 1, .pools = { { 1 << 30, 200, 200 } } };
	for (unsigned i = 0; i < h->n_cpus; i++)
		h->cpus[i] = (struct vh_host_cpu){ .id = i, .core = i / THREADS, .l3 = i / THREADS / 8,
			.node = i / THREADS / CORES, .package = i / THREADS / CORES };
	for (unsigned i = 0; i < DEVICES * SOCKETS; i++) {
		struct vh_host_device d = { .kind = i % DEVICES < 4 ? VH_DEVICE_HCA : VH_DEVICE_GPU,
			.node = (int)(i / DEVICES) };

		snprintf(d.address, sizeof(d.address), "0000:%02x:00.0", i);
		h->devices = realloc(h->devices, (h->n_devices + 1) * sizeof(d));
		h->devices[h->n_devices++] = d;
	}
	return h;
}

static void free_host(struct vh_host *h)
{
	free(h->nodes);
	free(h->cpus);
	free(h->devices);
	free(h);
}

/* Of mixed sizes; one in four has an HCA, one in eight a GPU. */
static struct vh_want make_want(unsigned i)
{
	static const unsigned vcpus[] = { 4, 8, 12, 16, 4, 8, 20, 8, 4, 24 };
	struct vh_want w = { .name = "vm", .vcpus = vcpus[i % 10], .page = i % 2 ? 1 << 30 : VH_PAGE_SMALL };

	w.memory = (uint64_t)w.vcpus << 31;
	w.devices[VH_DEVICE_HCA].count = i % 4 == 0;
	w.devices[VH_DEVICE_GPU].count = i % 8 == 0;
	return w;
}

/* Seconds; *ret_placed of hosts * VMS. */
static double fill(const struct vh_host *host, size_t hosts, size_t *ret_placed)
{
	struct vh_fleet *f = vh_fleet_new(hosts);
	double begin = now();

	for (size_t i = 0; i < hosts; i++)
		vh_fleet_set(f, i, host, NULL);
	*ret_placed = 0;
	for (unsigned i = 0; i < hosts * VMS; i++) {
		struct vh_want want = make_want(i);
		struct vh_plan *plan = NULL;
		size_t at;

		if (vh_fleet_place(f, &want, &at, &plan) == 0 && plan)
			++*ret_placed;
		vh_plan_free(plan);
	}
	begin = now() - begin;
	vh_fleet_free(f);
	return begin;
}

int main(void)
{
	static const size_t fleets[] = { 10, 100, 1000 };
	struct vh_host *host = make_host();
	struct rusage use;
	double took = 0;
	size_t placed = 0;

	for (size_t i = 0; i < 3; i++) {
		took = fill(host, fleets[i], &placed);
		printf("%5zu hosts  %6zu VMs  %6zu placed  %7.3f s  %7.1f us a VM\n", fleets[i], fleets[i] * VMS,
		       placed, took, took * 1e6 / (double)(fleets[i] * VMS));
	}
	getrusage(RUSAGE_SELF, &use);
	printf("%ld MB\n", use.ru_maxrss / 1024);
	free_host(host);
	return took < 1 && use.ru_maxrss < MAX_MB * 1024 && placed == VMS_MAX ? 0 : 1;
}
