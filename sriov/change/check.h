// SPDX-License-Identifier: Apache-2.0
/* What a change is refused for, looked at before the first effect. */
#ifndef VH_SRIOV_CHECK_H
#define VH_SRIOV_CHECK_H

#include "sriov/function/function.h"

/* The host does not live on it, and nobody uses it. Waived by --force ADDRESS. */
int vh_check_free(const struct vh_sriov *s, const char *address, struct vh_err *err);
/* None of the VFs is leased or used: else refused with who has them. */
int vh_check_vfs_idle(const struct vh_sriov *s, const struct vh_pf *pf, struct vh_err *err);
/* Its IOMMU group can go to vfio: nothing in it but itself, and what is taken along. */
int vh_check_group(const struct vh_sriov *s, const struct vh_pf *taken, struct vh_err *err);

#endif
