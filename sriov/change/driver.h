// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DRIVER_H
#define VH_SRIOV_DRIVER_H

#include "sriov/change/wanted.h"
#include "sriov/function/function.h"

/* A device's unit of change: a VF's PF, else the device itself; and the function in it. */
int vh_sriov_locate(struct vh_sriov *s, const char *text, struct vh_pf *ret, struct vh_err *err);
/* A GPU brings its sound, USB and the like: the functions of its slot in its group. */
int vh_sriov_companions(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err);

/* All functions of want get the driver and the override (NULL: the one that they have), unless one is in use. */
int vh_driver_change(struct vh_sriov *s, struct vh_pf *want, const char *driver, const char *override,
		     enum vh_keep keep, struct vh_err *err);

#endif
