// SPDX-License-Identifier: Apache-2.0
/* A host as VMs are placed on it: its processors, memory and devices, and what is taken of them. */
#ifndef VH_VMM_HOST_H
#define VH_VMM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "lib/machine.h"

struct vh_root;
struct vh_store;

/* --- host model (hwloc): what a plan is made on. Numbers are the kernel's. */

struct vh_host_pool { uint64_t size, total, free; };	/* huge pages: bytes of one, and how many */
enum { VH_HOST_POOLS = 4 };

struct vh_host_node {
	unsigned id;
	uint64_t memory;	/* bytes, total */
	uint64_t free;		/* bytes available to new VMs now; total on a captured host */
	unsigned package;	/* of its nearest CPUs; logical */
	char kind[16];		/* "DRAM", "HBM", "NVM", ...; "": not known */
	struct vh_host_pool pools[VH_HOST_POOLS];	/* by size */
	size_t n_pools;
};
struct vh_host_cpu {
	unsigned id, node, core, l3, package, die;	/* os index of CPU and node; the rest logical, stable */
	bool isolated;		/* the kernel keeps off it (isolcpus, nohz_full) */
};

struct vh_host_device {
	char address[20], pf[20];	/* pf: of a VF, else "" */
	char name[32];			/* mlx5_0, enp1s0, ...; or "" */
	enum vh_device_kind kind;
	unsigned vfs;			/* VFs that it has now */
	int node;			/* index in nodes; -1: not known */
	char root[20];			/* host bridge or root complex: "0000:3a"; "": not known */
	char sw[20];			/* the PCIe switch's own port nearest to the root; "": none */
	uint64_t bars;			/* bytes of its memory BARs; 0: not known */
	bool held;			/* leased, in use, or a PF whose VFs are there */
};

struct vh_host {
	struct vh_host_node *nodes;
	size_t n_nodes;
	unsigned *distances;	/* of node i to node j at i * n_nodes + j; NULL: 10 and 20 */
	struct vh_host_cpu *cpus;	/* online ones that this process may use */
	size_t n_cpus;
	struct vh_host_device *devices;	/* of XML, or after vh_host_add_devices; by address */
	size_t n_devices;
};

/* Of nodes by index; 10 is local. */
static inline unsigned vh_host_distance(const struct vh_host *host, size_t i, size_t j)
{
	return host->distances ? host->distances[i * host->n_nodes + j] : i == j ? 10 : 20;
}

/* xml: an hwloc XML file instead of root's own topology, or NULL. */
int vh_host_load(const struct vh_root *root, const char *xml, struct vh_host **ret, struct vh_err *err);
void vh_host_free(struct vh_host *host);
static inline void vh_host_freep(struct vh_host **h) { vh_host_free(*h); }
/* Where an hwloc XML file has PCI devices: the index of the node, -1: of none; VH_NO_DEVICE. */
enum { VH_NO_DEVICE = -2 };
int vh_host_find_devices(const char *xml, char (*addresses)[20], size_t n, int *ret_nodes, struct vh_err *err);
/* The devices of root with their place in the PCI tree, as sriov lists them. store (or
 * NULL): who has which. */
int vh_host_add_devices(struct vh_host *host, const struct vh_root *root, struct vh_store *store,
			struct vh_err *err);
/* Appends one, keeping the order; -ENOMEM. */
int vh_host_add_device(struct vh_host *host, const struct vh_host_device *device);
/* Writes what plans and listings read of root into a new directory, which then stands for
 * the host. It holds MAC addresses. Refused, -EEXIST, when it is there. */
int vh_host_capture(const struct vh_root *root, const char *dir, struct vh_err *err);

/* --- what other VMs hold, from their leases */

struct vh_taken {
	const unsigned *cpus;	/* dedicated ones, os index */
	size_t n_cpus;
	const uint64_t *memory;	/* bytes by host node, in the order of host->nodes; or NULL */
	const uint64_t *pages;	/* huge pages of pool p of node i at i * VH_HOST_POOLS + p; or NULL */
};
/* The same out of the store: "cpu" leases as they are, "memory" and "hugepage" leases less
 * what their VMs hold in RAM already (on a live root), which host->nodes[] no longer has free. */
int vh_taken_load(struct vh_store *s, const struct vh_root *root, const struct vh_host *host,
		  struct vh_taken *ret, struct vh_err *err);
/* CPUs beside those that are taken already. -ENOMEM. */
int vh_taken_add_cpus(struct vh_taken *taken, const unsigned *cpus, size_t n);
void vh_taken_clear(struct vh_taken *taken);

#endif
