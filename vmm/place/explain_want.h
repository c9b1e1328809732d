// SPDX-License-Identifier: Apache-2.0
/* Requests made smaller or less strict, to find what is scarce and what would fit. */
#ifndef VH_VMM_EXPLAIN_WANT_H
#define VH_VMM_EXPLAIN_WANT_H

#include "vmm/place/place.h"
#include "vmm/want/want.h"

/* What can be scarce; the kinds of devices follow. */
enum { VH_SCARCE_CPUS, VH_SCARCE_MEMORY, VH_SCARCE_DEVICE, VH_SCARCES = VH_SCARCE_DEVICE + VH_DEVICE_KINDS };

/* What memory is counted in: bytes of the page, or a MiB. */
uint64_t vh_want_unit(const struct vh_want *want);
/* How much of it is wanted (of guest nodes by the largest), and how much it is at least. */
uint64_t vh_want_amount(const struct vh_want *want, int what);
uint64_t vh_want_least(const struct vh_want *want, int what);
/* No more of it than that; of guest nodes each. */
void vh_want_limit(struct vh_want *want, int what, uint64_t most);
void vh_want_limit_memory(struct vh_want *want, uint64_t units);
struct vh_want vh_want_all_least(const struct vh_want *want);

bool vh_want_fits(const struct vh_left *left, const struct vh_want *want);
/* As much of it as fits beside what base has of the rest. */
uint64_t vh_want_most(const struct vh_left *left, const struct vh_want *want, struct vh_want base, int what);

/* What can be asked for less strictly, the least painful first. Each returns how it is said, or
 * NULL: it was not strict. */
enum vh_relax { VH_RELAX_CELLS, VH_RELAX_EMULATOR, VH_RELAX_PAIRS, VH_RELAX_AFFINITY, VH_RELAX_THREADS, VH_RELAX_PAGES,
		VH_RELAX_POLICY, VH_RELAXES };
extern const char *(*const vh_want_relax[VH_RELAXES])(struct vh_want *);

#endif
