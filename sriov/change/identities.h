// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_IDENTITIES_H
#define VH_SRIOV_IDENTITIES_H

#include "sriov/function/function.h"

/* No other VF of this host has, or is to have, that identity. */
int vh_check_unique(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err);

#endif
