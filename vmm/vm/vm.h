// SPDX-License-Identifier: Apache-2.0
/* VMs made from a plan: their directory STATE/vms/NAME, and their domain. */
#ifndef VH_VMM_VM_H
#define VH_VMM_VM_H

#include "lib/store.h"
#include "vmm/vmm.h"

#define VH_VM_OWNER "vhpc vm"	/* in the domain's metadata */

/* What a VM is defined from. Paths are absolute. */
struct vh_vm {
	char *name;
	struct vh_layout layout;
	char *image;		/* directory of an image, or NULL */
	char *kernel, *initrd, *cmdline;	/* instead of the image's; cmdline: after the image's */
	char *identity;
	char **disks;		/* "FORMAT:PATH" */
	char **nics;		/* "TAP" or "TAP,MAC" */
	bool rehearse;
};
void vh_vm_clear(struct vh_vm *vm);

/* STATE/vms/NAME/FILE; malloc'd, NULL without memory. */
char *vh_vm_file(const char *state, const char *name, const char *file);

/* Makes directory and domain, all or nothing; what a killed run left is removed first.
 * Ethernet VFs get their MACs. Refused, -EEXIST, where the name is taken. */
int vh_vm_define(struct vh_virt *v, const char *state, struct vh_vm *vm, struct vh_err *err);
/* Removes both, and the identities of its VFs; refused while it runs. */
int vh_vm_undefine(struct vh_virt *v, const char *state, const char *name, struct vh_err *err);
/* The plan that it was defined from. -ENOENT (no error text): it is none of these. */
int vh_vm_layout(const char *state, const char *name, struct vh_layout *ret, bool *ret_rehearse, struct vh_err *err);
/* Whether this host has the CPUs, nodes and devices of the layout; refused, naming what lacks. */
int vh_vm_check_host(const struct vh_host *host, const struct vh_root *root, const char *name,
		     const struct vh_layout *layout, struct vh_err *err);
/* After it has ended: gives its leases back, hook or not. */
int vh_vm_ended(struct vh_virt *v, const char *state, const char *name, struct vh_err *err);

#endif
