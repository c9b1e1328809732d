// SPDX-License-Identifier: Apache-2.0
/* Threads that float (vCPUs of the shared policy, and QEMU's own beside them) run on the CPUs
 * that their VM's definition names, less those that another VM leases: a VM that starts with
 * CPUs of its own has them alone, and once it is stopped the others spread again. */
#ifndef VH_VMM_FLOATING_H
#define VH_VMM_FLOATING_H

#include "lib/store/store.h"
#include "vmm/vm/vm.h"

/* The CPUs of a list that no holder but this one leases, as a list: "" for none; malloc'd, NULL
 * without memory. */
char *vh_floating_left(const char *cpus, const struct vh_lease *leases, size_t n, const char *holder);

/* Settles them (vh_floating_settle) once that VM runs; without CPUs of its own it took none from others, and is settled
 * alone. store: that of the state, where it is open; or NULL. */
int vh_floating_settle_new(struct vh_virt *v, const char *state, struct vh_store *store, const char *name, bool own,
			   struct vh_err *err);

/* Whether all threads of the running VMs, and of that of name, have a CPU left by these leases.
 * Refused, -ENOSPC, naming the VM that has none. */
int vh_floating_check(struct vh_virt *v, const struct vh_lease *leases, size_t n, const char *name, struct vh_err *err);

#endif
