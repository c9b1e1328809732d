// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DOCTOR_PAIR_H
#define VH_SRIOV_DOCTOR_PAIR_H

#include "sriov/doctor/finding.h"

/* A GPU and its nearest HCA. gpu: its row. */
void vh_doctor_pair(struct vh_doctor *d, const json_t *gpu);

#endif
