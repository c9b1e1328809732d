// SPDX-License-Identifier: Apache-2.0
/* What a killed run left of a device, what is stored of it, and its functions as they are. */
#include <errno.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "sriov/change/change.h"
#include "sriov/change/driver.h"
#include "sriov/change/journal.h"
#include "sriov/function/function.h"

int vh_sriov_recover(struct vh_sriov *s, const char *device, unsigned *ret_n, struct vh_err *err)
{
	vh_autofree char *address = NULL;
	vh_autoclose int lock = -1;
	int r;

	/* The device may be gone: then its journal only is emptied. */
	if ((r = vh_pci_full_address(device, &address, err)) < 0 || (r = vh_sriov_enter(s, NULL, &lock, err)) < 0)
		return r;
	return vh_sriov_undo_left(s, address, ret_n, err);
}

int vh_sriov_forget(struct vh_sriov *s, const char *device, struct vh_err *err)
{
	vh_autofree char *address = NULL;
	vh_autojson doc = NULL;
	vh_autoclose int lock = -1;
	int r;

	if ((r = vh_pci_full_address(device, &address, err)) < 0 || (r = vh_sriov_enter(s, NULL, &lock, err)) < 0)
		return r;
	r = vh_record_get(s->store, VH_WANTED, address, &doc, err);
	if (r == -ENOENT)
		return vh_err_refuse(err, ENOENT, "nothing is stored of %s", address);
	return r < 0 ? r : vh_record_delete(s->store, VH_WANTED, address, err);
}

int vh_sriov_functions(struct vh_sriov *s, const char *device, json_t **ret, struct vh_err *err)
{
	vh_autojson rows = json_array();
	vh_autopf what = { 0 };
	vh_autopf cur = { 0 };
	int r;

	if ((r = vh_sriov_locate(s, device, &what, err)) < 0 || (r = vh_sriov_companions(s, &what, err)) < 0 ||
	    (r = vh_pf_observe(s, what.address, &cur, err)) < 0)
		return r;
	for (size_t i = 0; i < cur.n; i++)
		if ((what.fn[0].index < 0 || what.fn[0].index == cur.fn[i].index) &&
		    json_array_append_new(rows, vh_fn_json(&cur.fn[i])) < 0)
			return vh_err_nomem(err);
	for (size_t i = 0; i < what.n && what.fn[0].index < 0 && !cur.vfs_max; i++)
		if ((r = vh_fn_observe(s->root, &what.fn[i], err)) < 0 ||
		    json_array_append_new(rows, vh_fn_json(&what.fn[i])) < 0)
			return r < 0 ? r : vh_err_nomem(err);
	*ret = vh_steal(&rows);
	return 0;
}
