// SPDX-License-Identifier: Apache-2.0
/* Things that a peer may name by a number, and cannot name falsely: a number is never
 * given twice, and one that stands for nothing is known as such. */
#ifndef VH_IVSHM_TABLE_H
#define VH_IVSHM_TABLE_H

#include <stdint.h>

struct ivshm_table {		/* all zero: empty */
	struct ivshm_entry { void *item; uint32_t serial, next_free; } *entries;
	uint32_t n, free, serial;	/* free: index + 1 of the first free entry */
};

/* The number of the item, or 0: out of memory. */
uint64_t ivshm_table_add(struct ivshm_table *t, void *item);
/* NULL: it stands for nothing (any more). */
void *ivshm_table_get(const struct ivshm_table *t, uint64_t number);
/* The number stands for nothing from now on. */
void ivshm_table_drop(struct ivshm_table *t, uint64_t number);
/* The items are the caller's. */
void ivshm_table_clear(struct ivshm_table *t);

#endif
