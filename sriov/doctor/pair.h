// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DOCTOR_PAIR_H
#define VH_SRIOV_DOCTOR_PAIR_H

#include "sriov/doctor/finding.h"

/* A GPU and its nearest HCA. */
void vh_doctor_pair(struct vh_doctor *d, const struct vh_pci_device *gpu);

#endif
