// SPDX-License-Identifier: Apache-2.0
/* What sriov's files share: one PCI device's attributes as JSON, null where the kernel
 * does not say. Nothing here reads a file whose reading waits or changes anything. */
#ifndef VH_SRIOV_PRIVATE_H
#define VH_SRIOV_PRIVATE_H

#include <stdbool.h>
#include "sriov/sriov.h"

#define VH_PCI_DIR "sys/bus/pci/devices"

/* "0000:3b:00.1", domain of four digits or more. */
bool vh_pci_is_address(const char *s);

/* "3B:00.1" and the like made whole; malloc'd. Not so shaped: usage. */
int vh_pci_full_address(const char *text, char **ret, struct vh_err *err);

/* Contents of the device's file, text or number; null when absent, empty or damaged. */
json_t *vh_pci_text(const struct vh_root *root, const char *address, const char *file);
json_t *vh_pci_count(const struct vh_root *root, const char *address, const char *file);
/* A file of "0x15b3": the digits alone, when there are so many. */
json_t *vh_pci_hex(const struct vh_root *root, const char *address, const char *file, size_t digits);
/* Last component of the device's symbolic link, or null. */
json_t *vh_pci_link(const struct vh_root *root, const char *address, const char *link);
/* Names in a directory of the device's; empty when there is none. */
json_t *vh_pci_names(const struct vh_root *root, const char *address, const char *dir);

/* "ib", "ethernet", "gpu", "nvme"; NULL for any other device, and for one without class. */
const char *vh_pci_kind(const struct vh_root *root, const char *address);
/* The same from the device's own files: a VF that speaks InfiniBand but has no driver is "ethernet". */
const char *vh_pci_own_kind(const struct vh_root *root, const char *address);
/* The row of vh_sriov_list, but "vf", which only the PF knows. NULL without memory. */
json_t *vh_pci_row(const struct vh_root *root, const char *address, const char *kind);
/* The PF's VFs: object of VF address -> index, in the order of the index. */
json_t *vh_pci_vfs(const struct vh_root *root, const char *pf);

/* --- gpu.c: more members of vh_sriov_show's row */

/* slot_functions, window, mdev_types, vgpu_types; of a GPU also mig, mig_pending, hca and hca_distance. */
int vh_pci_set_gpu(const struct vh_root *root, const char *address, json_t *row);

/* --- rdma.c: node_guid, ports and pkeys, from /sys; on this host also from RDMA netlink and libibumad */

int vh_pci_set_rdma(const struct vh_root *root, const char *address, json_t *row);

/* --- rdma_netlink.c */

/* Of the device's ports: object of "1" -> {state, physical, lid, sm_lid, netdev}, each where the kernel
 * tells. 0 or -errno; -EOPNOTSUPP: no such protocol. */
int vh_rdma_netlink_ports(const char *ibdev, json_t **ret);

/* --- umad.c: 0, or -errno where path is no such library, or it knows no such port */

/* Adds state, physical, lid, sm_lid, port_guid, rate and pkeys where port has null. */
int vh_umad_port(const char *path, const char *ibdev, int number, json_t *port);

/* --- ibverbs.c: the same of that library */

/* Sets mtu and mtu_max, in bytes. */
int vh_ibverbs_port(const char *path, const char *ibdev, int number, json_t *port);

/* By the numbers that the InfiniBand specification gives them: "ACTIVE", "LinkUp"; null past them. */
json_t *vh_rdma_state(unsigned state);
json_t *vh_rdma_physical(unsigned state);
/* By bytes: "0c:42:a1:03:00:00:00:02". */
json_t *vh_rdma_guid(uint64_t guid);

/* --- nvml.c: 0, or -errno where path is no such library, or it says no */

int vh_nvml_mig(const char *path, const char *address, bool *ret_on, bool *ret_pending);

/* --- pair.c */

/* From the nearest on: one switch or root port in common, one root complex, one NUMA node. */
extern const char *const vh_distances[];
/* The root complex, the ports from there, the device; a strv. */
int vh_pci_way(const struct vh_root *root, const char *address, char ***ret);
/* How many members two ways begin with in common. */
size_t vh_pci_common(char *const *a, char *const *b);
/* Of the rows of vh_sriov_list; NULL: none is there. */
const json_t *vh_pci_nearest_hca(const struct vh_root *root, const json_t *gpu, const json_t *rows, int *ret_distance);
/* Sets hca and hca_distance of a GPU's row. */
int vh_pci_set_pair(const struct vh_root *root, json_t *gpu, const json_t *rows);

#endif
