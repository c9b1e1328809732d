// SPDX-License-Identifier: Apache-2.0
/* From the state that is to the state that is wanted, in steps that are read back, with the
 * state before in the journal until all is done. */
#ifndef VH_SRIOV_CHANGE_H
#define VH_SRIOV_CHANGE_H

#include "sriov/function/ops.h"
#include "sriov/sriov.h"

/* --- observe.c */

/* The PF (or a device without VFs: n 0), its VFs, their drivers and attributes. */
int vh_pf_observe(const struct vh_sriov *s, const char *address, struct vh_pf *ret, struct vh_err *err);
/* What a PF has set of each of vfs (vh_pci_vfs): object by VF address; NULL where it cannot be asked. */
json_t *vh_pf_attributes(const struct vh_root *root, const char *pf, const json_t *vfs);
/* Has the PF set of each fn what it has (vf_write), under the name that its network device has by then. */
int vh_pf_write(const struct vh_sriov *s, struct vh_pf *pf, const struct vh_fn *fn, size_t n, struct vh_err *err);
/* One function's driver and override. */
int vh_fn_observe(const struct vh_root *root, struct vh_fn *fn, struct vh_err *err);
/* The file below the root through which an attribute is set; NULL: over rtnetlink. */
char *vh_fn_attr_file(const struct vh_root *root, const struct vh_pf *pf, const struct vh_fn *fn,
		      enum vh_fn_attr attr);

/* --- apply.c */

/* Brings the device to what want has, and reads all of it back. May stop half-way. */
int vh_pf_apply(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err);

/* Whether the VF is bound to its driver again on the way: the driver sees a new GUID only then, and one that
 * is trusted from now on would set the MAC that it knows, if late. */
bool vh_fn_rebinds(const struct vh_fn *want, const struct vh_fn *cur);

/* Resets the function, and makes sure that it answers; refused where the kernel knows no way. */
int vh_fn_reset(const struct vh_sriov *s, const char *address, struct vh_err *err);

/* --- journal.c */

/* Between the two nobody else changes a device. enter undoes what an earlier run left of
 * this device (address; NULL: of none). */
int vh_sriov_enter(struct vh_sriov *s, const char *address, int *ret_lock, struct vh_err *err);

/* Undoes what runs that were killed left of the device; *ret_n (or NULL) counts them. */
int vh_sriov_undo_left(struct vh_sriov *s, const char *address, unsigned *ret_n, struct vh_err *err);

/* How a change enters the stored wanted state. */
enum vh_keep { VH_KEEP_NOT, VH_KEEP_MERGE, VH_KEEP_DROP_FNS };

/* Applies want, with the state before in the journal; stores what is wanted from now on.
 * On failure all is as before (exit 1), or the journal has it and the exit is "partly". */
int vh_sriov_change(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err);

/* --- wanted.c */

#define VH_WANTED "sriov-wanted"

/* "pci0000:3a/02.0/00.0": the root complex and the slots from there; malloc'd. */
char *vh_pci_path(const struct vh_root *root, const char *address);
/* Where the device of a stored state is now. */
int vh_wanted_locate(const struct vh_root *root, const char *address, const json_t *doc,
		     char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err);
/* Within the caller's transaction. */
int vh_wanted_keep(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err);

#endif
