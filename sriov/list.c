// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/table.h"
#include "sriov/change.h"
#include "sriov/private.h"

static bool is_ib(const json_t *device)
{
	const char *kind = json_string_value(json_object_get(device, "kind"));

	return kind && !strcmp(kind, "ib");
}

static bool is_pf_with_vfs(const json_t *row)
{
	const json_t *vfs = json_object_get(row, "vfs");

	return !strcmp(json_string_value(json_object_get(row, "function")), "pf") &&
	       !(json_is_integer(vfs) && json_integer_value(vfs) == 0);
}

/* Of each PF that has VFs {kind, vfs (address -> index)}; and what it has set of them, by their address. */
static int ask_pfs(const struct vh_root *root, const json_t *rows, json_t *pfs, json_t *attributes)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *address = json_string_value(json_object_get(row, "address"));
		vh_autojson vfs = NULL;
		vh_autojson told = NULL;
		vh_autoroot near = NULL;

		if (!is_pf_with_vfs(row) || vh_root_near(&near, root, VH_PCI_DIR "/%s", address) < 0)
			continue;
		vfs = vh_pci_vfs(near, address);
		told = vh_pf_attributes(near, address, vfs);
		if (json_object_set_new(pfs, address, json_pack("{sO sO}", "kind", json_object_get(row, "kind"), "vfs", vfs)) < 0 ||
		    (told && json_object_update(attributes, told) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* Only a PF knows its VFs' indexes and what is set of them, and it is asked once. A VF without
 * driver speaks what its PF does. */
static int ask_of_vfs(const struct vh_root *root, const json_t *rows)
{
	vh_autojson attributes = json_object();
	vh_autojson pfs = json_object();
	json_t *row;
	size_t i;

	if (ask_pfs(root, rows, pfs, attributes) < 0)
		return -ENOMEM;
	json_array_foreach(rows, i, row) {
		const char *name = json_string_value(json_object_get(row, "pf"));
		const char *address = json_string_value(json_object_get(row, "address"));
		const json_t *pf = name ? json_object_get(pfs, name) : NULL;
		json_t *index = json_object_get(json_object_get(pf, "vfs"), address);
		json_t *told = json_object_get(attributes, address);

		if ((is_ib(pf) && json_object_set(row, "kind", json_object_get(pf, "kind")) < 0) ||
		    (index && json_object_set(row, "vf", index) < 0) ||
		    json_object_set(row, "attributes", told ? told : json_null()) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int pair_gpus(const struct vh_root *root, const json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!strcmp(json_string_value(json_object_get(row, "kind")), "gpu") &&
		    vh_pci_set_pair(root, row, rows) < 0)
			return -ENOMEM;
	return 0;
}

/* Nothing is added for what is no device of ours, or has gone meanwhile. */
static int add_row(const struct vh_root *root, const char *address, json_t *rows)
{
	vh_autoroot near = NULL;
	const char *kind;
	int r;

	if (!vh_pci_is_address(address))
		return 0;
	r = vh_root_near(&near, root, VH_PCI_DIR "/%s", address);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	kind = vh_pci_own_kind(near, address);
	return kind && json_array_append_new(rows, vh_pci_row(near, address, kind)) < 0 ? -ENOMEM : 0;
}

int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err)
{
	vh_autojson rows = json_array();
	vh_autostrv names = NULL;
	int r = vh_root_list(root, &names, VH_PCI_DIR);

	if (r < 0 && r != -ENOENT)
		return vh_err_set(err, -r, "%s: %s: %s", vh_root_path(root), VH_PCI_DIR, strerror(-r));
	for (char **n = names; rows && n && *n; n++)
		if (add_row(root, *n, rows) < 0)
			return vh_err_nomem(err);
	if (!rows || ask_of_vfs(root, rows) < 0 || pair_gpus(root, rows) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&rows);
	return 0;
}
