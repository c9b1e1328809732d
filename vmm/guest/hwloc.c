// SPDX-License-Identifier: Apache-2.0
/* The machine that a layout's guest sees, in hwloc's XML (version 2). */
#include <errno.h>
#include <hwloc.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/xml/xml.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

struct tree {
	const struct vh_layout *l;
	struct vh_guest_pci pci;
	unsigned gp;		/* hwloc's number of the next object */
	xmlNodePtr cell[VH_CELLS_MAX];	/* the object that a node and its devices belong to */
};

/* vCPUs from first on, so many; of one guest node, or -1: of any. */
static hwloc_bitmap_t vcpus(const struct vh_layout *l, unsigned first, unsigned n, int cell)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	for (unsigned v = first; set && v < first + n; v++)
		if (cell < 0 || l->cell[v] == (unsigned)cell)
			hwloc_bitmap_set(set, v);
	return set;
}

static hwloc_bitmap_t nodes_of(const struct vh_layout *l, hwloc_const_bitmap_t cpus)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	for (unsigned v = 0; set && v < l->vcpus; v++)
		if (hwloc_bitmap_isset(cpus, v))
			hwloc_bitmap_set(set, l->cell[v]);
	return set;
}

static void set_bits(xmlNodePtr obj, const char *attr, const char *complete, hwloc_const_bitmap_t bits)
{
	char *text = NULL;

	if (bits && hwloc_bitmap_asprintf(&text, bits) >= 0) {
		vh_xml_setf(obj, attr, "%s", text);
		vh_xml_setf(obj, complete, "%s", text);
	}
	free(text);
}

/* An object with these CPUs, which it frees; nodes NULL: theirs. */
static xmlNodePtr add_object(struct tree *t, xmlNodePtr parent, const char *type, int os_index, hwloc_bitmap_t cpus,
			     hwloc_bitmap_t nodes)
{
	xmlNodePtr obj = vh_xml_add(parent, "object", "type", type, NULL);

	if (os_index >= 0)
		vh_xml_setf(obj, "os_index", "%d", os_index);
	if (!nodes && cpus)
		nodes = nodes_of(t->l, cpus);
	set_bits(obj, "cpuset", "complete_cpuset", cpus);
	set_bits(obj, "nodeset", "complete_nodeset", nodes);
	vh_xml_setf(obj, "gp_index", "%u", t->gp++);
	hwloc_bitmap_free(cpus);
	hwloc_bitmap_free(nodes);
	return obj;
}

static void add_node(struct tree *t, xmlNodePtr parent, size_t cell)
{
	hwloc_bitmap_t self = t->cell[cell] ? NULL : hwloc_bitmap_alloc();
	xmlNodePtr obj;

	if (!self)
		return;
	hwloc_bitmap_set(self, (unsigned)cell);
	obj = add_object(t, parent, "NUMANode", (int)cell, vcpus(t->l, 0, t->l->vcpus, (int)cell), self);
	vh_xml_setf(obj, "local_memory", "%llu", (unsigned long long)t->l->cells[cell].memory);
	t->cell[cell] = parent;
}

static void add_cores(struct tree *t, xmlNodePtr parent, unsigned first, unsigned n)
{
	const unsigned threads = t->l->threads;

	for (unsigned v = first; v < first + n; v += threads) {
		xmlNodePtr core = add_object(t, parent, "Core", -1, vcpus(t->l, v, threads, -1), NULL);

		for (unsigned k = v; k < v + threads; k++)
			add_object(t, core, "PU", (int)k, vcpus(t->l, k, 1, -1), NULL);
	}
}

/* vCPUs of the cell among n from first on; they follow each other where it counts. */
static unsigned run(const struct vh_layout *l, unsigned first, unsigned n)
{
	unsigned len = 1;

	while (len < n && l->cell[first + len] == l->cell[first])
		len++;
	return len;
}

