// SPDX-License-Identifier: Apache-2.0
/* What builds leave for the next one: under which digest, who writes it, and how long it stays. */
#ifndef VH_CACHE_H
#define VH_CACHE_H

#include "images/cache/digest.h"
#include "images/cache/prune.h"
#include "images/cache/workdir.h"

#endif
