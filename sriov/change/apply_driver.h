// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_APPLY_DRIVER_H
#define VH_SRIOV_APPLY_DRIVER_H

#include "sriov/function/function.h"

/* Each function of want gets its driver and override; rebind[i]: want->fn[i] is bound again even so. */
int vh_fn_apply_drivers(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *cur,
			const bool *rebind, struct vh_err *err);
/* Resets those that have VH_FN_RESET. */
int vh_fn_apply_resets(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err);
/* Resets the function, and makes sure that it answers; refused where the kernel knows no way. */
int vh_fn_reset(const struct vh_sriov *s, const char *address, struct vh_err *err);

#endif
