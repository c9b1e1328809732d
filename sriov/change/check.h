// SPDX-License-Identifier: Apache-2.0
/* What a change is refused for, looked at before the first effect. */
#ifndef VH_SRIOV_CHECK_H
#define VH_SRIOV_CHECK_H

#include "sriov/change/change.h"

/* --- mounted.c: 1 and a text (malloc'd), 0, or -ENOMEM */

int vh_carries_storage(const struct vh_root *root, const char *address, char **ret);
int vh_is_only_uplink(const struct vh_root *root, const char *address, char **ret);
/* 1 where an IPv4 route goes over the interface. */
int vh_has_routes(const struct vh_root *root, const char *netdev);

/* --- inuse.c */

/* Who has a device open through vfio: object of "/dev/vfio/..." -> "pid 7 (qemu)"; NULL without memory. */
json_t *vh_vfio_users(const struct vh_root *root);
/* Who uses the function, of processes and networks; NULL: nobody. malloc'd. */
char *vh_fn_user(const struct vh_root *root, const json_t *vfio_users, const char *address);

/* --- check.c */

/* "3b:00.0" or "0000:3B:00.0", which must be there. */
int vh_check_device(const struct vh_root *root, const char *text, char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err);
/* A PF that may have n VFs. */
int vh_check_pf(const struct vh_root *root, const char *address, struct vh_err *err);
/* "0000:3b:00.2", or "0000:3b:00.0/1": a PF and an index. */
int vh_check_vf(const struct vh_root *root, const char *text, char ret_pf[VH_PCI_ADDRESS_SIZE], int *ret_index,
		char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err);
/* Named by --force. */
bool vh_is_forced(const struct vh_sriov *s, const char *address);
/* The host does not live on it, and nobody uses it. Waived by --force ADDRESS. */
int vh_check_free(const struct vh_sriov *s, const char *address, struct vh_err *err);
/* None of the VFs is leased or used: else refused with who has them. */
int vh_check_vfs_idle(const struct vh_sriov *s, const struct vh_pf *pf, struct vh_err *err);
/* Its IOMMU group can go to vfio: nothing in it but itself, and what is taken along. */
int vh_check_group(const struct vh_sriov *s, const struct vh_pf *taken, struct vh_err *err);
/* No other VF of this host has, or is to have, that identity. */
int vh_check_unique(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err);

/* --- driver.c */

/* A device's unit of change: a VF's PF, else the device itself; and the function in it. */
int vh_sriov_locate(struct vh_sriov *s, const char *text, struct vh_pf *ret, struct vh_err *err);
/* A GPU brings its sound, USB and the like: the functions of its slot in its group. */
int vh_sriov_companions(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err);

/* --- owner.c */

/* Nobody else keeps the PF's VFs: systemd-networkd, NetworkManager, the SR-IOV operator. */
int vh_check_owner(const struct vh_sriov *s, const char *pf, struct vh_err *err);

#endif
