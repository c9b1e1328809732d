// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/json.h"
#include "lib/store.h"
#include "lib/strv.h"
#include "lib/table.h"
#include "lib/values.h"
#include "sriov/cli/commands.h"
#include "sriov/sriov.h"

struct list_opts {
	const char *kind;
};

static int check_kind(const char *kind, struct vh_err *err)
{
	static const char *const kinds[] = { "ib", "ethernet", "gpu", "nvme" };

	for (size_t i = 0; i < vh_array_len(kinds); i++)
		if (!strcmp(kind, kinds[i]))
			return 0;
	vh_err_usage(err, "--kind: '%.40s' is no kind of device", kind);
	return vh_err_hint(err, "ib, ethernet, gpu or nvme");
}

/* Rows of the kind alone; steals rows. */
static json_t *only(json_t *rows, const char *kind)
{
	json_t *row, *some = json_array();
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(json_string_value(json_object_get(row, "kind")), kind))
			json_array_append(some, row);
	json_decref(rows);
	return some;
}

/* Who may not read the store sees the devices all the same. */
static int add_leases(struct vh_cli *cli, json_t *rows, struct vh_err *err)
{
	vh_autostore store = NULL;
	int r = vh_store_open(&store, cli->state, VH_STORE_READ, err);

	if (r == -EACCES) {
		vh_err_clear(err);
		return 0;
	}
	return r < 0 ? r : vh_sriov_add_leases(store, rows, err);
}

static int list(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ADDRESS", "address", VH_COL_TEXT },
		{ "KIND", "kind", VH_COL_TEXT },
		{ "FUNCTION", "function", VH_COL_TEXT },
		{ "PF", "pf", VH_COL_TEXT },
		{ "VF", "vf", VH_COL_RIGHT },
		{ "VFS", "vfs", VH_COL_RIGHT },
		{ "MAX", "vfs_max", VH_COL_RIGHT },
		{ "DRIVER", "driver", VH_COL_TEXT },
		{ "NUMA", "numa", VH_COL_RIGHT },
		{ "GROUP", "iommu_group", VH_COL_RIGHT },
		{ "NETDEV", "netdevs", VH_COL_TEXT },
		{ "IBDEV", "ibdevs", VH_COL_TEXT },
		{ "LINK", "link", VH_COL_TEXT },
		{ "SPEED", "speed", VH_COL_RIGHT },
		{ "MAC", "mac", VH_COL_TEXT },
		{ "LEASE", "lease", VH_COL_TEXT },
		{ 0 },
	};
	const struct list_opts *opts = cli->opts;
	vh_autoroot root = NULL;
	json_t *rows;
	int r;

	if ((opts->kind && (r = check_kind(opts->kind, err)) < 0) ||
	    (r = vh_root_open(&root, cli->root, err)) < 0 || (r = vh_sriov_list(root, &rows, err)) < 0)
		return r;
	if (opts->kind)
		rows = only(rows, opts->kind);
	r = add_leases(cli, rows, err);
	if (r < 0) {
		json_decref(rows);
		return r;
	}
	return vh_listing(cli, "vhpc.sriov.list/1", "devices", cols, rows, err);
}

/* "0: 32 MiB memory 64 bit prefetchable" */
static json_t *bar_text(const json_t *bar)
{
	char size[16];

	vh_size_format(size, sizeof(size), (uint64_t)json_integer_value(json_object_get(bar, "size")));
	return json_sprintf("%d: %s %s %d bit%s", (int)json_integer_value(json_object_get(bar, "bar")), size,
			    json_string_value(json_object_get(bar, "kind")),
			    (int)json_integer_value(json_object_get(bar, "bits")),
			    json_is_true(json_object_get(bar, "prefetch")) ? " prefetchable" : "");
}

/* "nvidia-63 (GRID P40-1Q), 24 left"; how many are left the types of VFs do not say. */
static json_t *type_text(const json_t *type)
{
	const char *name = json_string_value(json_object_get(type, "name"));
	const json_t *left = json_object_get(type, "available");
	char number[32] = "";

	if (json_is_integer(left))
		snprintf(number, sizeof(number), ", %lld left", (long long)json_integer_value(left));
	return json_sprintf("%s%s%s%s%s", json_string_value(json_object_get(type, "type")), name ? " (" : "",
			    name ? name : "", name ? ")" : "", number);
}

/* "vlan 100" */
static json_t *attribute_text(const char *key, const json_t *value)
{
	vh_autofree char *text = json_is_string(value) ? strdup(json_string_value(value)) :
							 json_dumps(value, JSON_ENCODE_ANY);

	return text ? json_sprintf("%s %s", key, text) : NULL;
}

/* "1: ACTIVE, LinkUp, 200000 Mb/s, GUID 0c:42:a1:03:00:00:00:02, LID 7, SM at 1" */
static json_t *port_text(const json_t *port)
{
	const char *state = json_string_value(json_object_get(port, "state"));
	const char *physical = json_string_value(json_object_get(port, "physical"));
	const char *guid = json_string_value(json_object_get(port, "port_guid"));

	return json_sprintf("%d: %s, %s, %lld Mb/s, GUID %s, LID %lld, SM at %lld",
			    (int)json_integer_value(json_object_get(port, "port")), state ? state : "?",
			    physical ? physical : "?", (long long)json_integer_value(json_object_get(port, "rate")),
			    guid ? guid : "?", (long long)json_integer_value(json_object_get(port, "lid")),
			    (long long)json_integer_value(json_object_get(port, "sm_lid")));
}

