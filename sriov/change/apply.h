// SPDX-License-Identifier: Apache-2.0
/* From the state that is to the state that is wanted, in steps that are read back. */
#ifndef VH_SRIOV_APPLY_H
#define VH_SRIOV_APPLY_H

#include "sriov/function/function.h"

/* Brings the device to what want has, and reads all of it back. May stop half-way. */
int vh_pf_apply(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err);

/* Whether the VF is bound to its driver again on the way: the driver sees a new GUID only then, and one that
 * is trusted from now on would set the MAC that it knows, if late. */
bool vh_fn_rebinds(const struct vh_fn *want, const struct vh_fn *cur);

#endif
