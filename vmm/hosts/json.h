// SPDX-License-Identifier: Apache-2.0
/* A host, with what is taken of it, as JSON (docs/formats/vm.md): how one tells another. */
#ifndef VH_VMM_HOST_JSON_H
#define VH_VMM_HOST_JSON_H

#include "vmm/place/plan.h"

#define VH_HOST_SCHEMA "vhpc.vm.host/1"

/* NULL without memory. */
json_t *vh_host_to_json(const struct vh_left *left);
/* doc is untrusted, name stands for it in errors. What is not free comes back as taken (CPUs)
 * and held (devices), or is gone from free memory and pages. Refused. */
int vh_host_from_json(const char *name, const char *doc, size_t len, struct vh_host **ret, struct vh_taken *ret_taken,
		      struct vh_err *err);

#endif
