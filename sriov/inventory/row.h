// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_ROW_H
#define VH_SRIOV_ROW_H

#include <jansson.h>
#include "lib/sysroot.h"

/* The row of vh_sriov_list, but "vf", which only the PF knows. NULL without memory. */
json_t *vh_pci_row(const struct vh_root *root, const char *address, const char *kind);

#endif
