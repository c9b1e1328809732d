// SPDX-License-Identifier: Apache-2.0
/* A VM wanted, what a host has left, and where the VM goes best (docs/placement.md). Pure. */
#ifndef VH_VMM_PLAN_H
#define VH_VMM_PLAN_H

#include "vmm/vmm.h"

enum vh_want_policy { VH_WANT_DEDICATED, VH_WANT_SHARED, VH_WANT_MIXED };
enum vh_thread_policy { VH_THREAD_PREFER, VH_THREAD_ISOLATE, VH_THREAD_REQUIRE };
enum vh_affinity { VH_AFFINITY_PREFERRED, VH_AFFINITY_REQUIRED, VH_AFFINITY_SOCKET, VH_AFFINITY_NONE,
		   VH_AFFINITY_LEGACY /* required, where the node is known */ };

/* Page sizes that are not one: any there is, and any huge one; small is 4096. */
enum { VH_PAGE_ANY = 0, VH_PAGE_LARGE = 1, VH_PAGE_SMALL = 4096 };

struct vh_want_devices {
	unsigned count;
	bool vf;		/* VFs instead of whole devices */
	enum vh_affinity affinity;
};
struct vh_want_cell { unsigned vcpus, dedicated /* of a mixed VM's */; uint64_t memory; };

struct vh_want {
	char name[64];
	unsigned vcpus;
	uint64_t memory;	/* bytes */
	uint64_t page;		/* bytes, or VH_PAGE_ANY, VH_PAGE_LARGE */
	enum vh_want_policy policy;
	unsigned dedicated;	/* of a mixed VM: so many are */
	enum vh_thread_policy threads;
	bool emulator;		/* QEMU's other threads get a CPU of their own */
	unsigned iothreads;
	struct vh_want_cell cells[VH_CELLS_MAX];	/* guest NUMA nodes; none: as few as fit */
	size_t n_cells;
	struct vh_want_devices devices[VH_DEVICE_KINDS];
	unsigned pairs;		/* that many GPUs each share a switch with an HCA of their own */
	unsigned vms;		/* 0 as 1 */
	bool spread;		/* over hosts; else they are packed */
	/* The vCPUs' numbers, the dedicated ones first, then the others, by guest node where these
	 * are given. Unless numbered they go up in this order. */
	bool numbered;
	uint16_t number[VH_VCPUS_MAX];
};

/* --- what is left of a host; all by index in it */

struct vh_left {
	const struct vh_host *host;
	bool *cpu;		/* free for dedicated use */
	bool *floats;		/* free for vCPUs that have no CPU of their own */
	uint64_t *memory;	/* bytes of small pages by node */
	uint64_t *pages;	/* of pool p of node i at i * VH_HOST_POOLS + p */
	bool *device;
};
int vh_left_init(struct vh_left *left, const struct vh_host *host, const struct vh_taken *taken);
void vh_left_clear(struct vh_left *left);

/* --- a plan. Lower is better, the first that differs decides. */

enum vh_score {
	VH_SCORE_NODES,		/* host NUMA nodes used */
	VH_SCORE_DEVICES,	/* sum of the devices' distances to the VM's nearest node */
	VH_SCORE_SPAN,		/* sum of distances between the VM's nodes */
	VH_SCORE_PAGES,		/* rank of the page size, largest first */
	VH_SCORE_CACHES,	/* last-level caches touched */
	VH_SCORE_CACHES_SHARED,	/* of these, those with room for others */
	VH_SCORE_CORES,		/* cores of which only some threads are the VM's */
	VH_SCORE_HOLE,		/* minus the most CPUs (cores) left in one node */
	VH_SCORE_HOLES,		/* minus the squares of what is left in each */
	VH_SCORE_CACHE_HOLES,	/* squares lost of what was left in each cache */
	VH_SCORE_CORE_HOLES,	/* free cores broken into */
	VH_SCORE_MEMORY,	/* KiB left in the nodes used */
	VH_SCORES,
};
extern const char *const vh_score_names[VH_SCORES];

struct vh_plan_cell {
	unsigned node;		/* index in the host */
	uint64_t memory;
	unsigned vcpus;
};
struct vh_plan {
	struct vh_plan_cell cells[VH_CELLS_MAX];
	size_t n_cells;
	uint64_t page;		/* bytes of one */
	unsigned vcpus;
	int *cpu;		/* of each vCPU: index of its own host CPU; -1: floats */
	unsigned *cell;		/* of each vCPU */
	unsigned *floating;	/* CPUs (indexes) on which those without one run */
	size_t n_floating;
	unsigned *held;		/* CPUs kept idle for it: siblings of isolated threads */
	size_t n_held;
	int emulator;		/* index of a CPU; -1: wherever the vCPUs are */
	unsigned iothreads;
	unsigned devices[VH_PLAN_DEVICES_MAX];	/* indexes in the host, by kind, then address */
	size_t n_devices;
	int64_t score[VH_SCORES];
	bool proven;		/* false: the host was too large to look at everything */
};
void vh_plan_free(struct vh_plan *plan);
/* The plan by the kernel's numbers. -ENOMEM. */
int vh_plan_layout(const struct vh_host *host, const struct vh_plan *plan, struct vh_layout *ret);
static inline void vh_plan_freep(struct vh_plan **p) { vh_plan_free(*p); }
#define vh_autoplan vh_cleanup(vh_plan_freep) struct vh_plan *

/* Refuses what no host could ever be asked: no vCPU, sizes that are no multiple of the
 * page, cells that do not add up. */
int vh_want_check(const struct vh_want *want, struct vh_err *err);

/* The best plan. 0 with NULL in *ret: none is possible. most_nodes 0: any number. -ENOMEM. */
int vh_solve(const struct vh_left *left, const struct vh_want *want, size_t most_nodes,
	     struct vh_plan **ret);
/* The best plan on exactly these nodes. */
int vh_solve_on(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes,
		size_t n, struct vh_plan **ret);
/* Takes or gives back what a plan has. */
void vh_left_take(struct vh_left *left, const struct vh_plan *plan);
void vh_left_give(struct vh_left *left, const struct vh_plan *plan);

/* CPUs (cores) of a node that the want's thread policy can use. */
unsigned vh_left_units(const struct vh_left *left, const struct vh_want *want, size_t node);
/* CPUs of a node on which vCPUs without their own can run. */
unsigned vh_left_floats(const struct vh_left *left, size_t node);
/* Bytes of a node in pages of that size. */
uint64_t vh_left_bytes(const struct vh_left *left, uint64_t page, size_t node);

#endif
