// SPDX-License-Identifier: Apache-2.0
/* A VF is leased (kind "vf", key its address) to a holder, "vm/NAME". Safe from any number of
 * processes at a time. */
#ifndef VH_SRIOV_LEASE_H
#define VH_SRIOV_LEASE_H

#include "lib/store/store.h"
#include "lib/sysroot.h"
#include "sriov/inventory/inventory.h"

struct vh_sriov;

struct vh_sriov_request {
	const char *holder;
	const char *pf;		/* of this PF; NULL: any */
	enum vh_pci_kind kind;	/* VH_PCI_OTHER: any */
	int numa;		/* of this node; -1: any */
	int pid;		/* the lease ends with this process; 0: when it is given back */
};

/* A VF that nobody has or uses; the holder's own where it has one of these already. Refused,
 * -EBUSY, when none is free. ret_address: of 20 bytes. */
int vh_sriov_lease(struct vh_sriov *s, const struct vh_sriov_request *request, char *ret_address,
		   struct vh_err *err);
/* Gives back all VFs of the holder; *ret_n (or NULL) counts them. */
int vh_sriov_return(struct vh_sriov *s, const char *holder, unsigned *ret_n, struct vh_err *err);

struct vh_sriov_identity { char mac[18], guid[24]; };
/* The MAC and GUID of a VM's port: derived from the names, so that they are the same after
 * any restart and on any host, and leased to "vm/NODE" so that no other VM here gets them. */
int vh_sriov_identity(struct vh_sriov *s, const char *cluster, const char *node, unsigned port,
		      struct vh_sriov_identity *ret, struct vh_err *err);

/* --- who has each device */

/* Sets the lease of each device. */
int vh_sriov_add_leases(struct vh_store *store, struct vh_pci_devices *devices, struct vh_err *err);

/* Sets the use of each device: for what this host has it (its storage, its way out, a process or network). */
int vh_sriov_add_uses(const struct vh_root *root, struct vh_pci_devices *devices, struct vh_err *err);

#endif
