// SPDX-License-Identifier: Apache-2.0
/* All devices are made what was last asked of them. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "sriov/change/apply.h"
#include "sriov/change/change.h"
#include "sriov/change/check.h"
#include "sriov/change/journal.h"
#include "sriov/change/wanted.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

/* The stored state, of the device where it is now: its other functions move along. */
static int load_wanted(struct vh_sriov *s, const char *address, const json_t *doc, struct vh_pf *ret,
		       struct vh_err *err)
{
	vh_autopf want = { 0 };
	int r = vh_pf_from_json(json_object_get(doc, "state"), &want, err);

	if (r == 0)
		r = vh_wanted_locate(s->root, address, doc, want.address, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < want.n; i++) {
		struct vh_fn *fn = &want.fn[i];
		vh_autofree char *moved = vh_strf("%.*s%c", (int)strlen(want.address) - 1, want.address,
						  fn->address[strlen(fn->address) - 1]);

		if (!moved)
			return vh_err_nomem(err);
		if (fn->index < 0)
			snprintf(fn->address, sizeof(fn->address), "%s", moved);
	}
	*ret = want;
	want.fn = NULL;
	return 0;
}

/* Nobody loses a function that he uses for the sake of what was wanted once. */
static int check_functions(struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *cur, struct vh_err *err)
{
	for (size_t i = 0; i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i], *c = vh_pf_find(cur, w->index, w->address);
		struct vh_fn now = c ? *c : *w;
		int r = 0;

		if (w->have & VH_FN_DRIVER && w->driver[0] && !vh_root_exists(s->root, "sys/bus/pci/drivers/%s", w->driver)) {
			vh_err_refuse(err, ENOENT, "%s: the kernel has no PCI driver %s", want->address, w->driver);
			return vh_err_hint(err, "modprobe %s", w->driver);
		}
		/* A VF that is still to be made has no user. */
		if (!c && w->index >= 0)
			continue;
		if (!c)
			r = vh_fn_observe(s->root, &now, err);
		if (r == 0 && ((w->have & VH_FN_DRIVER && strcmp(now.driver, w->driver)) || (c && vh_fn_rebinds(w, c))))
			r = vh_check_free(s, now.address, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int restore_located(struct vh_sriov *s, const char *address, const struct vh_pf *want, struct vh_err *err)
{
	vh_autopf cur = { 0 };
	int r;

	if ((r = vh_sriov_undo_left(s, want->address, NULL, err)) < 0 ||
	    (r = vh_check_owner(s, want->address, err)) < 0 || (r = vh_pf_observe(s, want->address, &cur, err)) < 0)
		return r;
	if (want->have & VH_PF_VFS && want->vfs > cur.vfs_max)
		return vh_err_refuse(err, ERANGE, "%s: %u VFs are wanted, and firmware offers %u now", want->address,
				     want->vfs, cur.vfs_max);
	if (want->have & VH_PF_VFS && want->vfs != cur.vfs && (r = vh_check_vfs_idle(s, &cur, err)) < 0)
		return r;
	if ((r = check_functions(s, want, &cur, err)) < 0 || (r = vh_sriov_change(s, want, VH_KEEP_MERGE, err)) < 0)
		return r;
	return strcmp(address, want->address) ? vh_record_delete(s->store, VH_WANTED, address, err) : 0;
}

static bool has_driver(const struct vh_root *root, const char *address)
{
	vh_autofree char *driver = vh_pci_link(root, address, "driver");

	return driver;
}

/* Drivers take a rate only while the PF's link is up, and so early in a boot nobody else has raised it. */
static bool link_is_ready(struct vh_sriov *s, const struct vh_pf *want)
{
	vh_autofree char *operstate = NULL;
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autopf cur = { 0 };
	bool rates = false;

	for (size_t i = 0; i < want->n; i++)
		for (unsigned a = VH_FN_MIN_RATE; a <= VH_FN_MAX_RATE; a++)
			rates |= want->fn[i].have & VH_FN_BIT(a) && want->fn[i].value[a];
	if (!rates)
		return true;
	if (vh_pf_observe(s, want->address, &cur, &ignored) < 0 || !cur.netdev[0])
		return false;
	if (vh_root_read(s->root, &operstate, VH_PCI_DIR "/%s/net/%s/operstate", want->address, cur.netdev) == 0 &&
	    strcmp(operstate, "down"))
		return true;
	s->ops->link_up(s->arg, cur.netdev, &ignored);
	return false;
}

/* At boot a device and its driver come when they come; one left without driver is not waited for. */
static int restore_one(struct vh_sriov *s, const char *address, const json_t *doc, time_t until,
		       char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };

	for (;;) {
		vh_autopf want = { 0 };
		int r = load_wanted(s, address, doc, &want, err);
		bool ready = r == 0 && (!(want.have & VH_PF_VFS) || has_driver(s->root, want.address)) &&
			     link_is_ready(s, &want);

		if (ready || (r < 0 && r != -ENODEV) || time(NULL) >= until) {
			if (r < 0)
				return r;
			snprintf(ret_address, VH_PCI_ADDRESS_SIZE, "%s", want.address);
			return restore_located(s, address, &want, err);
		}
		vh_err_clear(err);
		nanosleep(&pause, NULL);
	}
}

static json_t *restored_row(const char *stored, const char *address, const struct vh_err *err)
{
	const char *result = !err->num ? "restored" : err->exit == VH_EXIT_REFUSED ? "refused" :
			     err->exit == VH_EXIT_PARTIAL ? "partly" : "failed";

	return json_pack("{ss ss ss ss? ss?}", "device", address, "stored", stored, "result", result,
			 "cause", err->num ? err->text : NULL, "hint", err->num ? err->hint : NULL);
}

int vh_sriov_restore(struct vh_sriov *s, unsigned wait_s, json_t **ret, struct vh_err *err)
{
	time_t until = time(NULL) + (time_t)wait_s;
	vh_autojson rows = json_array();
	vh_autoclose int lock = -1;
	vh_autojson all = NULL;
	const char *address;
	json_t *doc;
	int r;

	if ((r = vh_sriov_enter(s, NULL, &lock, err)) < 0 || (r = vh_record_list(s->store, VH_WANTED, &all, err)) < 0)
		return r;
	json_object_foreach(all, address, doc) {
		char is[VH_PCI_ADDRESS_SIZE];
		vh_autoerr why = VH_ERR_NONE;

		snprintf(is, sizeof(is), "%s", address);
		restore_one(s, address, doc, until, is, &why);
		if (json_array_append_new(rows, restored_row(address, is, &why)) < 0)
			return vh_err_nomem(err);
	}
	*ret = vh_steal(&rows);
	return 0;
}
