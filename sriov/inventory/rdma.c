// SPDX-License-Identifier: Apache-2.0
/* The InfiniBand or RoCE device of a PCI function: its GUID, and its ports. */
#include "sriov/inventory/rdma.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/inventory/ibverbs.h"
#include "sriov/inventory/json.h"
#include "sriov/inventory/rdma_names.h"
#include "sriov/inventory/rdma_netlink.h"
#include "sriov/inventory/umad.h"
#include "sriov/pci/pci.h"

/* The last 64 bits of "fe80:0000:0000:0000:0c42:a103:0000:0002", or of a GUID alone; null: neither. */
static json_t *guid_of(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *s = vh_pci_text(root, address, file);
	unsigned v[4];

	if (!s || strlen(s) < strlen("0000:0000:0000:0000"))
		return json_null();
	if (sscanf(s + strlen(s) - strlen("0000:0000:0000:0000"), "%4x:%4x:%4x:%4x", &v[0], &v[1], &v[2], &v[3]) != 4)
		return json_null();
	return vh_rdma_guid((uint64_t)v[0] << 48 | (uint64_t)v[1] << 32 | v[2] << 16 | v[3]);
}

/* "4: ACTIVE" -> "ACTIVE" */
static json_t *name_of(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *s = vh_pci_text(root, address, file);
	const char *colon = s ? strstr(s, ": ") : NULL;

	return vh_pci_json_text(colon ? colon + 2 : s);
}

/* "0x1" */
static json_t *hex_of(const struct vh_root *root, const char *address, const char *file)
{
	int64_t v;

	return vh_root_read_int(root, &v, VH_PCI_DIR "/%s/%s", address, file) < 0 ? json_null() : json_integer(v);
}

/* "100 Gb/sec (4X EDR)", "2.5 Gb/sec (1X SDR)" -> Mb/s */
static json_t *rate_of(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = vh_pci_text(root, address, file);
	double gbit = text ? strtod(text, NULL) : 0;

	return gbit > 0 && gbit < 1e6 ? json_integer((json_int_t)(gbit * 1000)) : json_null();
}

static json_t *pkeys_of(const struct vh_root *root, const char *address, const char *dir)
{
	vh_autostrv names = vh_pci_names(root, address, dir);
	vh_autojson list = json_array();

	for (char **n = names; n && *n; n++) {
		vh_autofree char *file = vh_strf("%s/%s", dir, *n);
		vh_autofree char *key = file ? vh_pci_text(root, address, file) : NULL;

		/* Unused places hold zero. */
		if (key && strcmp(key, "0x0000"))
			json_array_append_new(list, json_string(key));
	}
	return vh_steal(&list);
}

typedef json_t *reader(const struct vh_root *root, const char *address, const char *file);

/* What /sys says of the port in that directory. */
static json_t *port_row(const struct vh_root *root, const char *address, const char *dir, const char *number)
{
	static const struct { const char *key, *file; reader *read; } members[] = {
		{ "link_layer", "link_layer", vh_pci_json_file }, { "state", "state", name_of },
		{ "physical", "phys_state", name_of }, { "lid", "lid", hex_of }, { "sm_lid", "sm_lid", hex_of },
		{ "port_guid", "gids/0", guid_of }, { "rate", "rate", rate_of }, { "pkeys", "pkeys", pkeys_of },
	};
	json_t *row = json_pack("{si sn sn}", "port", (int)strtol(number, NULL, 10), "mtu", "mtu_max");

	for (size_t i = 0; row && i < vh_array_len(members); i++) {
		vh_autofree char *file = vh_strf("%s/%s/%s", dir, number, members[i].file);

		if (file)
			json_object_set_new(row, members[i].key, members[i].read(root, address, file));
	}
	return row;
}

/* What the other sources know better, or alone. */
static void ask_host(const char *ibdev, json_t *ports)
{
	vh_autojson told = NULL;
	json_t *port;
	char key[16];
	size_t i;

	if (vh_rdma_netlink_ports(ibdev, &told) < 0)
		told = NULL;
	json_array_foreach(ports, i, port) {
		int number = (int)json_integer_value(json_object_get(port, "port"));
		json_t *more;

		snprintf(key, sizeof(key), "%d", number);
		more = json_object_get(told, key);
		if (more)
			json_object_update(port, more);
		vh_umad_port("libibumad.so.3", ibdev, number, port);
		vh_ibverbs_port("libibverbs.so.1", ibdev, number, port);
	}
}

/* Each P_Key once, of all ports. */
static json_t *all_pkeys(const json_t *ports)
{
	json_t *list = json_array();
	const json_t *port, *key, *there;
	size_t i, j, k;

	json_array_foreach(ports, i, port)
		json_array_foreach(json_object_get(port, "pkeys"), j, key) {
			bool known = false;

			json_array_foreach(list, k, there)
				known |= json_equal(there, key);
			if (!known)
				json_array_append(list, (json_t *)key);
		}
	return list;
}

int vh_pci_set_rdma(const struct vh_root *root, const struct vh_pci_device *device, json_t *row)
{
	const char *ibdev = device->ibdevs ? *device->ibdevs : NULL, *address = device->address;
	vh_autofree char *dir = ibdev ? vh_strf("infiniband/%s/ports", ibdev) : NULL;
	vh_autofree char *guid = ibdev ? vh_strf("infiniband/%s/node_guid", ibdev) : NULL;
	vh_autostrv names = dir ? vh_pci_names(root, address, dir) : NULL;
	vh_autojson ports = json_array();

	for (char **n = names; n && *n; n++)
		if (json_array_append_new(ports, port_row(root, address, dir, *n)) < 0)
			return -ENOMEM;
	if (ibdev && vh_root_is_live(root))
		ask_host(ibdev, ports);
	return json_object_set_new(row, "node_guid", guid ? guid_of(root, address, guid) : json_null()) |
	       json_object_set_new(row, "pkeys", all_pkeys(ports)) | json_object_set(row, "ports", ports);
}