static json_t *for_people(json_t *value)
{
	const char *key;
	json_t *list, *item;
	size_t i;

	if (json_is_object(value)) {
		list = json_array();
		json_object_foreach(value, key, item)
			json_array_append_new(list, attribute_text(key, item));
		return list;
	}
	if (!json_is_object(json_array_get(value, 0)))
		return json_incref(value);
	list = json_array();
	json_array_foreach(value, i, item)
		json_array_append_new(list, json_object_get(item, "type") ? type_text(item) :
					    json_object_get(item, "port") ? port_text(item) : bar_text(item));
	return list;
}

static int add_lease(struct vh_cli *cli, json_t *device, struct vh_err *err)
{
	vh_autojson rows = json_pack("[O]", device);

	return rows ? add_leases(cli, rows, err) : vh_err_nomem(err);
}

static int show(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ATTRIBUTE", "key", VH_COL_TEXT }, { "VALUE", "value", VH_COL_TEXT }, { 0 },
	};
	vh_autojson rows = json_array();
	vh_autojson device = NULL;
	vh_autoroot root = NULL;
	const char *key;
	json_t *value;
	int r;

	if ((r = vh_root_open(&root, cli->root, err)) < 0 ||
	    (r = vh_sriov_show(root, cli->argv[0], &device, err)) < 0)
		return r;
	r = add_lease(cli, device, err);
	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print("vhpc.sriov.show/1", json_pack("{sO}", "device", device), err);
	json_object_foreach(device, key, value)
		json_array_append_new(rows, json_pack("{ss so}", "key", key, "value", for_people(value)));
	vh_table_print(stdout, cols, rows);
	return 0;
}

static const struct vh_opt list_options[] = {
	{ "kind", 0, VH_OPT_STR, offsetof(struct list_opts, kind), "KIND", "only ib, ethernet, gpu or nvme" },
	{ 0 },
};

#define CHANGE(verb, what, most, text) \
	{ .name = #verb, .args = what, .min_args = most, .max_args = most, .help = text, .flags = VH_VERB_JSON, \
	  .opts = vh_cmd_driver_options, .opts_size = sizeof(struct vh_driver_opts), .run = vh_cmd_##verb }

static const struct vh_verb verbs[] = {
	{ .name = "list", .args = "", .help = "NICs, HCAs, their VFs, GPUs and NVMe, and where they sit",
	  .flags = VH_VERB_JSON, .opts = list_options, .opts_size = sizeof(struct list_opts), .run = list },
	{ .name = "show", .args = "ADDRESS", .min_args = 1, .max_args = 1,
	  .help = "One PCI device: link, BARs, reset, IOMMU group, path to the root complex",
	  .flags = VH_VERB_JSON, .run = show },
	{ .name = "create", .args = "PF", .min_args = 1, .max_args = 1, .help = "Give a PF so many VFs",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_create_options, .opts_size = sizeof(struct vh_create_opts),
	  .run = vh_cmd_create },
	{ .name = "set", .args = "VF", .min_args = 1, .max_args = 1, .help = "Set a VF's attributes through its PF",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_set_options, .opts_size = sizeof(struct vh_set_opts), .run = vh_cmd_set },
	{ .name = "doctor", .args = "[DEVICE]", .max_args = 1, .help = "Walk from the firmware to the guest: what is wrong, and what mends it",
	  .flags = VH_VERB_JSON, .run = vh_cmd_doctor },
	CHANGE(bind, "DEVICE DRIVER", 2, "Bind a driver, vfio-pci for one"),
	CHANGE(unbind, "DEVICE", 1, "Leave a device without driver"),
	CHANGE(release, "DEVICE", 1, "Give a device back to the host, neutral, and its lease too"),
	CHANGE(reset, "DEVICE", 1, "Reset a device, and make sure that it answers"),
	{ .name = "lease", .args = "VM", .min_args = 1, .max_args = 1, .help = "Lease a free VF to a VM",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_lease_options, .opts_size = sizeof(struct vh_lease_opts),
	  .run = vh_cmd_lease },
	{ .name = "return", .args = "VM", .min_args = 1, .max_args = 1, .help = "Give back the VFs of a VM",
	  .run = vh_cmd_return },
	{ .name = "identity", .args = "CLUSTER NODE", .min_args = 2, .max_args = 2,
	  .help = "The MAC and GUID of a VM's port, and lease them to it", .flags = VH_VERB_JSON,
	  .opts = vh_cmd_identity_options, .opts_size = sizeof(struct vh_identity_opts), .run = vh_cmd_identity },
	{ .name = "restore", .args = "", .help = "Make all devices what was last asked of them, after a boot",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_restore_options, .opts_size = sizeof(struct vh_restore_opts),
	  .run = vh_cmd_restore },
	{ .name = "recover", .args = "DEVICE", .min_args = 1, .max_args = 1,
	  .help = "Undo what a killed or failed change left of a device", .run = vh_cmd_recover },
	{ .name = "forget", .args = "DEVICE", .min_args = 1, .max_args = 1,
	  .help = "Leave a device out of restore", .run = vh_cmd_forget },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = {
		.name = "vhpc sriov", .summary = "PCI devices, their VFs and their locality", .verbs = verbs,
	};

	return vh_main(&prog, argc, argv);
}
