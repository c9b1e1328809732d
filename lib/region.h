// SPDX-License-Identifier: Apache-2.0
/* The memory that VMs of one host share for MPI (docs/ivshm.md), as those see it who make it and
 * those who use it. Without any other header of ours: it is compiled into Open MPI's component. */
#ifndef VH_REGION_H
#define VH_REGION_H

#include <stdint.h>

enum { VH_REGION_CHANNEL = 256 << 10 };	/* bytes of a channel that the size allows for */

/* Bytes for two jobs of so many ranks: a channel for each ordered pair, and none of a rank to
 * itself. A power of two, 16 MiB to 4 GiB; the tables fit into what the rounding leaves. */
static inline uint64_t vh_region_size(uint64_t ranks)
{
	const uint64_t least = 16ull << 20, most = 4ull << 30, channels = ranks > 1 ? ranks * (ranks - 1) : 1;
	uint64_t size = least;

	while (size < most && size / VH_REGION_CHANNEL < 2 * channels)
		size *= 2;
	return size;
}

#endif
