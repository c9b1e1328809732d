// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/table.h"
#include "sriov/change.h"
#include "sriov/private.h"

static bool is_pf_with_vfs(const json_t *row)
{
	const json_t *vfs = json_object_get(row, "vfs");

	return !strcmp(json_string_value(json_object_get(row, "function")), "pf") &&
	       !(json_is_integer(vfs) && json_integer_value(vfs) == 0);
}

/* Only a PF knows its VFs' indexes and what is set of them, and it is asked once. */
static int number_vfs(const struct vh_root *root, const json_t *rows)
{
	vh_autojson attributes = json_object();
	vh_autojson by_pf = json_object();
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *address = json_string_value(json_object_get(row, "address"));

		if (!is_pf_with_vfs(row))
			continue;
		json_t *vfs = vh_pci_vfs(root, address);
		vh_autojson told = vh_pf_attributes(root, address, vfs);

		if (json_object_set_new(by_pf, address, vfs) < 0 || (told && json_object_update(attributes, told) < 0))
			return -ENOMEM;
	}
	json_array_foreach(rows, i, row) {
		const char *pf = json_string_value(json_object_get(row, "pf"));
		const char *address = json_string_value(json_object_get(row, "address"));
		json_t *index = pf ? json_object_get(json_object_get(by_pf, pf), address) : NULL;
		json_t *told = json_object_get(attributes, address);

		if ((index && json_object_set(row, "vf", index) < 0) ||
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

int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err)
{
	vh_autojson rows = json_array();
	vh_autostrv names = NULL;
	int r = vh_root_list(root, &names, VH_PCI_DIR);

	if (r < 0 && r != -ENOENT)
		return vh_err_set(err, -r, "%s: %s: %s", vh_root_path(root), VH_PCI_DIR, strerror(-r));
	for (char **n = names; n && *n; n++) {
		const char *kind = vh_pci_is_address(*n) ? vh_pci_kind(root, *n) : NULL;

		if (kind && json_array_append_new(rows, vh_pci_row(root, *n, kind)) < 0)
			return vh_err_nomem(err);
	}
	if (!rows || number_vfs(root, rows) < 0 || pair_gpus(root, rows) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&rows);
	return 0;
}
