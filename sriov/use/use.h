// SPDX-License-Identifier: Apache-2.0
/* Who lives on a device: this host, its processes, other software. */
#ifndef VH_SRIOV_USE_H
#define VH_SRIOV_USE_H

#include <jansson.h>
#include "lib/sysroot.h"

struct vh_sriov;

/* What this host has its devices for, read once for all of them. */
struct vh_uses {
	json_t *host;	/* what it cannot do without: address -> "the file system on /" */
	json_t *vfio;	/* who has a device open through vfio: "/dev/vfio/..." -> "pid 7 (qemu)" */
	char **routed;	/* interfaces that IPv4 routes go over; a strv */
};
/* 0 or -ENOMEM. */
int vh_uses_load(const struct vh_root *root, struct vh_uses *ret);
void vh_uses_clear(struct vh_uses *uses);
#define vh_autouses vh_cleanup(vh_uses_clear) struct vh_uses

/* What the host itself cannot do without; NULL: nothing. */
const char *vh_host_use(const struct vh_uses *uses, const char *address);
/* Who uses the function, of processes and networks; NULL: nobody. malloc'd. */
char *vh_fn_user(const struct vh_root *root, const struct vh_uses *uses, const char *address);

/* Add to host, of an address that it lacks: file systems and swap; the only way out. 0 or -ENOMEM. */
int vh_storage_uses(const struct vh_root *root, json_t *host);
int vh_uplink_use(const struct vh_root *root, json_t *host);
/* Interfaces in the routing table of IPv4. 0 or -ENOMEM. */
int vh_routed(const struct vh_root *root, char ***ret);

/* --- other software */

/* Nobody else keeps the PF's VFs: systemd-networkd, NetworkManager, the SR-IOV operator. */
int vh_check_owner(const struct vh_sriov *s, const char *pf, struct vh_err *err);

#endif
