// SPDX-License-Identifier: Apache-2.0
/* NCCL's topology file: inside a guest it would find neither the switch that a GPU and an HCA
 * share, nor what belongs to which node. What it can find itself (link speeds, the processor's
 * name) is left to it. */
#include <errno.h>
#include <hwloc.h>
#include <string.h>

#include "lib/xml/xml.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

static const char *class_of(const struct vh_layout_device *d)
{
	return d->kind == VH_DEVICE_GPU ? "0x030200" : d->kind == VH_DEVICE_HCA ? "0x020700" : "0x020000";
}

/* "00000000,0000000f", as the kernel writes masks. */
static char *affinity(const struct vh_layout *l, size_t cell)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	char *text = NULL, *to;

	for (unsigned v = 0; set && v < l->vcpus; v++)
		if (l->cell[v] == cell)
			hwloc_bitmap_set(set, v);
	if (set && hwloc_bitmap_asprintf(&text, set) < 0)
		text = NULL;
	hwloc_bitmap_free(set);
	to = text;
	for (const char *from = text; from && *from; from++)
		if (from[0] == '0' && from[1] == 'x')
			from++;
		else
			*to++ = *from;
	if (to)
		*to = 0;
	return text;
}

/* Of the ports above a device the switch's upstream one; 0: there is none. */
static unsigned switch_of(const struct vh_guest_pci *pci, size_t device)
{
	const struct vh_guest_port *port = &pci->ports[pci->on[device] - 1];

	return port->model == VH_PORT_DOWNSTREAM ? port->on : 0;
}

static xmlNodePtr find_switch(xmlNodePtr cpu, const struct vh_guest_pci *pci, unsigned upstream)
{
	const struct vh_guest_port *port = &pci->ports[upstream - 1], *on = &pci->ports[port->on - 1];
	char busid[20];
	xmlNodePtr node;

	snprintf(busid, sizeof(busid), "0000:%02x:00.0", on->bus);
	for (node = vh_xml_child(cpu, NULL, "pci"); node; node = vh_xml_next(node, NULL, "pci")) {
		vh_autoxmlstr is = xmlGetNoNsProp(node, BAD_CAST "busid");

		if (is && !strcmp((const char *)is, busid))
			return node;
	}
	return vh_xml_add(cpu, "pci", "busid", busid, "class", "0x060400", NULL);
}

static void add_cell(xmlNodePtr system, const struct vh_layout *l, const struct vh_guest_pci *pci, size_t cell)
{
	xmlNodePtr cpu = vh_xml_add(system, "cpu", NULL);
	vh_autofree char *mask = affinity(l, cell);
	char busid[20];

	vh_xml_setf(cpu, "numaid", "%zu", cell);
	vh_xml_setf(cpu, "affinity", "%s", mask ? mask : "");
	vh_xml_setf(cpu, "arch", "x86_64");
	for (size_t i = 0; i < l->n_devices; i++) {
		unsigned upstream;

		if (l->devices[i].cell != (int)cell || l->devices[i].kind == VH_DEVICE_NVME)
			continue;
		upstream = switch_of(pci, i);
		vh_xml_add(upstream ? find_switch(cpu, pci, upstream) : cpu, "pci", "busid",
			   vh_guest_address(pci, i, busid), "class", class_of(&l->devices[i]), NULL);
	}
}

int vh_guest_nccl(const struct vh_layout *l, char **ret)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr system = xmlNewNode(NULL, BAD_CAST "system");
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };
	vh_autoxmlstr text = NULL;
	int len, r = vh_guest_pci(l, &pci);

	if (!doc || !system || r < 0) {
		xmlFreeNode(system);
		return r < 0 ? r : -ENOMEM;
	}
	xmlDocSetRootElement(doc, system);
	vh_xml_setf(system, "version", "1");
	for (size_t i = 0; i < l->n_cells; i++)
		add_cell(system, l, &pci, i);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	*ret = text ? strdup((const char *)text) : NULL;
	return *ret ? 0 : -ENOMEM;
}
