// SPDX-License-Identifier: Apache-2.0
/* A VM beside its plan: what libvirt says, what its cgroup lets it, and what the kernel does. */
#ifndef VH_VMM_CHECK_H
#define VH_VMM_CHECK_H

#include <jansson.h>
#include "lib/store.h"
#include "lib/sysroot.h"
#include "vmm/layout/layout.h"

struct vh_check {
	const struct vh_layout *layout;
	const struct vh_host *rehearse;	/* the host that it is rehearsed on, or NULL */
	const char *xml;	/* the domain as libvirt has it, running or not */
	const struct vh_root *root;
	const struct vh_lease *leases;	/* of CPUs, where it runs: what others have it does not float on */
	size_t n_leases;
	const char *holder;
	const char *pid;	/* QEMU's process below root's proc; NULL: libvirt alone is asked */
};
/* Rows of what, plan, libvirt, cgroup, kernel (text, or null: says nothing), and ok: true, false,
 * or null where this host cannot tell. */
int vh_check_rows(const struct vh_check *check, json_t **ret, struct vh_err *err);

#endif
