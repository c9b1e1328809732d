// SPDX-License-Identifier: Apache-2.0
#include "sriov/change/journal.h"

#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/change/apply.h"
#include "sriov/pci/pci.h"

enum { LOCK_MS = 120000 };

/* Of a function, what a change to want can touch. */
static int copy_touched(const struct vh_sriov *s, const struct vh_pf *cur, const struct vh_fn *want,
			struct vh_pf *ret, struct vh_err *err)
{
	const struct vh_fn *c = vh_pf_find(cur, want->index, want->address);
	struct vh_fn *fn = vh_pf_add(ret, want->index, c ? c->address : want->address);
	unsigned bits = want->have & VH_FN_ATTR_BITS;

	if (!fn)
		return vh_err_nomem(err);
	if (want->have & (VH_FN_DRIVER | VH_FN_OVERRIDE) || (c && vh_fn_rebinds(want, c)))
		bits |= VH_FN_DRIVER | VH_FN_OVERRIDE;
	if (c)
		*fn = *c;
	else if (want->index >= 0)
		return vh_err_set(err, ENODEV, "%s: VF %d has gone", want->address, want->index);
	else if (vh_fn_observe(s->root, fn, err) < 0)
		return -err->num;
	fn->have &= bits;
	return 0;
}

static int state_before(const struct vh_sriov *s, const struct vh_pf *want, struct vh_pf *ret, struct vh_err *err)
{
	vh_autopf cur = { 0 };
	vh_autopf before = { 0 };
	int r = vh_pf_observe(s, want->address, &cur, err);

	if (r < 0)
		return r;
	if (want->have & VH_PF_VFS && want->vfs != cur.vfs) {
		*ret = cur;
		cur.fn = NULL;
		return 0;
	}
	memcpy(before.address, want->address, sizeof(before.address));
	before.have = want->have & cur.have & VH_PF_AUTOPROBE;
	before.autoprobe = cur.autoprobe;
	for (size_t i = 0; r == 0 && i < want->n; i++)
		r = copy_touched(s, &cur, &want->fn[i], &before, err);
	if (r < 0)
		return r;
	*ret = before;
	before.fn = NULL;
	return 0;
}

static char *run_of(const char *address)
{
	return vh_strf("sriov/%s", address);
}

static int begin_change(struct vh_sriov *s, const char *run, const struct vh_pf *before, int64_t *ret_id,
			struct vh_err *err)
{
	vh_autojson doc = vh_pf_json(before);
	vh_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	return text ? vh_journal_begin(s->store, run, "before", text, ret_id, err) : vh_err_nomem(err);
}

/* VFs that will go are kept from being leased meanwhile. */
static int claim_vfs(struct vh_sriov *s, const char *run, const struct vh_pf *before, struct vh_err *err)
{
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < before->n; i++)
		r = vh_lease_take(s->store, "vf", before->fn[i].address, run, 0, err);
	if (r == 0)
		return vh_store_end(s->store, true, err);
	vh_store_end(s->store, false, &(struct vh_err)VH_ERR_NONE);
	return r;
}

/* The change is over, done or undone: the journal's row and the claims go, and what is
 * wanted from now on is stored, in one transaction. want NULL: undone. */
static int finish_change(struct vh_sriov *s, const char *run, int64_t id, const struct vh_pf *want, enum vh_keep keep,
			 struct vh_err *err)
{
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	r = vh_journal_forget(s->store, id, err);
	if (r == 0)
		r = vh_lease_drop(s->store, run, "vf", NULL, err);
	if (r == 0 && want)
		r = vh_wanted_keep(s, want, keep, err);
	if (r == 0)
		return vh_store_end(s->store, true, err);
	vh_store_end(s->store, false, &(struct vh_err)VH_ERR_NONE);
	return r;
}

