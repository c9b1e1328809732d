// SPDX-License-Identifier: Apache-2.0
/* Values of a request's keys, read into a want. */
#ifndef VH_VMM_WANT_READ_H
#define VH_VMM_WANT_READ_H

#include "vmm/want/sets.h"

enum { VH_WANT_NO_CELL = 255 };

/* What is read so far; a want that is not complete yet. */
struct vh_want_reading {
	const struct vh_want_text *text;
	struct vh_want *want;
	struct vh_vcpu_sets sets;	/* cell VH_WANT_NO_CELL: in none yet */
};

/* The index in names, of which n there are; refused, with the nearest as hint. what: "thread policy". */
int vh_want_read_choice(const char *what, const char *value, const char *const *names, size_t n, int *ret,
		   struct vh_err *err);
/* Refused with what before it. */
int vh_want_read_number(const char *what, const char *value, uint64_t max, unsigned *ret, struct vh_err *err);
int vh_want_read_size(const char *what, const char *value, uint64_t *ret, struct vh_err *err);
/* Whether a text is a set of vCPUs, and not only their number. */
bool vh_want_is_set(const char *value);

/* --- keys.c */

/* All keys that the text says, in the order of the table. */
int vh_want_read_keys(struct vh_want_reading *in, struct vh_err *err);

/* --- numa.c: guest nodes, which need vCPUs, memory and pages to be read */

int vh_want_read_numa(const char *value, struct vh_want_reading *in, struct vh_err *err);
/* Once all is read: what guest nodes and sets say of vCPUs and memory. Refused where they contradict. */
int vh_want_settle(struct vh_want_reading *in, struct vh_err *err);

#endif
