// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_PAIR_H
#define VH_SRIOV_PAIR_H

#include <jansson.h>
#include "lib/sysroot.h"

/* Sets hca and hca_distance of a GPU's row. */
int vh_pci_set_pair(const struct vh_root *root, json_t *gpu, const json_t *rows);

#endif
