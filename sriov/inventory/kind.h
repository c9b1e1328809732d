// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_KIND_H
#define VH_SRIOV_KIND_H

#include "sriov/inventory/inventory.h"

/* vh_pci_kind by the device's own files alone: a VF that speaks InfiniBand but has no driver is a NIC. */
enum vh_pci_kind vh_pci_own_kind(const struct vh_root *root, const char *address);

#endif
