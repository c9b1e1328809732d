// SPDX-License-Identifier: Apache-2.0
/* What one device's own files say of it, as values. */
#include "sriov/inventory/device.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

void vh_pci_device_clear(struct vh_pci_device *d)
{
	free(d->driver);
	vh_strv_free(d->way);
	vh_strv_free(d->netdevs);
	vh_strv_free(d->ibdevs);
	free(d->mac);
	free(d->set);
	free(d->lease);
	free(d->use);
	*d = (struct vh_pci_device){ 0 };
}

static int64_t group_number(const struct vh_root *root, const char *address)
{
	vh_autofree char *text = vh_pci_link(root, address, "iommu_group");
	char *end;
	long v;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	v = strtol(text, &end, 10);
	return *end || v > INT_MAX ? -1 : v;
}

static void read_function(const struct vh_root *root, struct vh_pci_device *d)
{
	vh_autofree char *pf = vh_pci_link(root, d->address, "physfn");

	d->vf = -1;
	d->vfs = d->vfs_max = -1;
	if (pf && vh_pci_is_address(pf)) {
		d->function = VH_PCI_VF;
		snprintf(d->pf, sizeof(d->pf), "%s", pf);
		return;
	}
	d->vfs_max = vh_pci_count(root, d->address, "sriov_totalvfs");
	d->function = d->vfs_max > 0 ? VH_PCI_PF : VH_PCI_DEVICE;
	if (d->function == VH_PCI_PF)
		d->vfs = vh_pci_count(root, d->address, "sriov_numvfs");
	else
		d->vfs_max = -1;
}

/* IPoIB that is down says nothing of its port, and "unknown" nothing of any. */
static enum vh_pci_link link_state(const char *operstate, bool ib)
{
	if (!operstate || !strcmp(operstate, "unknown"))
		return VH_PCI_LINK_UNKNOWN;
	if (!strcmp(operstate, "up"))
		return VH_PCI_LINK_UP;
	return ib ? VH_PCI_LINK_UNKNOWN : VH_PCI_LINK_DOWN;
}

/* A virtio NIC's network device hangs on the virtio device below the PCI device. */
static char *network_dir(const struct vh_root *root, const struct vh_pci_device *d)
{
	vh_autostrv names = NULL;

	if (d->driver && !strcmp(d->driver, "virtio-pci") && vh_root_list(root, &names, VH_PCI_DIR "/%s", d->address) == 0)
		for (char **n = names; *n; n++)
			if (!strncmp(*n, "virtio", strlen("virtio")))
				return vh_strf("%s/net", *n);
	return strdup("net");
}

static char *netdev_text(const struct vh_root *root, const char *address, const char *netdev, const char *file)
{
	vh_autofree char *path = vh_strf("%s/%s", netdev, file);

	return path ? vh_pci_text(root, address, path) : NULL;
}

/* What the first network device tells; its speed only while up, else drivers may wait. */
static int read_network_device(const struct vh_root *root, const char *dir, struct vh_pci_device *d)
{
	vh_autofree char *first = vh_strf("%s/%s", dir, d->netdevs[0]);
	vh_autofree char *operstate = first ? netdev_text(root, d->address, first, "operstate") : NULL;
	int64_t mbit;

	if (!first)
		return -ENOMEM;
	d->mac = netdev_text(root, d->address, first, "address");
	d->link = link_state(operstate, d->kind == VH_PCI_HCA);
	if (d->link == VH_PCI_LINK_UP && vh_root_read_int(root, &mbit, VH_PCI_DIR "/%s/%s/speed", d->address, first) == 0 &&
	    mbit > 0)
		d->speed = mbit;
	return 0;
}

/* GPUs, NVMes and what VMs have make no network device. */
static int read_network(const struct vh_root *root, struct vh_pci_device *d)
{
	vh_autofree char *dir = NULL;

	d->speed = -1;
	if ((d->kind != VH_PCI_HCA && d->kind != VH_PCI_NIC) || (d->driver && !strcmp(d->driver, "vfio-pci")))
		return 0;
	dir = network_dir(root, d);
	if (!dir)
		return -ENOMEM;
	d->netdevs = vh_pci_names(root, d->address, dir);
	d->ibdevs = vh_pci_names(root, d->address, "infiniband");
	return d->netdevs && *d->netdevs ? read_network_device(root, dir, d) : 0;
}

static uint64_t memory_bars(const struct vh_root *root, const char *address)
{
	struct vh_pci_bar bars[VH_PCI_RESOURCES];
	uint64_t sum = 0;

	if (vh_pci_resources(root, address, bars) < 0)
		return 0;
	for (int i = 0; i < VH_PCI_BARS; i++)
		sum += bars[i].io ? 0 : bars[i].size;
	return sum;
}

int vh_pci_device_read(const struct vh_root *root, const char *address, enum vh_pci_kind kind,
		       struct vh_pci_device *ret)
{
	snprintf(ret->address, sizeof(ret->address), "%s", address);
	ret->kind = kind;
	vh_pci_hex(root, address, "vendor", 4, ret->vendor);
	vh_pci_hex(root, address, "device", 4, ret->device);
	ret->driver = vh_pci_link(root, address, "driver");
	ret->node = vh_pci_count(root, address, "numa_node");
	ret->group = group_number(root, address);
	ret->bars = memory_bars(root, address);
	read_function(root, ret);
	if (vh_pci_way(root, address, &ret->way) == -ENOMEM)
		return -ENOMEM;
	return read_network(root, ret);
}

const char *vh_pci_device_switch(const struct vh_pci_device *d)
{
	/* Root complex, root port, the switch's upstream port, its downstream port, device. */
	return vh_strv_len(d->way) >= 5 ? d->way[2] : "";
}
