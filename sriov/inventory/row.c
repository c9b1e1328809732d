// SPDX-License-Identifier: Apache-2.0
/* One device as a row of the listing. */
#include "sriov/inventory/row.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/pci/pci.h"

static json_t *group_number(const struct vh_root *root, const char *address)
{
	vh_autojson name = vh_pci_link(root, address, "iommu_group");
	const char *text = json_string_value(name);
	char *end;
	long v;

	if (!text || !isdigit((unsigned char)*text))
		return json_null();
	v = strtol(text, &end, 10);
	return *end || v > INT_MAX ? json_null() : json_integer(v);
}

static int set_function(const struct vh_root *root, const char *address, json_t *row)
{
	json_t *pf = vh_pci_link(root, address, "physfn");
	json_t *most = json_null(), *vfs = json_null();
	const char *function = "vf";

	if (!vh_pci_is_address(json_is_null(pf) ? "" : json_string_value(pf))) {
		json_decref(pf);
		pf = json_null();
		most = vh_pci_count(root, address, "sriov_totalvfs");
		function = json_integer_value(most) > 0 ? "pf" : "device";
	}
	if (!strcmp(function, "pf")) {
		vfs = vh_pci_count(root, address, "sriov_numvfs");
	} else {
		json_decref(most);
		most = json_null();
	}
	return json_object_set_new(row, "function", json_string(function)) |
	       json_object_set_new(row, "pf", pf) | json_object_set_new(row, "vf", json_null()) |
	       json_object_set_new(row, "vfs", vfs) | json_object_set_new(row, "vfs_max", most);
}

/* IPoIB that is down says nothing of its port, and "unknown" nothing of any. */
static json_t *link_state(const char *operstate, bool ib)
{
	if (!operstate || !strcmp(operstate, "unknown"))
		return json_null();
	if (!strcmp(operstate, "up"))
		return json_string("up");
	return ib ? json_null() : json_string("down");
}

/* A virtio NIC's network device hangs on the virtio device below the PCI device. */
static char *network_dir(const struct vh_root *root, const char *address, const json_t *driver)
{
	vh_autostrv names = NULL;

	if (json_is_string(driver) && !strcmp(json_string_value(driver), "virtio-pci") &&
	    vh_root_list(root, &names, VH_PCI_DIR "/%s", address) == 0)
		for (char **n = names; *n; n++)
			if (!strncmp(*n, "virtio", strlen("virtio")))
				return vh_strf("%s/net", *n);
	return strdup("net");
}

static json_t *netdev_text(const struct vh_root *root, const char *address, const char *netdev,
			   const char *file)
{
	vh_autofree char *path = netdev ? vh_strf("%s/%s", netdev, file) : NULL;

	return path ? vh_pci_text(root, address, path) : json_null();
}

/* GPUs, NVMes and what VMs have make no network device. */
static bool has_network(const char *kind, const json_t *driver)
{
	return kind && (!strcmp(kind, "ib") || !strcmp(kind, "ethernet")) &&
	       !(json_is_string(driver) && !strcmp(json_string_value(driver), "vfio-pci"));
}

/* What the first network device tells; its speed only while up, else drivers may wait. */
static int set_network(const struct vh_root *root, const char *address, const char *kind, json_t *row)
{
	bool ib = kind && !strcmp(kind, "ib"), nic = has_network(kind, json_object_get(row, "driver"));
	vh_autofree char *dir = nic ? network_dir(root, address, json_object_get(row, "driver")) : NULL;
	json_t *netdevs = dir ? vh_pci_names(root, address, dir) : json_array();
	const char *name = json_string_value(json_array_get(netdevs, 0));
	vh_autofree char *first = name ? vh_strf("%s/%s", dir, name) : NULL;
	vh_autojson operstate = netdev_text(root, address, first, "operstate");
	json_t *link = link_state(json_string_value(operstate), ib), *speed = json_null();
	int64_t mbit;

	if (json_is_string(link) && !strcmp(json_string_value(link), "up") &&
	    vh_root_read_int(root, &mbit, VH_PCI_DIR "/%s/%s/speed", address, first) == 0 && mbit > 0)
		speed = json_integer(mbit);
	return json_object_set_new(row, "mac", netdev_text(root, address, first, "address")) |
	       json_object_set_new(row, "link", link) | json_object_set_new(row, "speed", speed) |
	       json_object_set_new(row, "netdevs", netdevs) |
	       json_object_set_new(row, "ibdevs", nic ? vh_pci_names(root, address, "infiniband") : json_array());
}

/* "../../../devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0": the complex, the ports, the device. */
static int set_path(const struct vh_root *root, const char *address, json_t *row)
{
	vh_autofree char *target = NULL;
	json_t *complex = json_null(), *upstream = json_array();
	char *rest, *part;

	if (vh_root_readlink(root, &target, VH_PCI_DIR "/%s", address) < 0)
		target = NULL;
	rest = target;
	while (rest && (part = strsep(&rest, "/"))) {
		if (!strncmp(part, "pci", strlen("pci")) && json_is_null(complex))
			complex = json_string(part);
		else if (vh_pci_is_address(part) && strcmp(part, address))
			json_array_append_new(upstream, json_string(part));
	}
	return json_object_set_new(row, "root_complex", complex ? complex : json_null()) |
	       json_object_set_new(row, "upstream", upstream);
}

json_t *vh_pci_row(const struct vh_root *root, const char *address, const char *kind)
{
	vh_autojson row = json_pack("{ss ss? so so so so so}", "address", address, "kind", kind,
				    "vendor", vh_pci_hex(root, address, "vendor", 4),
				    "device", vh_pci_hex(root, address, "device", 4),
				    "driver", vh_pci_link(root, address, "driver"),
				    "numa", vh_pci_count(root, address, "numa_node"),
				    "iommu_group", group_number(root, address));

	if (!row || set_path(root, address, row) < 0 || set_function(root, address, row) < 0 ||
	    set_network(root, address, kind, row) < 0)
		return NULL;
	return vh_steal(&row);
}
