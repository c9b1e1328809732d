// SPDX-License-Identifier: Apache-2.0
/* PCI devices that matter to a virtual cluster, with their locality: HCAs and NICs as
 * PF and VFs, GPUs, NVMe. Read from sysfs under a root, which may be a captured one. */
#ifndef VH_SRIOV_H
#define VH_SRIOV_H

#include <jansson.h>
#include "lib/err.h"
#include "lib/sysroot.h"

/* Rows sorted by address. Members, null where the kernel does not say:
 * address "0000:3b:00.1", kind "ib"|"ethernet"|"gpu"|"nvme", function "pf"|"vf"|"device",
 * pf (address of a VF's PF), vf (its index), vendor, device (hexadecimal, 4 digits), driver,
 * numa (integer, null when the kernel says -1), iommu_group (integer), vfs, vfs_max (of a PF),
 * netdevs [..], ibdevs [..], mac, link "up"|"down", speed (Mb/s). */
int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err);

/* One device of any kind (kind null then), "3b:00.0" or "0000:3b:00.0": the members above and
 * class, subsystem, revision, cpus (local list), power, reset_methods [..], ari, pcie_speed,
 * pcie_width, pcie_speed_max, pcie_width_max, iommu_members [..], root_complex, upstream
 * (ports, the root port first), bars and vf_bars [{bar, size, kind "memory"|"io", bits,
 * prefetch}], vf_addresses (by index), vfs_autoprobe. -ENOENT, refused, when there is none. */
int vh_sriov_show(const struct vh_root *root, const char *address, json_t **ret, struct vh_err *err);

#endif
