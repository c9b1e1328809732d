// SPDX-License-Identifier: Apache-2.0
/* PCI devices that matter to a virtual cluster, with their locality: HCAs and NICs as
 * PF and VFs, GPUs, NVMe. Read from sysfs under a root, which may be a captured one. */
#ifndef VH_SRIOV_H
#define VH_SRIOV_H

#include <jansson.h>
#include "lib/err.h"
#include "lib/sysroot.h"

/* Rows sorted by address. Members, null where the kernel does not say:
 * address "0000:3b:00.1", kind "ib"|"ethernet"|"gpu"|"nvme", function "pf"|"vf"|"device",
 * pf (address of a VF's PF), vf (its index), vendor, device (hexadecimal, 4 digits), driver,
 * numa (integer, null when the kernel says -1), root_complex, upstream (ports, the root port
 * first), iommu_group (integer), vfs, vfs_max (of a PF), netdevs [..], ibdevs [..], mac, link "up"|"down", speed (Mb/s). Of a GPU also hca (the nearest)
 * and hca_distance "switch"|"complex"|"node"|"system". attributes: of a VF what its PF has set, else null. */
int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err);

/* One device of any kind (kind null then), "3b:00.0" or "0000:3b:00.0": the members above and
 * class, subsystem, revision, cpus (local list), power, reset_methods [..], ari, pcie_speed,
 * pcie_width, pcie_speed_max, pcie_width_max, iommu_members [..], bars and vf_bars [{bar, size,
 * kind "memory"|"io", bits, prefetch}], vf_addresses (by index), vfs_autoprobe, slot_functions
 * [..], window (bytes of 64-bit address space that a guest needs for the slot), mdev_types
 * [{type, name, available, api}], vgpu_types [{type, name}], mig and mig_pending (of a GPU),
 * node_guid, pkeys [..], ports [{port, link_layer, state, physical, lid, sm_lid, port_guid,
 * rate, mtu, mtu_max, pkeys, netdev}], attributes with override. -ENOENT, refused, when there is none. */
int vh_sriov_show(const struct vh_root *root, const char *address, json_t **ret, struct vh_err *err);

/* Walks from the firmware to the guest: firmware, driver, VFs, IOMMU, group, vfio, guid, subnet
 * manager, P_Key, port; of a GPU and its nearest HCA root complex, ATS, ACS, relaxed ordering.
 * device NULL: PFs that have or want VFs, InfiniBand devices and GPUs. Rows: device, step, state
 * "ok"|"wrong"|"unknown", found, mend (the command that mends it, or null). Changes nothing. */
int vh_sriov_doctor(const char *root, const char *state, const char *device, json_t **ret, struct vh_err *err);

/* --- changes. Each is checked first, read back after, and undone when it fails: the error
 * then exits with 1, or with 4 where undoing failed too and the journal has it. A change that
 * a killed process left is undone by the next one of the same device. One at a time. */

struct vh_sriov;

/* root: NULL for this host; state: the state directory. */
int vh_sriov_open(struct vh_sriov **ret, const char *root, const char *state, struct vh_err *err);
void vh_sriov_close(struct vh_sriov *s);
static inline void vh_sriov_closep(struct vh_sriov **s) { vh_sriov_close(*s); }
#define vh_autosriov vh_cleanup(vh_sriov_closep) struct vh_sriov *

/* Waives what protects that device (the host lives on it, it is in use, others keep it). */
void vh_sriov_force(struct vh_sriov *s, const char *address);

/* n VFs. Another number than there is removes those that are; refused while any is leased or
 * used. probe: whether new VFs get a driver, 1 or 0; -1: as it is. */
int vh_sriov_create(struct vh_sriov *s, const char *pf, unsigned n, int probe, struct vh_err *err);

/* vf here and below: its address, or "PF/INDEX". name is "mac", "vlan", "qos", "spoofchk",
 * "trust", "min-rate", "max-rate", "link-state", "node-guid", "port-guid" or "pkey-index". */
struct vh_sriov_attr { const char *name, *value; };
int vh_sriov_set(struct vh_sriov *s, const char *vf, const struct vh_sriov_attr *attrs, size_t n,
		 struct vh_err *err);

/* To vfio-pci a GPU goes with all functions of its slot. device: of a VF also "PF/INDEX". */
int vh_sriov_bind(struct vh_sriov *s, const char *device, const char *driver, struct vh_err *err);
int vh_sriov_unbind(struct vh_sriov *s, const char *device, struct vh_err *err);
/* Back to the host: its own driver, attributes neutral, its lease given back. */
int vh_sriov_release(struct vh_sriov *s, const char *device, struct vh_err *err);
/* Resets the function, and makes sure that it answers. */
int vh_sriov_reset(struct vh_sriov *s, const char *device, struct vh_err *err);

/* What a device's functions are now, by reading: of a PF all VFs, of a VF itself, of a GPU
 * those of its slot. Rows of address, vf, driver, override, and the attributes that are
 * known by key ("mac", "min_rate", ...). */
int vh_sriov_functions(struct vh_sriov *s, const char *device, json_t **ret, struct vh_err *err);

/* Undoes what a killed run left of the device; *ret_n counts the changes. */
int vh_sriov_recover(struct vh_sriov *s, const char *device, unsigned *ret_n, struct vh_err *err);
/* What restore is to make of the device is forgotten; the device stays as it is. */
int vh_sriov_forget(struct vh_sriov *s, const char *device, struct vh_err *err);

/* Makes every device what was last asked of it, where it is now: found by its path of slots
 * when its address has changed. Waits for devices and drivers, wait_s at most, all in all.
 * Rows: device, stored (its address when it was stored), result "restored", "refused",
 * "failed" or "partly", cause, hint. */
int vh_sriov_restore(struct vh_sriov *s, unsigned wait_s, json_t **ret, struct vh_err *err);

/* --- leases. A VF is leased (kind "vf", key its address) to a holder, "vm/NAME". Safe from
 * any number of processes at a time. */

struct vh_sriov_request {
	const char *holder;
	const char *pf, *kind;	/* of this PF; "ib" or "ethernet"; NULL: any */
	int numa;		/* of this node; -1: any */
	int pid;		/* the lease ends with this process; 0: when it is given back */
};

/* A VF that nobody has or uses; the holder's own where it has one of these already. Refused,
 * -EBUSY, when none is free. ret_address: of 20 bytes. */
int vh_sriov_lease(struct vh_sriov *s, const struct vh_sriov_request *request, char *ret_address,
		   struct vh_err *err);
/* Gives back all VFs of the holder; *ret_n (or NULL) counts them. */
int vh_sriov_return(struct vh_sriov *s, const char *holder, unsigned *ret_n, struct vh_err *err);

/* Sets "lease" of each row of vh_sriov_list: the holder, or null. */
struct vh_store;
int vh_sriov_add_leases(struct vh_store *store, json_t *rows, struct vh_err *err);

/* Sets "use" of each row of vh_sriov_list: for what this host has it (its storage, its way out, a
 * process or network), or null. -ENOMEM. */
int vh_sriov_add_uses(const struct vh_root *root, json_t *rows, struct vh_err *err);

struct vh_sriov_identity { char mac[18], guid[24]; };
/* The MAC and GUID of a VM's port: derived from the names, so that they are the same after
 * any restart and on any host, and leased to "vm/NODE" so that no other VM here gets them. */
int vh_sriov_identity(struct vh_sriov *s, const char *cluster, const char *node, unsigned port,
		      struct vh_sriov_identity *ret, struct vh_err *err);

#endif
