// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_MEMORY_H
#define VH_VMM_MEMORY_H

#include <stdint.h>
#include "lib/sysroot.h"

/* Bytes of RAM of a node and what of them the kernel could give a VM now: unused, or only
 * cached files. -errno where the host does not say. */
int vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free);

#endif
