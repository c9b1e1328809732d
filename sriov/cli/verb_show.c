// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov show */
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "sriov/cli/cli.h"
#include "sriov/inventory/inventory.h"

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
	const char *address = json_string_value(json_object_get(device, "address"));
	vh_autodevices devices = { calloc(1, sizeof(*devices.v)), 1, false };
	int r;

	if (!devices.v)
		return vh_err_nomem(err);
	snprintf(devices.v->address, sizeof(devices.v->address), "%s", address);
	r = vh_cmd_add_leases(cli, &devices, err);
	if (r == 0 && devices.has_leases && json_object_set_new(device, "lease", vh_json_text(devices.v->lease)) < 0)
		return vh_err_nomem(err);
	return r;
}

int vh_cmd_show(struct vh_cli *cli, struct vh_err *err)
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
		return vh_json_print("vhpc.sriov.show/2", json_pack("{sO}", "device", device), err);
	json_object_foreach(device, key, value)
		json_array_append_new(rows, json_pack("{ss so}", "key", key, "value", for_people(value)));
	vh_table_print(stdout, cols, rows);
	return 0;
}
