// SPDX-License-Identifier: Apache-2.0
/* What this machine's kernel says: whether it runs VMs, what memory is free, and where QEMU's
 * threads and pages are. */
#ifndef VH_VMM_KERNEL_H
#define VH_VMM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/machine.h"

struct vh_root;

/* --- acceleration: KVM only where the processor offers it (vmx or svm) and a guest of
 * three instructions gets past them; /dev/kvm alone is no proof. */

struct vh_accel {
	bool kvm;
	bool topoext;		/* AMD's: guests know of hardware threads only where it is offered */
	char why[160];		/* "the processor offers neither vmx nor svm, although /dev/kvm opens" */
};
void vh_accel_detect(const struct vh_root *root, struct vh_accel *ret);
/* That alone: no guest is tried. */
bool vh_accel_topoext(const struct vh_root *root);
static inline const char *vh_accel_name(const struct vh_accel *a) { return a->kvm ? "kvm" : "tcg"; }

/* The program that serves directories of this machine to VMs, static; NULL: there is none. */
const char *vh_virtiofsd(const struct vh_root *root);

/* Bytes of RAM of a node and what of them the kernel could give a VM now: unused, or only
 * cached files. -errno where the host does not say. */
int vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free);

/* --- a VM's QEMU: where its threads may run and its memory is */

/* QEMU's process for the VM among those of proc (a strv), by the name that libvirt gives it and by its UUID:
 * another libvirt may have a VM of that name. uuid NULL or "": not known. NULL when there is none. */
const char *vh_qemu_process(const struct vh_root *root, char *const *pids, const char *vm, const char *uuid);

/* An allocator touches memory before the start, from any CPU of its node, and then sleeps. */
enum vh_thread_kind { VH_THREAD_VCPU, VH_THREAD_IO, VH_THREAD_OTHER, VH_THREAD_ALLOCATOR };
struct vh_thread {
	enum vh_thread_kind kind;
	pid_t tid;
	unsigned id;		/* of a vCPU from 0, of an I/O thread from 1 */
	char *allowed;		/* CPUs that it may run on, as the kernel lists them */
	char *cpuset, *mems;	/* of its cgroup: CPUs and nodes; NULL: it has none */
};
/* QEMU names its threads where libvirt asks for it, which it does. Those that end meanwhile
 * are left out. -errno when the process is gone. */
int vh_process_threads(const struct vh_root *root, const char *pid, struct vh_thread **ret, size_t *ret_n);
void vh_threads_free(struct vh_thread *threads, size_t n);

struct vh_memory {		/* one mapping */
	uint64_t bytes, page;
	char policy[64];	/* "bind:0", "default", ... */
	uint64_t on[VH_HOST_NODES_MAX];	/* bytes of it that are there, by node */
};
/* The process's mappings of that many bytes. -errno. */
int vh_process_memory(const struct vh_root *root, const char *pid, uint64_t bytes, struct vh_memory **ret, size_t *ret_n);

#endif
