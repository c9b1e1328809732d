// SPDX-License-Identifier: Apache-2.0
/* Parts of a domain's XML. Each appends to its parent; an error is found at the end. */
#ifndef VH_VMM_DOMAIN_PRIVATE_H
#define VH_VMM_DOMAIN_PRIVATE_H

#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"

struct vh_guest_pci;

/* Attributes and children of the element {VH_DOMAIN_NS}lease. -ENOMEM. */
int vh_domain_fill_lease(xmlNodePtr node, const struct vh_domain_lease *lease);
/* vCPUs with those that stay unplugged. */
unsigned vh_domain_max_vcpus(const struct vh_domain *d);

/* memoryBacking, vcpu, iothreads, cputune, numatune. -ENOMEM. */
int vh_domain_add_binding(xmlNodePtr domain, const struct vh_domain *d);
/* features, cpu with topology and guest nodes. */
void vh_domain_add_cpu(xmlNodePtr domain, const struct vh_domain *d);
/* Kernel parameters that go with the layout, after those given; malloc'd. */
char *vh_domain_cmdline(const struct vh_domain *d);
/* The ports for the layout's devices, and these. */
void vh_domain_add_passed(xmlNodePtr devices, const struct vh_domain *d, const struct vh_guest_pci *pci);
/* Disks, directories, NICs, shared memory, console, random numbers. */
void vh_domain_add_virtual(xmlNodePtr devices, const struct vh_domain *d);

#endif
