// SPDX-License-Identifier: Apache-2.0
/* Devices of a host as hwloc's XML tells them. */
#include "vmm/host/devices.h"

#include <errno.h>
#include <string.h>

int vh_host_add_device(struct vh_host *host, const struct vh_host_device *device)
{
	struct vh_host_device *grown = realloc(host->devices, (host->n_devices + 1) * sizeof(*grown));
	size_t i = host->n_devices;

	if (!grown)
		return -ENOMEM;
	host->devices = grown;
	for (; i > 0 && strcmp(grown[i - 1].address, device->address) > 0; i--)
		grown[i] = grown[i - 1];
	grown[i] = *device;
	host->n_devices++;
	return 0;
}

/* By its operating system's device where there is one, else by its class. */
static int kind_of(hwloc_obj_t pci)
{
	unsigned class = pci->attr->pcidev.class_id;

	for (hwloc_obj_t os = pci->io_first_child; os; os = os->next_sibling)
		if (os->type == HWLOC_OBJ_OS_DEVICE &&
		    os->attr->osdev.type == HWLOC_OBJ_OSDEV_OPENFABRICS)
			return VH_DEVICE_HCA;
	if (class == 0x0207)
		return VH_DEVICE_HCA;
	if (class == 0x0200)
		return VH_DEVICE_NIC;
	if (class == 0x0108)
		return VH_DEVICE_NVME;
	return class >> 8 == 0x03 || (class == 0x1200 && pci->attr->pcidev.vendor_id == 0x1002) ? VH_DEVICE_GPU : -1;
}

/* hwloc does not say which devices are VFs: their numbers do, or their name where it is told. */
static bool is_vf(hwloc_obj_t pci)
{
	static const struct { unsigned short vendor, device; } vfs[] = {
		{ 0x15b3, 0x1002 }, { 0x15b3, 0x1004 }, { 0x15b3, 0x1012 }, { 0x15b3, 0x1014 }, { 0x15b3, 0x1016 },
		{ 0x15b3, 0x1018 }, { 0x15b3, 0x101a }, { 0x15b3, 0x101c }, { 0x15b3, 0x101e }, { 0x8086, 0x10ca },
		{ 0x8086, 0x10ed }, { 0x8086, 0x1515 }, { 0x8086, 0x1520 }, { 0x8086, 0x154c }, { 0x8086, 0x1565 },
		{ 0x8086, 0x15c5 }, { 0x8086, 0x1889 }, { 0x1137, 0x0071 }, { 0x1137, 0x00cf }, { 0x14e4, 0x16dc },
	};
	const char *name = hwloc_obj_get_info_by_name(pci, "PCIDevice");

	for (size_t i = 0; i < vh_array_len(vfs); i++)
		if (pci->attr->pcidev.vendor_id == vfs[i].vendor && pci->attr->pcidev.device_id == vfs[i].device)
			return true;
	return name && strstr(name, "Virtual Function");
}

static bool is_switch(hwloc_obj_t bridge)
{
	unsigned ports = 0;

	for (hwloc_obj_t c = bridge->io_first_child; c; c = c->next_sibling)
		ports += c->type == HWLOC_OBJ_BRIDGE;
	return ports > 1 && bridge->attr->bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI;
}

static void set_path(hwloc_obj_t pci, struct vh_host_device *dev)
{
	for (hwloc_obj_t up = pci->parent; up && up->type == HWLOC_OBJ_BRIDGE; up = up->parent) {
		const struct hwloc_bridge_attr_s *b = &up->attr->bridge;

		if (b->upstream_type == HWLOC_OBJ_BRIDGE_HOST)
			snprintf(dev->root, sizeof(dev->root), "%04x:%02x", (unsigned)b->downstream.pci.domain,
				 b->downstream.pci.secondary_bus);
		else if (is_switch(up))
			snprintf(dev->sw, sizeof(dev->sw), "%04x:%02x:%02x.%u", (unsigned)b->upstream.pci.domain,
				 b->upstream.pci.bus, b->upstream.pci.dev, b->upstream.pci.func);
	}
}

/* The node that the fewest CPUs share of those that hold all CPUs near the device. */
static int node_of(hwloc_topology_t topo, hwloc_obj_t pci)
{
	hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(topo, pci), node = NULL;
	int best = -1, best_weight = 0;

	while (near && near->nodeset && (node = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_NUMANODE, node))) {
		int weight = hwloc_bitmap_weight(node->cpuset);

		if (hwloc_bitmap_isincluded(near->cpuset, node->cpuset) && !hwloc_bitmap_iszero(near->cpuset) &&
		    (best < 0 || weight < best_weight)) {
			best = (int)node->logical_index;
			best_weight = weight;
		}
	}
	return best;
}

static void set_address(hwloc_obj_t pci, char *ret, size_t len)
{
	const struct hwloc_pcidev_attr_s *a = &pci->attr->pcidev;

	snprintf(ret, len, "%04x:%02x:%02x.%u", (unsigned)a->domain, a->bus, a->dev, a->func);
}

/* A VF belongs to the nearest function of its vendor before it. */
static void set_pf(hwloc_obj_t pci, hwloc_obj_t before, struct vh_host_device *dev)
{
	if (before && before->attr->pcidev.vendor_id == pci->attr->pcidev.vendor_id &&
	    before->attr->pcidev.domain == pci->attr->pcidev.domain)
		set_address(before, dev->pf, sizeof(dev->pf));
	else
		snprintf(dev->pf, sizeof(dev->pf), "?");
}

static void count_vfs(struct vh_host *host)
{
	for (size_t i = 0; i < host->n_devices; i++)
		for (size_t k = 0; k < host->n_devices; k++)
			host->devices[i].vfs += !strcmp(host->devices[k].pf, host->devices[i].address);
	for (size_t i = 0; i < host->n_devices; i++)
		host->devices[i].held = host->devices[i].vfs > 0;
}

int vh_host_find_device(hwloc_topology_t topo, const char *address)
{
	hwloc_obj_t pci = hwloc_get_pcidev_by_busidstring(topo, address);

	return pci ? node_of(topo, pci) : VH_NO_DEVICE;
}

int vh_host_read_devices(hwloc_topology_t topo, struct vh_host *host)
{
	hwloc_obj_t pci = NULL, function = NULL;

	while ((pci = hwloc_get_next_pcidev(topo, pci))) {
		struct vh_host_device dev = { .node = node_of(topo, pci) };
		int kind = kind_of(pci);

		if (kind < 0)
			continue;
		dev.kind = (enum vh_device_kind)kind;
		set_address(pci, dev.address, sizeof(dev.address));
		if (pci->io_first_child && pci->io_first_child->name)
			snprintf(dev.name, sizeof(dev.name), "%s", pci->io_first_child->name);
		set_path(pci, &dev);
		if (is_vf(pci))
			set_pf(pci, function, &dev);
		else
			function = pci;
		if (vh_host_add_device(host, &dev) < 0)
			return -ENOMEM;
	}
	count_vfs(host);
	return 0;
}
