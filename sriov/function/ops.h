// SPDX-License-Identifier: Apache-2.0
/* The effects that sriov has on a host, as a table, so that a test can put a kernel of its
 * own there. What is only read in /sys goes through the root. */
#ifndef VH_SRIOV_OPS_H
#define VH_SRIOV_OPS_H

#include "lib/store.h"
#include "sriov/sriov.h"
#include "sriov/function/state.h"

struct vh_sriov_ops {
	/* Writes a file below the root in one write; 0 or -errno. */
	int (*write)(void *arg, const struct vh_root *root, const char *path, const char *text);
	/* Fills what the PF's network device says of its VFs: values and have of fn[i].index. */
	int (*vf_read)(void *arg, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err);
	/* Has the PF's network device set, of each fn, the attributes in have (not the drivers).
	 * MIN_RATE and MAX_RATE, VLAN and QOS go in pairs. On failure some may be set. */
	int (*vf_write)(void *arg, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err);
	/* Raises a network device; its link comes up some time later. */
	int (*link_up)(void *arg, const char *netdev, struct vh_err *err);
};

/* The kernel's; its arg is unused. They refuse a captured root. */
extern const struct vh_sriov_ops vh_sriov_kernel;

/* What every change works with. */
struct vh_sriov {
	struct vh_root *root;
	const struct vh_sriov_ops *ops;
	void *arg;
	char *state;		/* the state directory */
	struct vh_store *store;
	char *force;		/* address of the device whose protection is waived, or NULL */
};

/* vh_sriov_open with effects of another hand. */
int vh_sriov_open_with(struct vh_sriov **ret, const char *root, const struct vh_sriov_ops *ops, void *arg,
		       const char *state, struct vh_err *err);
int vh_sriov_doctor_with(const struct vh_sriov *s, const char *device, json_t **ret, struct vh_err *err);

#endif
