// SPDX-License-Identifier: Apache-2.0
/* Devices of a live or captured host, from sriov's inventory. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/sysroot.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "vmm/host/host.h"

static const char *text(const json_t *row, const char *key)
{
	const char *s = json_string_value(json_object_get(row, key));

	return s ? s : "";
}

static int kind_of(const char *kind)
{
	static const char *const names[VH_DEVICE_KINDS] = { "ib", "ethernet", "gpu", "nvme" };

	for (int i = 0; i < VH_DEVICE_KINDS; i++)
		if (!strcmp(kind, names[i]))
			return i;
	return -1;
}

static int node_index(const struct vh_host *host, const json_t *numa)
{
	for (size_t i = 0; json_is_integer(numa) && i < host->n_nodes; i++)
		if ((json_int_t)host->nodes[i].id == json_integer_value(numa))
			return (int)i;
	/* Where there is one node, firmware seldom says so. */
	return host->n_nodes == 1 ? 0 : -1;
}

static uint64_t sum_bars(const json_t *bars)
{
	uint64_t sum = 0;
	const json_t *bar;
	size_t i;

	json_array_foreach(bars, i, bar)
		if (!strcmp(text(bar, "kind"), "memory"))
			sum += (uint64_t)json_integer_value(json_object_get(bar, "size"));
	return sum;
}

static void set_place(struct vh_host_device *dev, const struct vh_root *root, struct vh_err *err)
{
	vh_autojson more = NULL;
	const json_t *ports;
	const char *complex;

	if (vh_sriov_show(root, dev->address, &more, err) < 0) {
		vh_err_clear(err);
		return;
	}
	complex = text(more, "root_complex");
	ports = json_object_get(more, "upstream");
	snprintf(dev->root, sizeof(dev->root), "%s", *complex ? complex + strlen("pci") : "");
	/* Root port, the switch's upstream port, its downstream port, device. */
	if (json_array_size(ports) >= 3)
		snprintf(dev->sw, sizeof(dev->sw), "%s", json_string_value(json_array_get(ports, 1)));
	dev->bars = sum_bars(json_object_get(more, "bars"));
}

static int add_row(struct vh_host *host, const struct vh_root *root, const json_t *row, struct vh_err *err)
{
	const char *name = json_string_value(json_array_get(json_object_get(row, "ibdevs"), 0));
	struct vh_host_device dev = { .node = node_index(host, json_object_get(row, "numa")) };
	int kind = kind_of(text(row, "kind"));

	if (kind < 0)
		return 0;
	if (!name)
		name = json_string_value(json_array_get(json_object_get(row, "netdevs"), 0));
	dev.kind = (enum vh_device_kind)kind;
	dev.vfs = (unsigned)json_integer_value(json_object_get(row, "vfs"));
	dev.held = *text(row, "lease") || *text(row, "use") || dev.vfs;
	snprintf(dev.address, sizeof(dev.address), "%s", text(row, "address"));
	snprintf(dev.pf, sizeof(dev.pf), "%s", text(row, "pf"));
	snprintf(dev.name, sizeof(dev.name), "%s", name ? name : "");
	set_place(&dev, root, err);
	return vh_host_add_device(host, &dev) < 0 ? vh_err_nomem(err) : 0;
}

int vh_host_add_devices(struct vh_host *host, const struct vh_root *root, struct vh_store *store,
			struct vh_err *err)
{
	vh_autojson rows = NULL;
	const json_t *row;
	size_t i;
	int r = vh_sriov_list(root, &rows, err);

	if (r == 0 && store)
		r = vh_sriov_add_leases(store, rows, err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_sriov_add_uses(root, rows, err);
	if (r < 0)
		return r;
	json_array_foreach(rows, i, row) {
		r = add_row(host, root, row, err);
		if (r < 0)
			return r;
	}
	return 0;
}
