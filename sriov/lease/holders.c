// SPDX-License-Identifier: Apache-2.0
/* Who has each device: the VM that leased it, and what this host needs it for. */
#include "lib/json.h"
#include "lib/store.h"
#include "sriov/lease/lease.h"
#include "sriov/use/use.h"

int vh_sriov_add_leases(struct vh_store *store, json_t *rows, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	vh_autojson by_key = json_object();
	size_t n = 0, i;
	json_t *row;
	int r = vh_lease_list(store, "vf", NULL, &leases, &n, err);

	for (i = 0; r == 0 && i < n; i++)
		if (json_object_set_new(by_key, leases[i].key, json_string(leases[i].holder)) < 0)
			r = vh_err_nomem(err);
	json_array_foreach(rows, i, row) {
		json_t *holder = json_object_get(by_key, json_string_value(json_object_get(row, "address")));

		if (r == 0 && json_object_set(row, "lease", holder ? holder : json_null()) < 0)
			r = vh_err_nomem(err);
	}
	vh_lease_free(leases, n);
	return r;
}

int vh_sriov_add_uses(const struct vh_root *root, json_t *rows, struct vh_err *err)
{
	vh_autojson users = vh_vfio_users(root);
	json_t *row;
	size_t i;

	if (!users)
		return vh_err_nomem(err);
	json_array_foreach(rows, i, row) {
		const char *address = json_string_value(json_object_get(row, "address"));
		vh_autofree char *use = NULL;
		int r = vh_host_use(root, address, &use, err);

		if (r < 0)
			return r;
		if (!use)
			use = vh_fn_user(root, users, address);
		json_object_set_new(row, "use", vh_json_text(use));
	}
	return 0;
}
