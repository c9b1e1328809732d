// SPDX-License-Identifier: Apache-2.0
/* What kind of device it is, by its class and by what it speaks. */
#include <string.h>

#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "sriov/pci/pci.h"

static bool speaks_ib(const struct vh_root *root, const char *address)
{
	vh_autofree char *layer = NULL;
	vh_autostrv names = NULL;

	return vh_root_list(root, &names, VH_PCI_DIR "/%s/infiniband", address) == 0 && *names &&
	       vh_root_read(root, &layer, VH_PCI_DIR "/%s/infiniband/%s/ports/1/link_layer", address, *names) == 0 &&
	       !strcmp(layer, "InfiniBand");
}

const char *vh_pci_own_kind(const struct vh_root *root, const char *address)
{
	int64_t class, vendor;

	if (vh_root_read_int(root, &class, VH_PCI_DIR "/%s/class", address) < 0)
		return NULL;
	switch (class >> 8) {
	case 0x0200:
		return speaks_ib(root, address) ? "ib" : "ethernet";
	case 0x0207:
		return "ib";
	case 0x0108:
		return "nvme";
	case 0x1200:	/* processing accelerators; AMD's GPUs without display are such */
		return vh_root_read_int(root, &vendor, VH_PCI_DIR "/%s/vendor", address) == 0 &&
		       vendor == 0x1002 ? "gpu" : NULL;
	}
	if (class >> 16 == 0x03)
		return "gpu";
	/* Older and other fabrics' HCAs have classes such as "fabric" and "other network". */
	if (class >> 16 == 0x02 && vh_root_exists(root, VH_PCI_DIR "/%s/infiniband", address))
		return "ib";
	return NULL;
}

const char *vh_pci_kind(const struct vh_root *root, const char *address)
{
	const char *kind = vh_pci_own_kind(root, address);
	vh_autofree char *pf = NULL;

	return kind && !strcmp(kind, "ethernet") && vh_root_link_name(root, &pf, VH_PCI_DIR "/%s/physfn", address) == 0 &&
	       speaks_ib(root, pf) ? "ib" : kind;
}
