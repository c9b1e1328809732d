// SPDX-License-Identifier: Apache-2.0
/* Who lives on a device: this host, its processes, other software. */
#ifndef VH_SRIOV_USE_H
#define VH_SRIOV_USE_H

#include <jansson.h>
#include "lib/sysroot.h"

struct vh_sriov;

/* --- what the host itself cannot do without: 1 and a text (malloc'd), 0, or -ENOMEM */

int vh_carries_storage(const struct vh_root *root, const char *address, char **ret);
int vh_is_only_uplink(const struct vh_root *root, const char *address, char **ret);
/* Either of them; *ret stays NULL where there is nothing. */
int vh_host_use(const struct vh_root *root, const char *address, char **ret, struct vh_err *err);
/* 1 where an IPv4 route goes over the interface. */
int vh_has_routes(const struct vh_root *root, const char *netdev);

/* --- processes and networks */

/* Who has a device open through vfio: object of "/dev/vfio/..." -> "pid 7 (qemu)"; NULL without memory. */
json_t *vh_vfio_users(const struct vh_root *root);
/* Who uses the function, of processes and networks; NULL: nobody. malloc'd. */
char *vh_fn_user(const struct vh_root *root, const json_t *vfio_users, const char *address);

/* --- other software */

/* Nobody else keeps the PF's VFs: systemd-networkd, NetworkManager, the SR-IOV operator. */
int vh_check_owner(const struct vh_sriov *s, const char *pf, struct vh_err *err);

#endif
