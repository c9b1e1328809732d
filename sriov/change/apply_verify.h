// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_APPLY_VERIFY_H
#define VH_SRIOV_APPLY_VERIFY_H

#include "sriov/function/function.h"

/* Reads all of want back, -EIO where it is not so. was: before the change. */
int vh_pf_verify(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *was, struct vh_err *err);

#endif
