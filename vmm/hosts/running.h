// SPDX-License-Identifier: Apache-2.0
/* What running domains hold, whoever made them. */
#ifndef VH_VMM_RUNNING_H
#define VH_VMM_RUNNING_H

#include "vmm/vmm.h"

/* CPUs beside those that are taken already. -ENOMEM. */
int vh_taken_add_cpus(struct vh_taken *taken, const unsigned *cpus, size_t n);
/* Adds to taken, and to host's held devices, what the active domains of a daemon hold. */
int vh_taken_add_domains(struct vh_taken *taken, struct vh_virt *v, struct vh_host *host, struct vh_err *err);
/* The same of one domain by its live XML, of whose memory that many bytes are resident: CPUs
 * that its vCPUs are pinned to (of ours: that it leases), memory that it may still touch, PCI
 * devices. */
int vh_taken_add_domain(struct vh_taken *taken, struct vh_host *host, const char *xml, uint64_t resident,
			struct vh_err *err);

#endif