/* Cores, in groups where several guest nodes share what holds them. */
static void add_parts(struct tree *t, xmlNodePtr parent, unsigned first, unsigned n)
{
	for (unsigned at = 0, len; at < n; at += len) {
		xmlNodePtr in = parent;

		len = run(t->l, first + at, n - at);
		if (len < n) {
			in = add_object(t, parent, "Group", -1, vcpus(t->l, first + at, len, -1), NULL);
			add_node(t, in, t->l->cell[first + at]);
		}
		add_cores(t, in, first + at, len);
	}
}

static void add_dies(struct tree *t, xmlNodePtr package, unsigned first, unsigned size)
{
	unsigned of_die = size / t->l->dies;

	for (unsigned v = first; v < first + size; v += of_die)
		add_parts(t, t->l->dies > 1 ? add_object(t, package, "Die", -1, vcpus(t->l, v, of_die, -1), NULL) : package,
			  v, of_die);
}

static void add_packages(struct tree *t, xmlNodePtr machine)
{
	const struct vh_layout *l = t->l;
	unsigned size = l->vcpus / l->sockets;

	for (unsigned s = 0; s < l->sockets; s++) {
		unsigned first = s * size, cell = l->cell[first];
		hwloc_bitmap_t all = vcpus(l, 0, l->vcpus, (int)cell);
		unsigned of_cell = all ? (unsigned)hwloc_bitmap_weight(all) : 0;
		xmlNodePtr in = machine, package;

		/* A guest node of several packages holds them; else it lies in one. */
		if (of_cell > size && l->n_cells > 1) {
			if (!t->cell[cell])
				add_node(t, add_object(t, machine, "Group", -1, hwloc_bitmap_dup(all), NULL), cell);
			in = t->cell[cell];
		}
		hwloc_bitmap_free(all);
		package = add_object(t, in, "Package", (int)s, vcpus(l, first, size, -1), NULL);
		if (of_cell == size)
			add_node(t, package, cell);
		add_dies(t, package, first, size);
	}
}

/* --- devices */

static unsigned class_of(enum vh_device_kind kind)
{
	static const unsigned classes[VH_DEVICE_KINDS] = { 0x0207, 0x0200, 0x0302, 0x0108 };

	return classes[kind];
}

static const struct vh_guest_port *port_of(const struct tree *t, unsigned index)
{
	return index ? &t->pci.ports[index - 1] : NULL;
}

/* The last bus below a port: buses are numbered in the order of the ports. */
static unsigned last_bus(const struct tree *t, const struct vh_guest_port *port)
{
	unsigned last = port->bus;

	for (size_t i = 0; i < t->pci.n_ports; i++) {
		const struct vh_guest_port *p = &t->pci.ports[i];

		while (p && p != port)
			p = port_of(t, p->on);
		if (p && t->pci.ports[i].bus > last)
			last = t->pci.ports[i].bus;
	}
	return last;
}

static xmlNodePtr add_bridge(struct tree *t, xmlNodePtr parent, const struct vh_guest_port *port, unsigned depth)
{
	const struct vh_guest_port *on = port_of(t, port->on);
	xmlNodePtr obj = vh_xml_add(parent, "object", "type", "Bridge", "bridge_type", on ? "1-1" : "0-1", NULL);

	vh_xml_setf(obj, "gp_index", "%u", t->gp++);
	vh_xml_setf(obj, "depth", "%u", depth);
	vh_xml_setf(obj, "bridge_pci", "0000:[%02x-%02x]", port->bus, last_bus(t, port));
	if (on) {
		vh_xml_setf(obj, "pci_busid", "0000:%02x:%02x.%u", on->bus, port->slot, port->function);
		vh_xml_setf(obj, "pci_type", "0604 [0000:0000] [0000:0000] 00 00");
		vh_xml_setf(obj, "pci_link_speed", "0.000000");
	}
	return obj;
}

static void add_device(struct tree *t, xmlNodePtr parent, size_t i)
{
	xmlNodePtr obj = vh_xml_add(parent, "object", "type", "PCIDev", NULL);
	char address[20];

	vh_xml_setf(obj, "gp_index", "%u", t->gp++);
	vh_xml_setf(obj, "pci_busid", "%s", vh_guest_address(&t->pci, i, address));
	vh_xml_setf(obj, "pci_type", "%04x [0000:0000] [0000:0000] 00 00", class_of(t->l->devices[i].kind));
	vh_xml_setf(obj, "pci_link_speed", "0.000000");
}

