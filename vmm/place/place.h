// SPDX-License-Identifier: Apache-2.0
/* What a host has left, where a wanted VM goes best on it or on which of many, and why or why
 * not (docs/placement.md). Pure: same input, same answer. */
#ifndef VH_VMM_PLACE_H
#define VH_VMM_PLACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/cleanup.h"
#include "lib/err.h"
#include "lib/machine.h"

struct vh_host;
struct vh_layout;
struct vh_taken;
struct vh_want;

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
/* CPUs (cores) of a node that the want's thread policy can use. */
unsigned vh_left_units(const struct vh_left *left, const struct vh_want *want, size_t node);
/* CPUs of a node on which vCPUs without their own can run. */
unsigned vh_left_floats(const struct vh_left *left, size_t node);
/* Bytes of a node in pages of that size. */
uint64_t vh_left_bytes(const struct vh_left *left, uint64_t page, size_t node);

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
static inline void vh_plan_freep(struct vh_plan **p) { vh_plan_free(*p); }
#define vh_autoplan vh_cleanup(vh_plan_freep) struct vh_plan *
/* The plan by the kernel's numbers. -ENOMEM. */
int vh_plan_layout(const struct vh_host *host, const struct vh_plan *plan, struct vh_layout *ret);
/* The same as JSON, with score and proven. NULL without memory. */
json_t *vh_plan_to_json(const struct vh_host *host, const struct vh_plan *plan);

/* The best plan. 0 with NULL in *ret: none is possible. most_nodes 0: any number. -ENOMEM. */
int vh_solve(const struct vh_left *left, const struct vh_want *want, size_t most_nodes,
	     struct vh_plan **ret);
/* The best plan on exactly these nodes. */
int vh_solve_on(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes,
		size_t n, struct vh_plan **ret);
/* Takes or gives back what a plan has. */
void vh_left_take(struct vh_left *left, const struct vh_plan *plan);
void vh_left_give(struct vh_left *left, const struct vh_plan *plan);

/* --- many hosts: which one, then where on it. A tree over the hosts keeps the most that any
 * below has of each thing, so that hosts that cannot do are passed over together. */

struct vh_fleet;

struct vh_fleet *vh_fleet_new(size_t hosts);
void vh_fleet_free(struct vh_fleet *f);
static inline void vh_fleet_freep(struct vh_fleet **f) { vh_fleet_free(*f); }
/* Host i; its name for messages, it and taken stay the caller's. -ENOMEM. */
int vh_fleet_set(struct vh_fleet *f, size_t i, const char *name, const struct vh_host *host,
		 const struct vh_taken *taken);
/* Host i with what is left of it, which is emptied; its name and host stay the caller's. */
void vh_fleet_adopt(struct vh_fleet *f, size_t i, const char *name, struct vh_left *left);
size_t vh_fleet_len(const struct vh_fleet *f);
const char *vh_fleet_name(const struct vh_fleet *f, size_t i);
const struct vh_left *vh_fleet_left(const struct vh_fleet *f, size_t i);

/* Places and takes. Fewest NUMA nodes in the fleet first, of one node preferably that of its
 * devices; packed: the first host that can, spread: the one with most free CPUs. 0 with NULL in
 * *ret: none can. -ENOMEM. */
int vh_fleet_place(struct vh_fleet *f, const struct vh_want *want, size_t *ret_host, struct vh_plan **ret);
/* Takes what a plan made elsewhere has. */
void vh_fleet_take(struct vh_fleet *f, size_t host, const struct vh_plan *plan);
/* Gives back; the plan stays the caller's. */
void vh_fleet_remove(struct vh_fleet *f, size_t host, const struct vh_plan *plan);
/* Why no host of the fleet can: vh_explain_refusal of the likeliest. */
int vh_fleet_refuse(const struct vh_fleet *f, const struct vh_want *want, struct vh_err *err);

/* --- several VMs at once */

struct vh_placement {
	size_t host;		/* in the fleet */
	struct vh_plan *plan;
};
/* Places and takes all of the n wants, the largest first, or none; ret has room for as many. Refused
 * as vh_fleet_refuse does, or where a want makes no sense or has more vCPUs than any host has CPUs. */
int vh_place(struct vh_fleet *f, const struct vh_want *wants, size_t n, struct vh_placement *ret, struct vh_err *err);
/* Frees the plans; what they take of the fleet stays taken. */
void vh_placements_clear(struct vh_placement *placements, size_t n);

/* --- why a VM goes where it goes, and why it goes nowhere */

/* Why there is no plan: the scarce things by node, and as hint the nearest request that
 * would fit. host names it. Refused, -ENOSPC. */
int vh_explain_refusal(const char *host, const struct vh_left *left, const struct vh_want *want,
		       struct vh_err *err);
/* The other choices of as many nodes or fewer: rows of nodes [..], fits, why ("lacks 2 CPUs",
 * "caches 2 against 1"). left is as it was before the plan was taken;
 * at most 256 rows. NULL without memory. */
json_t *vh_explain_others(const struct vh_left *left, const struct vh_want *want, const struct vh_plan *plan);

#endif
