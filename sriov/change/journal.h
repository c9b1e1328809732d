// SPDX-License-Identifier: Apache-2.0
/* With the state before in the journal until all is done. */
#ifndef VH_SRIOV_JOURNAL_H
#define VH_SRIOV_JOURNAL_H

#include "sriov/change/wanted.h"
#include "sriov/function/function.h"

/* Between the two nobody else changes a device. enter undoes what an earlier run left of
 * this device (address; NULL: of none). */
int vh_sriov_enter(struct vh_sriov *s, const char *address, int *ret_lock, struct vh_err *err);

/* Undoes what runs that were killed left of the device; *ret_n (or NULL) counts them. */
int vh_sriov_undo_left(struct vh_sriov *s, const char *address, unsigned *ret_n, struct vh_err *err);

/* Applies want, with the state before in the journal; stores what is wanted from now on.
 * On failure all is as before (exit 1), or the journal has it and the exit is "partly". */
int vh_sriov_change(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err);

#endif
