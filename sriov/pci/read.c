// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/private.h"

bool vh_pci_is_address(const char *s)
{
	size_t domain = strspn(s, "0123456789abcdef");

	s += domain;
	return domain >= 4 && domain <= 8 && *s == ':' && isxdigit((unsigned char)s[1]) &&
	       isxdigit((unsigned char)s[2]) && s[3] == ':' && isxdigit((unsigned char)s[4]) &&
	       isxdigit((unsigned char)s[5]) && s[6] == '.' && s[7] >= '0' && s[7] <= '7' && !s[8];
}

/* json_string says no to what is not UTF-8. */
static json_t *text_or_null(const char *text)
{
	json_t *j = *text ? json_string(text) : NULL;

	return j ? j : json_null();
}

json_t *vh_pci_text(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = NULL;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) < 0)
		return json_null();
	return text_or_null(text);
}

json_t *vh_pci_count(const struct vh_root *root, const char *address, const char *file)
{
	int64_t v;

	if (vh_root_read_int(root, &v, VH_PCI_DIR "/%s/%s", address, file) < 0 || v < 0)
		return json_null();
	return json_integer(v);
}

json_t *vh_pci_hex(const struct vh_root *root, const char *address, const char *file, size_t digits)
{
	vh_autofree char *text = NULL;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/%s", address, file) < 0 || strncmp(text, "0x", 2) ||
	    strlen(text + 2) != digits || strspn(text + 2, "0123456789abcdef") != digits)
		return json_null();
	return json_string(text + 2);
}

json_t *vh_pci_link(const struct vh_root *root, const char *address, const char *link)
{
	vh_autofree char *name = NULL;

	if (vh_root_link_name(root, &name, VH_PCI_DIR "/%s/%s", address, link) < 0)
		return json_null();
	return text_or_null(name);
}

json_t *vh_pci_names(const struct vh_root *root, const char *address, const char *dir)
{
	vh_autostrv names = NULL;
	vh_autojson list = json_array();

	if (list && vh_root_list(root, &names, VH_PCI_DIR "/%s/%s", address, dir) == 0)
		for (char **n = names; *n; n++)
			json_array_append_new(list, json_string(*n));
	return vh_steal(&list);
}

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

/* N of "virtfnN"; -1 when the name is another. */
static long virtfn(const char *name)
{
	const char *digits = name + strlen("virtfn");
	char *end;
	long n;

	if (strncmp(name, "virtfn", strlen("virtfn")) || !isdigit((unsigned char)*digits))
		return -1;
	n = strtol(digits, &end, 10);
	return *end || n > UINT16_MAX ? -1 : n;
}

static int by_index(const void *a, const void *b)
{
	long x = virtfn(*(char *const *)a), y = virtfn(*(char *const *)b);

	return (x > y) - (x < y);
}

json_t *vh_pci_vfs(const struct vh_root *root, const char *pf)
{
	vh_autojson vfs = json_object();
	vh_autostrv names = NULL;

	if (vh_root_list(root, &names, VH_PCI_DIR "/%s", pf) == 0)
		qsort(names, vh_strv_len(names), sizeof(*names), by_index);
	for (char **n = names; vfs && n && *n; n++) {
		vh_autojson vf = virtfn(*n) < 0 ? NULL : vh_pci_link(root, pf, *n);

		if (json_is_string(vf) && vh_pci_is_address(json_string_value(vf)) &&
		    json_object_set_new(vfs, json_string_value(vf), json_integer(virtfn(*n))) < 0)
			return NULL;
	}
	return vh_steal(&vfs);
}
