// SPDX-License-Identifier: Apache-2.0
/* The cache of builds, kept within a size. */
#ifndef VH_PRUNE_H
#define VH_PRUNE_H

#include <stdint.h>
#include "lib/err.h"

struct vh_pruned { uint64_t removed, kept; unsigned n_removed, n_kept; };

/* Removes what was used longest ago from CACHE/images, bases, debs and locks until the rest
 * takes at most size bytes. What a build holds, and packages used within the last quarter
 * of an hour, stay. What images in a store share is not counted: removing frees nothing. */
int vh_cache_prune(const char *cache, uint64_t size, struct vh_pruned *ret, struct vh_err *err);

#endif
