// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/json.h"
#include "lib/parallel.h"
#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/pair.h"
#include "sriov/inventory/row.h"
#include "sriov/pci/pci.h"

/* Thousands of VFs are some ten files each: each hundred devices are worth a thread. */
enum { DEVICES_A_THREAD = 100 };

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

struct reading {
	const struct vh_root *root;
	char **names;
	json_t **rows;
	atomic_bool no_memory;
};

/* No row comes of what is no device of ours, or has gone meanwhile. */
static void read_row(void *arg, size_t i)
{
	struct reading *all = arg;
	const char *address = all->names[i], *kind;
	vh_autoroot near = NULL;
	int r = vh_pci_is_address(address) ? vh_root_near(&near, all->root, VH_PCI_DIR "/%s", address) : -EINVAL;

	kind = r == 0 ? vh_pci_own_kind(near, address) : NULL;
	if (kind)
		all->rows[i] = vh_pci_row(near, address, kind);
	if (r == -ENOMEM || (kind && !all->rows[i]))
		all->no_memory = true;
}

static int read_rows(const struct vh_root *root, char **names, json_t *rows)
{
	size_t n = vh_strv_len(names), threads = n / DEVICES_A_THREAD + 1, processors = vh_processors();
	struct reading all = { .root = root, .names = names, .rows = calloc(n + 1, sizeof(*all.rows)) };

	if (!all.rows)
		return -ENOMEM;
	vh_parallel(n, threads < processors ? threads : processors, read_row, &all);
	for (size_t i = 0; i < n; i++)
		if (all.rows[i] && json_array_append_new(rows, all.rows[i]) < 0)
			all.no_memory = true;
	free(all.rows);
	return all.no_memory ? -ENOMEM : 0;
}

int vh_sriov_list(const struct vh_root *root, json_t **ret, struct vh_err *err)
{
	vh_autojson rows = json_array();
	vh_autostrv names = NULL;
	int r = vh_root_list(root, &names, VH_PCI_DIR);

	if (r < 0 && r != -ENOENT)
		return vh_err_set(err, -r, "%s: %s: %s", vh_root_path(root), VH_PCI_DIR, strerror(-r));
	if (!rows || read_rows(root, names, rows) < 0 || ask_of_vfs(root, rows) < 0 || pair_gpus(root, rows) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&rows);
	return 0;
}
