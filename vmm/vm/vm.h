// SPDX-License-Identifier: Apache-2.0
/* VMs made from a plan: their directory STATE/vms/NAME, their domain, what they hold while they
 * run, and whether they run as planned. */
#ifndef VH_VMM_VM_H
#define VH_VMM_VM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "lib/err.h"
#include "lib/show/finding.h"

struct vh_domain_lease;
struct vh_foreign;
struct vh_host;
struct vh_layout;
struct vh_lease;
struct vh_root;
struct vh_store;
struct vh_virt;

#define VH_VM_OWNER "vhpc vm"	/* in the domain's metadata */

/* What a VM is defined from. Paths are absolute. */
struct vh_vm {
	char *name;
	struct vh_layout *layout;	/* who asks for it clears it */
	char *image;		/* directory of an image, or NULL */
	char *kernel, *initrd, *cmdline;	/* instead of the image's; cmdline: after the image's */
	char *identity;
	char **disks;		/* "FORMAT:PATH" */
	char **nics;		/* "TAP" or "TAP,MAC" */
	bool rehearse;
	unsigned uid;		/* whom QEMU runs as; 0: whom libvirt has for all. Found when it is defined */
};
void vh_vm_clear(struct vh_vm *vm);

/* STATE/vms/NAME/FILE; malloc'd, NULL without memory. */
char *vh_vm_file(const char *state, const char *name, const char *file);

/* Writes what a guest of that layout is told of itself to DIR/hwloc.xml, and with GPUs DIR/nccl.xml. */
int vh_vm_tell_guest(const char *dir, const struct vh_layout *layout, struct vh_err *err);

/* Makes directory and domain, all or nothing; what a killed run left is removed first.
 * Ethernet VFs get their MACs. Refused, -EEXIST, where the name is taken. */
int vh_vm_define(struct vh_virt *v, const char *state, struct vh_vm *vm, struct vh_err *err);
/* Removes both, and the identities of its VFs; refused while it runs. */
int vh_vm_undefine(struct vh_virt *v, const char *state, const char *name, struct vh_err *err);
/* The plan that it was defined from. -ENOENT (no error text): it is none of these. */
int vh_vm_layout(const char *state, const char *name, struct vh_layout *ret, bool *ret_rehearse, struct vh_err *err);
/* vh_foreign_parse of a domain on the host of that root. */
int vh_vm_read_foreign(const char *xml, const struct vh_root *root, struct vh_foreign *ret, struct vh_err *err);
/* Whether this host has the CPUs, nodes and devices of the layout; refused, naming what lacks. */
int vh_vm_check_host(const struct vh_host *host, const struct vh_root *root, const char *name,
		     const struct vh_layout *layout, struct vh_err *err);

struct vh_start {
	const char *owner;		/* whose it has to be; NULL: anybody's of ours */
	struct vh_store *planned;	/* that it was planned in just now, for this host, so that it holds its leases there and
					 * the host lacks nothing; else NULL */
	const char *was;		/* set: its state before, of vh_virt_state */
};
/* Starts one of ours, having looked first whether it can get its leases; sees to it that it has
 * them afterwards, hook or not. */
int vh_vm_start(struct vh_virt *v, const char *state, const char *name, struct vh_start *how, bool *ret_started,
		struct vh_err *err);
/* After it has ended: gives its leases back, hook or not. */
int vh_vm_ended(struct vh_virt *v, const char *state, const char *name, struct vh_err *err);
/* Takes again what one of ours holds by its domain and its plan, where a lost store does not know it: its user, its
 * MACs, and while it runs CPUs, memory and devices. *ret_n: leases that were not there. */
int vh_vm_recover(struct vh_virt *v, const char *state, const char *name, unsigned *ret_n, struct vh_err *err);
/* Makes a state directory one's own that is strange (lib/files/home.h); refused while a VM of it runs. */
int vh_vms_adopt(const char *state, struct vh_err *err);
/* Pins the running VMs' floating threads to the CPUs that nobody leases for himself. After leases
 * were dropped; vh_vm_start does it itself. Never while a transaction is open. */
int vh_floating_settle(struct vh_virt *v, const char *state, struct vh_err *err);

/* --- whom QEMU runs as */

/* Leases (kind "uid") a user that nobody has, of VHPC_UIDS; refused where there is none. The caller groups it. */
int vh_user_take(struct vh_store *s, const char *holder, unsigned *ret, struct vh_err *err);
/* The group that goes with such a user: /dev/kvm's, or where there is none the user's own. */
unsigned vh_user_group(unsigned uid);

/* --- leases, without libvirt */

/* Takes what the lease names: ("cpu", "3"), ("memory", "NODE:HOLDER", bytes) within the node's
 * RAM or, in huge pages, ("hugepage", "NODE:SIZE:HOLDER", bytes) within its pool, and ("vf",
 * ADDRESS). Refused where a device is not there. Those of VMs that have ended unnoticed are given back
 * first. The caller groups it (vh_store_begin), so that a plan and
 * its leases are one transaction; never hold one open over vh_virt_start, whose hook
 * writes to the store too. Refused with the holder's name when another has a CPU. */
int vh_domain_lease_take(struct vh_store *s, const struct vh_root *root,
			 const struct vh_domain_lease *lease, struct vh_err *err);
/* The same, where the caller's group has given back already what those hold that have ended. */
int vh_domain_lease_take_more(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
			      struct vh_err *err);
/* The same, of a part of what the holder had until the caller's group gave it back: there is room for that, whatever others
 * were promised. */
int vh_domain_lease_take_less(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
			      struct vh_err *err);
/* Takes ("memory", "NODE:/dev/shm/NAME", bytes): memory that VMs share, of whoever owns them, within
 * the node's RAM; vh_taken_load counts what of that file is not there yet. */
int vh_shared_lease_take(struct vh_store *s, const struct vh_root *root, unsigned node, const char *name,
			 uint64_t bytes, const char *holder, struct vh_err *err);
/* They end with that process at the latest: libvirt, while it starts QEMU; 0: QEMU, which is looked for. */
int vh_domain_lease_keep(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease, pid_t pid,
			 struct vh_err *err);
/* Gives back CPUs, memory and devices; address, MAC and the like stay. */
int vh_domain_lease_drop(struct vh_store *s, const char *holder, struct vh_err *err);

/* --- a VM beside its plan: what libvirt says, what its cgroup lets it, and what the kernel does */

struct vh_check {
	const char *name;	/* the VM's: object of the findings */
	const struct vh_layout *layout;
	const struct vh_host *rehearse;	/* the host that it is rehearsed on, or NULL */
	const char *xml;	/* the domain as libvirt has it, running or not */
	const struct vh_root *root;
	const struct vh_lease *leases;	/* of CPUs, where it runs: what others have it does not float on */
	size_t n_leases;
	const char *holder;
	const char *pid;	/* QEMU's process below root's proc; NULL: libvirt alone is asked */
};
/* A finding a thread, guest node and device: wanted is the plan, found the kernel's word, else the
 * cgroup's, else libvirt's; the rows have all three as members of these names, null: says nothing. */
int vh_check(const struct vh_check *check, struct vh_findings *ret, struct vh_err *err);

#endif
