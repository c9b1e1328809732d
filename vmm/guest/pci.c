// SPDX-License-Identifier: Apache-2.0
/* The guest's PCI tree: an expander a guest node that has devices, a root port each, and a
 * switch where the host's devices share one. Firmware numbers buses as it meets them, an
 * expander's own bus being given; so the guest's addresses are known beforehand. */
#include <errno.h>
#include <string.h>

#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

/* Each device: a root port, or a downstream port and its part of a switch. */
#define USUAL_HOLE (32ULL << 30)	/* of QEMU's q35 */
enum { PORTS_MAX = 3 * VH_PLAN_DEVICES_MAX + VH_CELLS_MAX, BUSES = 256, BUSES_OF_ROOT = 64 };

void vh_guest_pci_clear(struct vh_guest_pci *pci)
{
	free(pci->ports);
	*pci = (struct vh_guest_pci){ 0 };
}

static bool share_switch(const struct vh_layout *l, size_t i, size_t k)
{
	return i != k && *l->devices[i].sw && l->devices[i].cell == l->devices[k].cell &&
	       !strcmp(l->devices[i].sw, l->devices[k].sw);
}

/* How many devices are with device i on a switch, itself included; 0: it is not the first. */
static unsigned group(const struct vh_layout *l, size_t i)
{
	unsigned n = 1;

	for (size_t k = 0; k < l->n_devices; k++) {
		if (!share_switch(l, i, k))
			continue;
		if (k < i)
			return 0;
		n++;
	}
	return n;
}

static struct vh_guest_port *add_port(struct vh_guest_pci *pci, enum vh_port_model model, unsigned on, unsigned nth,
				 unsigned bus)
{
	struct vh_guest_port *port = &pci->ports[pci->n_ports++];

	*port = (struct vh_guest_port){ .model = model, .index = (unsigned)pci->n_ports, .on = on, .bus = bus };
	/* Eight functions a slot, since a bus has 32 slots. */
	if (model == VH_PORT_ROOT || model == VH_PORT_DOWNSTREAM) {
		port->slot = nth / 8;
		port->function = nth % 8;
		port->multifunction = nth % 8 == 0;
	}
	return port;
}

/* One device below a port of its own, or all of a switch. */
static void add_group(const struct vh_layout *l, size_t first, unsigned n, const struct vh_guest_port *root,
		      unsigned *bus, struct vh_guest_pci *pci)
{
	unsigned upstream, nth = 0;

	if (n == 1) {
		pci->on[first] = root->index;
		pci->bus[first] = root->bus;
		return;
	}
	upstream = add_port(pci, VH_PORT_UPSTREAM, root->index, 0, ++*bus)->index;
	for (size_t k = first; k < l->n_devices; k++) {
		const struct vh_guest_port *port;

		if (k != first && !share_switch(l, first, k))
			continue;
		port = add_port(pci, VH_PORT_DOWNSTREAM, upstream, nth++, ++*bus);
		pci->on[k] = port->index;
		pci->bus[k] = port->bus;
	}
}

/* All of a guest node, or with cell -1 those of none, below the machine's own bus. */
static void add_cell(const struct vh_layout *l, int cell, unsigned *bus, struct vh_guest_pci *pci)
{
	unsigned on = 0, nth = 0;

	for (size_t i = 0; i < l->n_devices; i++) {
		unsigned n = l->devices[i].cell == cell ? group(l, i) : 0;

		if (!n)
			continue;
		if (!on && cell >= 0) {
			struct vh_guest_port *expander = add_port(pci, VH_PORT_EXPANDER, 0, 0, ++*bus);

			expander->cell = (unsigned)cell;
			on = expander->index;
		}
		add_group(l, i, n, add_port(pci, VH_PORT_ROOT, on, nth++, ++*bus), bus, pci);
	}
}

static uint64_t power_of_two(uint64_t v)
{
	uint64_t p = 1;

	while (p < v && p < 1ULL << 62)
		p *= 2;
	return p;
}

/* Every BAR is aligned to its size: blocks of powers of two always fit together. */
static uint64_t hole(const struct vh_layout *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n_devices; i++)
		sum += l->devices[i].bars ? power_of_two(l->devices[i].bars) : 0;
	return sum > USUAL_HOLE ? power_of_two(sum) : 0;
}

int vh_guest_pci(const struct vh_layout *l, struct vh_guest_pci *ret)
{
	struct vh_guest_pci pci = { .ports = calloc(PORTS_MAX, sizeof(*pci.ports)), .hole = hole(l) };
	unsigned bus = 0, shift;

	if (!pci.ports)
		return -ENOMEM;
	for (int cell = 0; cell < (int)l->n_cells; cell++)
		add_cell(l, cell, &bus, &pci);
	/* The last buses are theirs; the first ones are the machine's own. */
	shift = BUSES - 1 - bus;
	if (bus > BUSES - BUSES_OF_ROOT) {
		vh_guest_pci_clear(&pci);
		return -E2BIG;
	}
	for (size_t i = 0; i < pci.n_ports; i++)
		pci.ports[i].bus += shift;
	for (size_t i = 0; i < l->n_devices; i++)
		pci.bus[i] += pci.bus[i] ? shift : 0;
	/* Where these come to lie among the machine's own is not ours to say. */
	add_cell(l, -1, &bus, &pci);
	for (size_t i = 0; i < l->n_devices; i++)
		pci.bus[i] = l->devices[i].cell < 0 ? 0 : pci.bus[i];
	*ret = pci;
	return 0;
}

const char *vh_guest_address(const struct vh_guest_pci *pci, size_t device, char *buf)
{
	buf[0] = 0;
	if (pci->bus[device])
		snprintf(buf, 20, "0000:%02x:00.0", pci->bus[device]);
	return buf;
}
