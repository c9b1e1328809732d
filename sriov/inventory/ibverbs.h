// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_IBVERBS_H
#define VH_SRIOV_IBVERBS_H

#include <jansson.h>

/* Sets mtu and mtu_max, in bytes. path: the library. 0, or -errno where it is none, or it knows no such port. */
int vh_ibverbs_port(const char *path, const char *ibdev, int number, json_t *port);

#endif
