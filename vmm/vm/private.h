// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_VM_PRIVATE_H
#define VH_VMM_VM_PRIVATE_H

#include "vmm/vm/vm.h"

struct vh_accel;

/* The directory with all that the domain names. Whoever calls removes it when this fails. */
int vh_vm_make_files(const char *state, const struct vh_vm *vm, struct vh_err *err);
/* The domain, once these files are there. */
int vh_vm_xml(const char *state, const struct vh_vm *vm, const struct vh_accel *accel, const struct vh_root *root,
	      char **ret, struct vh_err *err);

#endif
