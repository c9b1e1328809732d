// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DOCTOR_FUNCTION_H
#define VH_SRIOV_DOCTOR_FUNCTION_H

#include "sriov/doctor/finding.h"
#include "sriov/function/function.h"

/* Its IOMMU group, its driver; of an InfiniBand VF its GUID. */
void vh_doctor_function(struct vh_doctor *d, const struct vh_pf *pf, const struct vh_fn *fn);

#endif
