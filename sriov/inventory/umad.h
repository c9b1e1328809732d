// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_UMAD_H
#define VH_SRIOV_UMAD_H

#include <jansson.h>

/* Adds state, physical, lid, sm_lid, port_guid, rate and pkeys where port has null. path: the library.
 * 0, or -errno where it is none, or it knows no such port. */
int vh_umad_port(const char *path, const char *ibdev, int number, json_t *port);

#endif