/* Of a device that has gone, nothing is left to undo. */
static int drop_gone(const struct vh_sriov *s, struct vh_pf *before, struct vh_err *err)
{
	vh_autopf cur = { 0 };
	size_t n = 0;
	int r;

	if (before->have & VH_PF_VFS)
		return 0;
	r = vh_pf_observe(s, before->address, &cur, err);
	for (size_t i = 0; r == 0 && i < before->n; i++) {
		const struct vh_fn *fn = &before->fn[i];

		if (fn->index < 0 ? vh_root_exists(s->root, VH_PCI_DIR "/%s/class", fn->address) :
		    !!vh_pf_find(&cur, fn->index, ""))
			before->fn[n++] = *fn;
	}
	before->n = r == 0 ? n : before->n;
	return r;
}

static int undo_change(struct vh_sriov *s, const char *run, int64_t id, struct vh_pf *before, struct vh_err *err)
{
	int r = 0;

	if (vh_root_exists(s->root, VH_PCI_DIR "/%s/class", before->address)) {
		r = drop_gone(s, before, err);
		if (r == 0)
			r = vh_pf_apply(s, before, err);
	}
	return r < 0 ? r : finish_change(s, run, id, NULL, VH_KEEP_NOT, err);
}

static int fail_partly(struct vh_err *err, const struct vh_err *why, const char *address)
{
	vh_autofree char *text = vh_strf("%s; undoing it: %s", err->text ? err->text : "?", why->text ? why->text : "?");
	int num = err->num;

	vh_err_set(err, num, "%s", text ? text : "out of memory");
	err->exit = VH_EXIT_PARTIAL;
	return vh_err_hint(err, "it is in the journal: mend the cause, then vhpc sriov recover %s", address);
}

int vh_sriov_change(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err)
{
	vh_autofree char *run = run_of(want->address);
	vh_autoerr undo_err = VH_ERR_NONE;
	vh_autopf before = { 0 };
	int64_t id;
	int r;

	if (!run)
		return vh_err_nomem(err);
	if ((r = state_before(s, want, &before, err)) < 0 || (r = begin_change(s, run, &before, &id, err)) < 0)
		return r;
	if (before.have & VH_PF_VFS)
		r = claim_vfs(s, run, &before, err);
	if (r == 0)
		r = vh_pf_apply(s, want, err);
	if (r == 0)
		r = finish_change(s, run, id, want, keep, err);
	if (r < 0 && undo_change(s, run, id, &before, &undo_err) < 0)
		return fail_partly(err, &undo_err, want->address);
	return r;
}

/* --- what a killed run left */

static int recover_step(struct vh_sriov *s, const char *run, const struct vh_step *step, struct vh_err *err)
{
	vh_autojson doc = json_loads(step->object, 0, NULL);
	vh_autopf before = { 0 };
	int r = vh_pf_from_json(doc, &before, err);

	return r < 0 ? r : undo_change(s, run, step->id, &before, err);
}

int vh_sriov_undo_left(struct vh_sriov *s, const char *address, unsigned *ret_n, struct vh_err *err)
{
	vh_autofree char *run = run_of(address);
	struct vh_step *steps = NULL;
	size_t n = 0;
	int r = run ? vh_journal_list(s->store, run, &steps, &n, err) : vh_err_nomem(err);

	for (size_t i = n; r == 0 && i-- > 0;)
		r = recover_step(s, run, &steps[i], err);
	vh_journal_free(steps, n);
	if (r < 0) {
		vh_err_within(err, "%s: undoing what an earlier run left", address);
		err->exit = VH_EXIT_PARTIAL;
	} else if (ret_n) {
		*ret_n = (unsigned)n;
	}
	return r;
}

int vh_sriov_enter(struct vh_sriov *s, const char *address, int *ret_lock, struct vh_err *err)
{
	vh_autoclose int lock = -1;
	int r = vh_lock(s->state, "sriov", LOCK_MS, &lock, err);

	if (r == 0 && address)
		r = vh_sriov_undo_left(s, address, NULL, err);
	if (r < 0)
		return r;
	*ret_lock = vh_steal_fd(&lock);
	return 0;
}
