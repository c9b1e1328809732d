// SPDX-License-Identifier: Apache-2.0
/* What the files that make domains, and read them back, ask of a layout. here: the host of a
 * rehearsal, of whose CPUs and nodes alone is spoken then; or NULL. */
#ifndef VH_VMM_LAYOUT_H
#define VH_VMM_LAYOUT_H

#include "vmm/vmm.h"

struct vh_numbers { unsigned *v; size_t n; };
void vh_numbers_clear(struct vh_numbers *n);

bool vh_layout_is_dedicated(const struct vh_layout *layout);
bool vh_layout_node_is_here(const struct vh_host *here, unsigned node);
/* CPUs that nobody else may have: of vCPUs, kept idle, of the emulator. -ENOMEM. */
int vh_layout_own(const struct vh_layout *layout, const struct vh_host *here, struct vh_numbers *ret);
/* CPUs that vCPUs run on. -ENOMEM. */
int vh_layout_used(const struct vh_layout *layout, const struct vh_host *here, struct vh_numbers *ret);
/* Lists of CPUs: of a vCPU, and of QEMU's other threads. "": wherever; NULL without memory. */
char *vh_layout_vcpu_cpus(const struct vh_layout *layout, const struct vh_host *here, unsigned vcpu);
char *vh_layout_emulator_cpus(const struct vh_layout *layout, const struct vh_host *here);

/* --- the guest's PCI tree */

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

#endif
