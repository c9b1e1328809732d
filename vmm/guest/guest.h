// SPDX-License-Identifier: Apache-2.0
/* What the guest of a layout sees: its PCI tree, and hwloc's XML and NCCL's for programs that
 * ask. These two are malloc'd; -ENOMEM. */
#ifndef VH_VMM_GUEST_H
#define VH_VMM_GUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/show/finding.h"
#include "lib/err.h"
#include "lib/machine.h"

struct vh_layout;

/* As `lstopo --of xml` inside shows it, without caches and without what is virtual. */
int vh_guest_hwloc(const struct vh_layout *layout, char **ret);
/* For NCCL_TOPO_FILE: which GPUs and NICs share a switch and a node. NCCL adds what it finds itself. */
int vh_guest_nccl(const struct vh_layout *layout, char **ret);

/* --- the PCI tree */

enum vh_port_model { VH_PORT_EXPANDER, VH_PORT_ROOT, VH_PORT_UPSTREAM, VH_PORT_DOWNSTREAM };
struct vh_guest_port {
	enum vh_port_model model;
	unsigned index;		/* libvirt's number of it as a controller */
	unsigned on, slot, function;	/* the controller that it is on, and where; on 0: libvirt's choice */
	bool multifunction;
	unsigned bus;		/* PCI bus below it, as the firmware numbers them */
	unsigned cell;		/* of an expander: guest node */
};
struct vh_guest_pci {
	struct vh_guest_port *ports;
	size_t n_ports;
	unsigned on[VH_PLAN_DEVICES_MAX];	/* of each device: its port's index */
	unsigned bus[VH_PLAN_DEVICES_MAX];	/* and its bus; 0: not known beforehand */
	uint64_t hole;		/* bytes of 64-bit address space for their BARs; 0: the usual is enough */
};
/* A port for each device: below an expander of its guest node, those of one switch below a
 * switch. -E2BIG: more buses than there are; -ENOMEM. */
int vh_guest_pci(const struct vh_layout *layout, struct vh_guest_pci *ret);
void vh_guest_pci_clear(struct vh_guest_pci *pci);
/* "0000:fb:00.0" of a device in the guest, into buf of 20 bytes; "": not known beforehand. */
const char *vh_guest_address(const struct vh_guest_pci *pci, size_t device, char *buf);

/* --- a guest's own word, against the layout */

/* Adds findings of "inside NAME": guest nodes with their memory, vCPUs and distances, processor, and
 * the node of each device. xml: a file that `lstopo --of xml` wrote inside. */
int vh_guest_compare(const struct vh_layout *layout, const char *name, const char *xml, struct vh_findings *ret,
		     struct vh_err *err);

#endif
