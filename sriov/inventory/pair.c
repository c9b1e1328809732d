// SPDX-License-Identifier: Apache-2.0
/* Which HCA is nearest to a GPU, by what their ways to the root have in common. */
#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "sriov/pci/pci.h"

static enum vh_pci_distance distance(const struct vh_pci_device *a, const struct vh_pci_device *b)
{
	size_t common = vh_pci_common(a->way, b->way);

	if (common > 0)
		return common > 1 ? VH_PCI_SWITCH : VH_PCI_COMPLEX;
	return a->node == b->node ? VH_PCI_NODE : VH_PCI_SYSTEM;
}

static bool is_hca(const struct vh_pci_device *d)
{
	return d->function != VH_PCI_VF && (d->kind == VH_PCI_HCA || (d->kind == VH_PCI_NIC && vh_strv_len(d->ibdevs) > 0));
}

const struct vh_pci_device *vh_pci_nearest_hca(const struct vh_pci_device *gpu, const struct vh_pci_devices *devices,
					       enum vh_pci_distance *ret_distance)
{
	const struct vh_pci_device *best = NULL;

	for (size_t i = 0; gpu->way && i < devices->n; i++) {
		const struct vh_pci_device *d = &devices->v[i];
		enum vh_pci_distance far = is_hca(d) && d->way ? distance(gpu, d) : VH_PCI_SYSTEM;

		if (!is_hca(d) || !d->way || (best && far >= *ret_distance))
			continue;
		best = d;
		*ret_distance = far;
	}
	return best;
}
