// SPDX-License-Identifier: Apache-2.0
/* Devices as rows of vhpc sriov list and show, whose members stand in the order of docs/formats/sriov.md. */
#include "sriov/inventory/json.h"

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"

json_t *vh_pci_json_text(const char *text)
{
	json_t *j = text && *text ? json_string(text) : NULL;

	return j ? j : json_null();
}

json_t *vh_pci_json_count(int64_t count)
{
	return count < 0 ? json_null() : json_integer(count);
}

json_t *vh_pci_json_names(char *const *names, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

json_t *vh_pci_json_file(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = vh_pci_text(root, address, file);

	return vh_pci_json_text(text);
}

json_t *vh_pci_json_dir(const struct vh_root *root, const char *address, const char *dir)
{
	vh_autostrv names = vh_pci_names(root, address, dir);

	return vh_pci_json_names(names, vh_strv_len(names));
}

/* Its root complex, and the ports between that and the device. */
static int set_way(json_t *row, char *const *way)
{
	size_t n = vh_strv_len(way);

	return json_object_set_new(row, "root_complex", vh_pci_json_text(n ? way[0] : NULL)) |
	       json_object_set_new(row, "upstream", n > 2 ? vh_pci_json_names(way + 1, n - 2) : json_array());
}

static int set_function(json_t *row, const struct vh_pci_device *d)
{
	static const char *const functions[] = { [VH_PCI_DEVICE] = "device", [VH_PCI_PF] = "pf", [VH_PCI_VF] = "vf" };

	return json_object_set_new(row, "function", json_string(functions[d->function])) |
	       json_object_set_new(row, "pf", vh_pci_json_text(d->pf)) |
	       json_object_set_new(row, "vf", vh_pci_json_count(d->vf)) |
	       json_object_set_new(row, "vfs", vh_pci_json_count(d->vfs)) |
	       json_object_set_new(row, "vfs_max", vh_pci_json_count(d->vfs_max));
}

static int set_network(json_t *row, const struct vh_pci_device *d)
{
	static const char *const links[] = {
		[VH_PCI_LINK_UNKNOWN] = NULL, [VH_PCI_LINK_DOWN] = "down", [VH_PCI_LINK_UP] = "up",
	};

	return json_object_set_new(row, "mac", vh_pci_json_text(d->mac)) |
	       json_object_set_new(row, "link", vh_pci_json_text(links[d->link])) |
	       json_object_set_new(row, "speed", vh_pci_json_count(d->speed)) |
	       json_object_set_new(row, "netdevs", vh_pci_json_names(d->netdevs, vh_strv_len(d->netdevs))) |
	       json_object_set_new(row, "ibdevs", vh_pci_json_names(d->ibdevs, vh_strv_len(d->ibdevs)));
}

json_t *vh_pci_json_row(const struct vh_pci_device *d)
{
	vh_autojson row = json_pack("{ss so so so so so so}", "address", d->address,
				    "kind", vh_pci_json_text(vh_pci_kind_name(d->kind)),
				    "vendor", vh_pci_json_text(d->vendor), "device", vh_pci_json_text(d->device),
				    "driver", vh_pci_json_text(d->driver), "numa", vh_pci_json_count(d->node),
				    "iommu_group", vh_pci_json_count(d->group));

	if (!row || set_way(row, d->way) < 0 || set_function(row, d) < 0 || set_network(row, d) < 0)
		return NULL;
	return vh_steal(&row);
}

json_t *vh_pci_json_set(const struct vh_fn *set)
{
	json_t *j = set ? vh_fn_json(set) : json_null();

	json_object_del(j, "address");
	json_object_del(j, "vf");
	return j;
}

int vh_pci_json_add_hca(json_t *row, const char *hca, enum vh_pci_distance distance)
{
	static const char *const names[] = {
		[VH_PCI_SWITCH] = "switch", [VH_PCI_COMPLEX] = "complex", [VH_PCI_NODE] = "node", [VH_PCI_SYSTEM] = "system",
	};

	return json_object_set_new(row, "hca", vh_pci_json_text(hca)) |
	       json_object_set_new(row, "hca_distance", vh_pci_json_text(*hca ? names[distance] : NULL));
}

json_t *vh_pci_device_json(const struct vh_pci_device *d, bool lease)
{
	vh_autojson row = vh_pci_json_row(d);

	if (!row || json_object_set_new(row, "attributes", vh_pci_json_set(d->set)) < 0 ||
	    (d->kind == VH_PCI_GPU && vh_pci_json_add_hca(row, d->hca, d->hca_distance) < 0) ||
	    (lease && json_object_set_new(row, "lease", vh_pci_json_text(d->lease)) < 0))
		return NULL;
	return vh_steal(&row);
}
