// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DEVICE_H
#define VH_SRIOV_DEVICE_H

#include "sriov/inventory/inventory.h"

/* What the device's own files say: all but the index of a VF, what its PF has set of it, and a GPU's HCA.
 * 0 or -ENOMEM; what *ret has is the caller's in both cases. */
int vh_pci_device_read(const struct vh_root *root, const char *address, enum vh_pci_kind kind,
		       struct vh_pci_device *ret);
void vh_pci_device_clear(struct vh_pci_device *device);
#define vh_autodevice vh_cleanup(vh_pci_device_clear) struct vh_pci_device

#endif
