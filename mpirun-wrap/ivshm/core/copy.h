// SPDX-License-Identifier: Apache-2.0
/* Copying to and from the region, by what is fastest on this processor and mapping: the C
 * library's vectors, or plain words where a CPU is emulated and vectors are slow. */
#ifndef VH_IVSHM_COPY_H
#define VH_IVSHM_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void ivshm_copy_fn(void *to, const void *from, size_t len);

struct ivshm_copy {
	const char *name;
	ivshm_copy_fn *copy;
};

/* Ends with a NULL name. */
extern const struct ivshm_copy ivshm_copies[];

/* The fastest between private memory and this shared memory of len bytes, whose contents
 * are lost. Takes less than a millisecond. */
const struct ivshm_copy *ivshm_copy_choose(void *shared, size_t len);

/* Nanoseconds that a load of a word takes that was loaded just before: a few where the
 * mapping is cached, a hundred and more where every load goes to memory. */
double ivshm_load_ns(const void *shared);

#endif