/* What is below a port, which has at most a switch between it and its devices. */
static void add_below(struct tree *t, xmlNodePtr parent, const struct vh_guest_port *port, unsigned depth)
{
	xmlNodePtr bridge = add_bridge(t, parent, port, depth);

	for (size_t i = 0; i < t->pci.n_ports; i++)
		if (t->pci.ports[i].on == port->index)
			add_below(t, bridge, &t->pci.ports[i], depth + 1);
	for (size_t i = 0; i < t->l->n_devices; i++)
		if (t->pci.on[i] == port->index)
			add_device(t, bridge, i);
}

static void add_distances(xmlNodePtr topology, const struct vh_layout *l)
{
	xmlNodePtr d = vh_xml_add(topology, "distances2", "type", "NUMANode", "kind", "5", "name", "NUMALatency",
				  "indexing", "os", NULL);
	vh_autofree char *ids = strdup(""), *values = strdup("");

	for (size_t i = 0; ids && values && i < l->n_cells * l->n_cells; i++) {
		char *more = vh_strf("%s%u ", values, l->distances[i]);

		free(values);
		values = more;
		if (i < l->n_cells) {
			more = vh_strf("%s%zu ", ids, i);
			free(ids);
			ids = more;
		}
	}
	if (!ids || !values)
		return;
	vh_xml_setf(d, "nbobjs", "%zu", l->n_cells);
	vh_xml_setf(vh_xml_text(d, "indexes", ids), "length", "%zu", strlen(ids));
	vh_xml_setf(vh_xml_text(d, "u64values", values), "length", "%zu", strlen(values));
}

static void build(struct tree *t, xmlNodePtr topology)
{
	hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
	xmlNodePtr machine;
	char *all = NULL;

	if (!nodes)
		return;
	hwloc_bitmap_set_range(nodes, 0, (int)t->l->n_cells - 1);
	machine = add_object(t, topology, "Machine", 0, vcpus(t->l, 0, t->l->vcpus, -1), nodes);
	all = (char *)xmlGetNoNsProp(machine, BAD_CAST "cpuset");
	vh_xml_setf(machine, "allowed_cpuset", "%s", all ? all : "");
	xmlFree(all);
	all = (char *)xmlGetNoNsProp(machine, BAD_CAST "nodeset");
	vh_xml_setf(machine, "allowed_nodeset", "%s", all ? all : "");
	xmlFree(all);
	add_packages(t, machine);
	/* Nodes that no CPUs were drawn below: a single one, and those of memory alone. */
	for (size_t i = 0; i < t->l->n_cells; i++)
		if (!t->cell[i])
			add_node(t, machine, i);
	for (size_t i = 0; i < t->pci.n_ports; i++)
		if (t->pci.ports[i].model == VH_PORT_EXPANDER)
			add_below(t, t->cell[t->pci.ports[i].cell], &t->pci.ports[i], 0);
	if (t->l->n_cells > 1)
		add_distances(topology, t->l);
}

int vh_guest_hwloc(const struct vh_layout *l, char **ret)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr topology = xmlNewNode(NULL, BAD_CAST "topology");
	struct tree t = { .l = l, .gp = 1 };
	vh_autoxmlstr text = NULL;
	int len, r = vh_guest_pci(l, &t.pci);

	if (!doc || !topology || r < 0) {
		xmlFreeNode(topology);
		vh_guest_pci_clear(&t.pci);
		return r < 0 ? r : -ENOMEM;
	}
	xmlDocSetRootElement(doc, topology);
	vh_xml_setf(topology, "version", "2.0");
	build(&t, topology);
	vh_guest_pci_clear(&t.pci);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	*ret = text ? strdup((const char *)text) : NULL;
	return *ret ? 0 : -ENOMEM;
}
