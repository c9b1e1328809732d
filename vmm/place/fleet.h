// SPDX-License-Identifier: Apache-2.0
/* Many hosts: which one, then where on it. A tree over the hosts keeps the most that any
 * below has of each thing, so that hosts that cannot do are passed over together. */
#ifndef VH_VMM_FLEET_H
#define VH_VMM_FLEET_H

#include "vmm/place/plan.h"

struct vh_fleet;

struct vh_fleet *vh_fleet_new(size_t hosts);
void vh_fleet_free(struct vh_fleet *f);
static inline void vh_fleet_freep(struct vh_fleet **f) { vh_fleet_free(*f); }
/* Host i; it and taken are the caller's. -ENOMEM. */
int vh_fleet_set(struct vh_fleet *f, size_t i, const struct vh_host *host, const struct vh_taken *taken);
/* Host i with what is left of it, which is emptied; its host stays the caller's. */
void vh_fleet_adopt(struct vh_fleet *f, size_t i, struct vh_left *left);
const struct vh_left *vh_fleet_left(const struct vh_fleet *f, size_t i);

/* Places and takes. Fewest NUMA nodes in the fleet first, of one node preferably that of its
 * devices; packed: the first host that can, spread: the one with most free CPUs. 0 with NULL in *ret: none can. -ENOMEM. */
int vh_fleet_place(struct vh_fleet *f, const struct vh_want *want, size_t *ret_host, struct vh_plan **ret);
/* Takes what a plan made elsewhere has. */
void vh_fleet_take(struct vh_fleet *f, size_t host, const struct vh_plan *plan);
/* Gives back; the plan stays the caller's. */
void vh_fleet_remove(struct vh_fleet *f, size_t host, const struct vh_plan *plan);

#endif
