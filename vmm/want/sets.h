// SPDX-License-Identifier: Apache-2.0
/* Which vCPU is dedicated, and of which guest node: sets of vCPUs. */
#ifndef VH_VMM_WANT_SETS_H
#define VH_VMM_WANT_SETS_H

#include "vmm/want/want.h"

/* "0-3,6", "0-7,^2", "^0-1" (all but these): ranges parted by sep, those with '^' taken out.
 * The vCPUs become true in in, of VH_VCPUS_MAX. -EINVAL: no set; -ERANGE: a number of max or
 * more, no error text. */
int vh_vcpus_parse(const char *text, char sep, unsigned max, bool *in);
/* What vh_vcpus_parse reads; malloc'd, NULL without memory. A set of one is "3-3", so that
 * it is told from a number. */
char *vh_vcpus_format(const bool *in, char sep);

struct vh_vcpu_sets {
	bool own[VH_VCPUS_MAX];			/* dedicated */
	unsigned char cell[VH_VCPUS_MAX];	/* guest node */
};
/* Fills in of a want that has its vCPUs and cells: dedicated, cells[].dedicated, number. */
void vh_want_number(struct vh_want *want, const struct vh_vcpu_sets *sets);

#endif
