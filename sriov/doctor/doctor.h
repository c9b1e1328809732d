// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DOCTOR_H
#define VH_SRIOV_DOCTOR_H

#include "lib/err.h"
#include "lib/show/finding.h"

struct vh_sriov;

/* Walks from the firmware to the guest: firmware, driver, VFs, IOMMU, group, vfio, guid, subnet
 * manager, P_Key, port; of a GPU and its nearest HCA root complex, ATS, ACS, relaxed ordering.
 * device NULL: PFs that have or want VFs, InfiniBand devices and GPUs. Adds findings whose object is
 * the device's address. Changes nothing. */
int vh_sriov_doctor(const char *root, const char *state, const char *device, struct vh_findings *ret, struct vh_err *err);
/* The same with effects of another hand. */
int vh_sriov_doctor_with(const struct vh_sriov *s, const char *device, struct vh_findings *ret, struct vh_err *err);

#endif
