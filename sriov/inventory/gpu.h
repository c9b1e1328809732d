// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_GPU_H
#define VH_SRIOV_GPU_H

#include "sriov/inventory/inventory.h"

/* Sets, of vh_sriov_show's row, slot_functions, window, mdev_types, vgpu_types; of a GPU also mig, mig_pending,
 * hca and hca_distance. */
int vh_pci_set_gpu(const struct vh_root *root, const struct vh_pci_device *device, json_t *row);

#endif
