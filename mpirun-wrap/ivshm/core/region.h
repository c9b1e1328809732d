// SPDX-License-Identifier: Apache-2.0
/* A region of memory that VMs of one host share, and who has which part of it. No Open
 * MPI in here. Every process computes the layout from the region's size alone; all that is
 * read from the region is checked, since anyone in it can write anything.
 *
 *   header | slots, one a process | pairs, slots x slots | owners of chunks | chunks
 *
 * A process claims a slot, and chunks for the channels that it sends on. What a process of
 * a job held is free again when no process of that job is left: until then a peer may
 * still write to it. Those of one machine find each other dead; nobody judges another's.
 *
 * Claims are compare-and-swap on one word that names its owner, so that one who dies in
 * the middle holds no lock. Sending and receiving (ring.h) have no such instruction. */
#ifndef VH_IVSHM_REGION_H
#define VH_IVSHM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mpirun-wrap/ivshm/core/self.h"

enum {
	IVSHM_LINE = 64,
	IVSHM_CHUNK = 64 << 10,
	IVSHM_MIN_SLOTS = 64,
	IVSHM_MAX_SLOTS = 2048,
	IVSHM_MAX_RUN = 255,		/* chunks that are claimed at once */
	IVSHM_MIN_SIZE = 1 << 20,
};

struct ivshm_header {
	uint64_t magic;			/* the layout's version is in it; 0: nobody was here yet */
	uint64_t size;
};

struct ivshm_slot {
	uint64_t owner;			/* state, generation, machine, process; see region.c */
	uint64_t machine, started, job;
	uint64_t nonce[2];
	uint32_t rank, reserved;
	uint8_t pad[IVSHM_LINE - 56];
	uint32_t knocks;		/* raised by everyone who settles a pair with this slot */
	uint8_t pad2[IVSHM_LINE - 4];
};
_Static_assert(sizeof(struct ivshm_slot) == 2 * IVSHM_LINE, "a slot is two cache lines");

/* What others find a process by; exchanged outside the region. */
struct ivshm_address {
	uint64_t size, job, nonce[2];
	uint32_t slot, generation;
};

struct ivshm_region {
	uint8_t *base;
	uint64_t size;
	struct ivshm_slot *slots;
	uint64_t *pairs, *owners;
	uint32_t n_slots, n_chunks;
	uint8_t *chunks;
	bool fenced;			/* not write-back: stores must be flushed in order */
	struct ivshm_self self;
	struct ivshm_address mine;
};

/* Chunks that follow each other. */
struct ivshm_run { uint32_t first, n; };

/* Takes over a mapping of size bytes: -EINVAL too small, -EBADMSG another version's or size's. */
int ivshm_open(struct ivshm_region *r, void *base, uint64_t size, bool fenced);
/* Frees what the dead of this machine held and claims a slot: -EUSERS when all are taken. */
int ivshm_join(struct ivshm_region *r, const struct ivshm_self *self);
/* Gives back the slot, and with the job's last process all that the job held. */
void ivshm_leave(struct ivshm_region *r);

/* Whether that process is in this very memory: 0, -EXDEV another memory, -EACCES another
 * job's, -EINVAL no such slot. */
int ivshm_find(const struct ivshm_region *r, const struct ivshm_address *peer);
/* The same for a slot that knocked; *ret_generation tells it from the slot's next owner. */
bool ivshm_slot_is_peer(const struct ivshm_region *r, uint32_t slot, uint32_t *ret_generation);

/* Chunks that follow each other: -ENOSPC. They are given back by ivshm_leave. */
int ivshm_claim(struct ivshm_region *r, uint32_t n, struct ivshm_run *ret);
/* How many are free, and how many slots are not. */
uint32_t ivshm_free_chunks(const struct ivshm_region *r);
uint32_t ivshm_used_slots(const struct ivshm_region *r);

/* The memory of the two channels between this process and a peer: one word for each pair,
 * written once, by whoever comes first, so that both sides agree whether there is any.
 * n = 0: there is none. The first half is for what the lower slot sends, the second for the
 * higher one's. False: nobody has settled it yet. */
bool ivshm_settled(const struct ivshm_region *r, uint32_t peer, uint32_t generation, struct ivshm_run *ret);
/* Settles it by this run, whose channels are ready for use, and rings the peer's bell; where
 * the peer came first, frees the run and returns the peer's. */
void ivshm_settle(struct ivshm_region *r, uint32_t peer, uint32_t generation, struct ivshm_run *run);
/* The half of a pair's run that this process or the peer sends by. */
struct ivshm_run ivshm_half(const struct ivshm_region *r, uint32_t peer, struct ivshm_run pair, bool mine);
/* How often this process's bell was rung: where it has changed, a peer has settled a pair. */
uint32_t ivshm_knocks(const struct ivshm_region *r);

static inline uint8_t *ivshm_run_at(const struct ivshm_region *r, struct ivshm_run run)
{
	return r->chunks + (uint64_t)run.first * IVSHM_CHUNK;
}

#endif
