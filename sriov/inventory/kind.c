// SPDX-License-Identifier: Apache-2.0
/* What kind of device it is, by its class and by what it speaks. */
#include "sriov/inventory/kind.h"

#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

static const char *const names[VH_PCI_KINDS] = {
	[VH_PCI_HCA] = "hca", [VH_PCI_NIC] = "nic", [VH_PCI_GPU] = "gpu", [VH_PCI_NVME] = "nvme",
};

const char *vh_pci_kind_name(enum vh_pci_kind kind)
{
	return names[kind];
}

enum vh_pci_kind vh_pci_kind_named(const char *name)
{
	for (enum vh_pci_kind kind = VH_PCI_HCA; kind < VH_PCI_KINDS; kind++)
		if (!strcmp(names[kind], name))
			return kind;
	return VH_PCI_OTHER;
}

static bool speaks_ib(const struct vh_root *root, const char *address)
{
	vh_autofree char *layer = NULL;
	vh_autostrv ibdevs = NULL;

	return vh_root_list(root, &ibdevs, VH_PCI_DIR "/%s/infiniband", address) == 0 && *ibdevs &&
	       vh_root_read(root, &layer, VH_PCI_DIR "/%s/infiniband/%s/ports/1/link_layer", address, *ibdevs) == 0 &&
	       !strcmp(layer, "InfiniBand");
}

enum vh_pci_kind vh_pci_own_kind(const struct vh_root *root, const char *address)
{
	int64_t class, vendor;

	if (vh_root_read_int(root, &class, VH_PCI_DIR "/%s/class", address) < 0)
		return VH_PCI_OTHER;
	switch (class >> 8) {
	case 0x0200:
		return speaks_ib(root, address) ? VH_PCI_HCA : VH_PCI_NIC;
	case 0x0207:
		return VH_PCI_HCA;
	case 0x0108:
		return VH_PCI_NVME;
	case 0x1200:	/* processing accelerators; AMD's GPUs without display are such */
		return vh_root_read_int(root, &vendor, VH_PCI_DIR "/%s/vendor", address) == 0 &&
		       vendor == 0x1002 ? VH_PCI_GPU : VH_PCI_OTHER;
	}
	if (class >> 16 == 0x03)
		return VH_PCI_GPU;
	/* Older and other fabrics' HCAs have classes such as "fabric" and "other network". */
	if (class >> 16 == 0x02 && vh_root_exists(root, VH_PCI_DIR "/%s/infiniband", address))
		return VH_PCI_HCA;
	return VH_PCI_OTHER;
}

enum vh_pci_kind vh_pci_kind(const struct vh_root *root, const char *address)
{
	enum vh_pci_kind kind = vh_pci_own_kind(root, address);
	vh_autofree char *pf = NULL;

	return kind == VH_PCI_NIC && vh_root_link_name(root, &pf, VH_PCI_DIR "/%s/physfn", address) == 0 &&
	       speaks_ib(root, pf) ? VH_PCI_HCA : kind;
}
