// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_HOSTS_LOAD_H
#define VH_VMM_HOSTS_LOAD_H

#include "vmm/hosts/hosts.h"

/* A host that is read already, with what of it is taken and kept; name NULL: this one. The host
 * is taken over. */
int vh_plan_host_finish(const struct vh_hosts_query *q, const char *name, struct vh_host *host, struct vh_taken *taken,
			struct vh_plan_host *ret, struct vh_err *err);

#endif
