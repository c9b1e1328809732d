// SPDX-License-Identifier: Apache-2.0
/* With which process a VM's leases end. holder: "vm/NAME". A caller groups what belongs together. */
#ifndef VH_VMM_LIFE_H
#define VH_VMM_LIFE_H

#include <sys/types.h>
#include "lib/err.h"

struct vh_root;
struct vh_store;

/* The holder's leases are of this boot, and end with that process at the latest: QEMU, or libvirt while it
 * starts it. uuid: the VM's, or NULL where it is not known. pid 0: planned, no process yet; one that is known stays. */
int vh_life_begin(struct vh_store *s, const struct vh_root *root, const char *holder, const char *uuid, pid_t pid,
		  struct vh_err *err);
/* QEMU's process of a holder among those of proc (a strv); NULL when there is none. */
const char *vh_life_process(struct vh_store *s, const struct vh_root *root, char *const *pids, const char *holder);
/* Gives back CPUs, memory and devices; address, MAC and the like stay. */
int vh_life_end(struct vh_store *s, const char *holder, struct vh_err *err);
/* Ends those whose process is gone and those of another boot, but none whose QEMU is there: nobody
 * needs to be asked, so the hook does it too. */
int vh_lives_sweep(struct vh_store *s, const struct vh_root *root, struct vh_err *err);
/* The same for this host and the store of state, which is opened for writing only where there is one to
 * end. Never while a transaction is open. */
int vh_lives_sweep_state(const char *state, struct vh_err *err);

#endif
