// SPDX-License-Identifier: Apache-2.0
/* Changes of PFs, VFs and drivers. Each is checked first, read back after, and undone when it fails:
 * the error then exits with 1, or with 4 where undoing failed too and the journal has it. A change
 * that a killed process left is undone by the next one of the same device. One at a time. */
#ifndef VH_SRIOV_CHANGE_H
#define VH_SRIOV_CHANGE_H

#include <jansson.h>
#include <stddef.h>
#include "lib/err.h"

struct vh_sriov;

/* root: NULL for this host; state: the state directory. */
int vh_sriov_open(struct vh_sriov **ret, const char *root, const char *state, struct vh_err *err);
void vh_sriov_close(struct vh_sriov *s);
static inline void vh_sriov_closep(struct vh_sriov **s) { vh_sriov_close(*s); }
#define vh_autosriov vh_cleanup(vh_sriov_closep) struct vh_sriov *

/* Waives what protects that device (the host lives on it, it is in use, others keep it). */
void vh_sriov_force(struct vh_sriov *s, const char *address);

struct vh_sriov_ops;
/* The same with effects of another hand. */
int vh_sriov_open_with(struct vh_sriov **ret, const char *root, const struct vh_sriov_ops *ops, void *arg,
		       const char *state, struct vh_err *err);

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

/* --- what is wanted after a boot */

#define VH_WANTED "sriov-wanted"

#endif
