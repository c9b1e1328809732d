// SPDX-License-Identifier: Apache-2.0
/* Devices of a live or captured host, from sriov's inventory. */
#include <errno.h>
#include <string.h>

#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "vmm/host/host.h"

static int node_index(const struct vh_host *host, int64_t node)
{
	for (size_t i = 0; node >= 0 && i < host->n_nodes; i++)
		if (host->nodes[i].id == node)
			return (int)i;
	/* Where there is one node, firmware seldom says so. */
	return host->n_nodes == 1 ? 0 : -1;
}

static void set_place(struct vh_host_device *dev, const struct vh_pci_device *device)
{
	const char *complex = device->way ? device->way[0] : "";

	snprintf(dev->root, sizeof(dev->root), "%s", *complex ? complex + strlen("pci") : "");
	snprintf(dev->sw, sizeof(dev->sw), "%s", vh_pci_device_switch(device));
	dev->bars = device->bars;
}

static struct vh_host_device make_device(const struct vh_host *host, const struct vh_pci_device *device)
{
	static const enum vh_device_kind kinds[VH_PCI_KINDS] = {
		[VH_PCI_HCA] = VH_DEVICE_HCA, [VH_PCI_NIC] = VH_DEVICE_NIC, [VH_PCI_GPU] = VH_DEVICE_GPU,
		[VH_PCI_NVME] = VH_DEVICE_NVME,
	};
	char **names = device->ibdevs && *device->ibdevs ? device->ibdevs : device->netdevs;
	struct vh_host_device dev = {
		.kind = kinds[device->kind], .node = node_index(host, device->node),
		.vfs = device->vfs > 0 ? (unsigned)device->vfs : 0,
	};

	dev.held = device->lease || device->use || dev.vfs;
	snprintf(dev.address, sizeof(dev.address), "%s", device->address);
	snprintf(dev.pf, sizeof(dev.pf), "%s", device->pf);
	snprintf(dev.name, sizeof(dev.name), "%s", names && *names ? *names : "");
	set_place(&dev, device);
	return dev;
}

int vh_host_add_devices(struct vh_host *host, const struct vh_root *root, struct vh_store *store,
			struct vh_err *err)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	int r = vh_sriov_list(root, &devices, err);

	if (r == 0 && store)
		r = vh_sriov_add_leases(store, &devices, err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_sriov_add_uses(root, &devices, err);
	for (size_t i = 0; r == 0 && i < devices.n; i++) {
		struct vh_host_device dev = make_device(host, &devices.v[i]);

		if (vh_host_add_device(host, &dev) < 0)
			r = vh_err_nomem(err);
	}
	return r;
}
