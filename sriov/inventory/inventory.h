// SPDX-License-Identifier: Apache-2.0
/* PCI devices that matter to a virtual cluster, with their locality: HCAs and NICs as
 * PF and VFs, GPUs, NVMe. Read from sysfs under a root, which may be a captured one. */
#ifndef VH_SRIOV_INVENTORY_H
#define VH_SRIOV_INVENTORY_H

#include <jansson.h>
#include "lib/sysroot.h"

/* "ib", "ethernet", "gpu", "nvme"; NULL for any other device, and for one without class. */
const char *vh_pci_kind(const struct vh_root *root, const char *address);
/* The same from the device's own files: a VF that speaks InfiniBand but has no driver is "ethernet". */
const char *vh_pci_own_kind(const struct vh_root *root, const char *address);

/* Rows sorted by address. Members, null where the kernel does not say:
 * address "0000:3b:00.1", kind "ib"|"ethernet"|"gpu"|"nvme", function "pf"|"vf"|"device",
 * pf (address of a VF's PF), vf (its index), vendor, device (hexadecimal, 4 digits), driver,
 * numa (integer, null when the kernel says -1), root_complex, upstream (ports, the root port
 * first), iommu_group (integer), vfs, vfs_max (of a PF), netdevs [..], ibdevs [..], mac, link "up"|"down", speed (Mb/s). Of a GPU also hca (the nearest)
 * and hca_distance "switch"|"complex"|"node"|"system". attributes: of a VF what its PF has set, else null. */
int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err);

/* One device of any kind (kind null then), "3b:00.0" or "0000:3b:00.0": the members above and
 * class, subsystem, revision, cpus (local list), power, reset_methods [..], ari, pcie_speed,
 * pcie_width, pcie_speed_max, pcie_width_max, iommu_members [..], bars and vf_bars [{bar, size,
 * kind "memory"|"io", bits, prefetch}], vf_addresses (by index), vfs_autoprobe, slot_functions
 * [..], window (bytes of 64-bit address space that a guest needs for the slot), mdev_types
 * [{type, name, available, api}], vgpu_types [{type, name}], mig and mig_pending (of a GPU),
 * node_guid, pkeys [..], ports [{port, link_layer, state, physical, lid, sm_lid, port_guid,
 * rate, mtu, mtu_max, pkeys, netdev}], attributes with override. -ENOENT, refused, when there is none. */
int vh_sriov_show(const struct vh_root *root, const char *address, json_t **ret, struct vh_err *err);

/* --- a GPU and its nearest HCA */

/* Of the rows of vh_sriov_list; NULL: none is there. *ret_distance: 0 one switch or root port in common,
 * 1 one root complex, 2 one NUMA node, 3 none of these. */
const json_t *vh_pci_nearest_hca(const struct vh_root *root, const json_t *gpu, const json_t *rows, int *ret_distance);

#endif
