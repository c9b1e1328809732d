// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_NVML_H
#define VH_SRIOV_NVML_H

#include <stdbool.h>

/* path: the library. 0, or -errno where it is none, or it says no. */
int vh_nvml_mig(const char *path, const char *address, bool *ret_on, bool *ret_pending);

#endif
