// SPDX-License-Identifier: Apache-2.0
/* What the guest of a layout sees, for programs that ask: hwloc's XML and NCCL's. Both are
 * malloc'd; -ENOMEM. */
#ifndef VH_VMM_GUEST_H
#define VH_VMM_GUEST_H

#include "vmm/layout/layout.h"

/* As `lstopo --of xml` inside shows it, without caches and without what is virtual. */
int vh_guest_hwloc(const struct vh_layout *layout, char **ret);
/* For NCCL_TOPO_FILE: which GPUs and NICs share a switch and a node. NCCL adds what it finds itself. */
int vh_guest_nccl(const struct vh_layout *layout, char **ret);

/* "0000:fb:00.0" of a device in the guest, into buf of 20 bytes; "": not known beforehand. */
const char *vh_guest_address(const struct vh_guest_pci *pci, size_t device, char *buf);

/* --- a guest's own word, against the layout */

/* Rows of what, plan, guest, ok (true, false): guest nodes with their memory, vCPUs and distances,
 * processor, and the node of each device. xml: a file that `lstopo --of xml` wrote inside. */
int vh_guest_compare(const struct vh_layout *layout, const char *xml, json_t **ret, struct vh_err *err);

#endif
