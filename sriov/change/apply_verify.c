// SPDX-License-Identifier: Apache-2.0
/* All that a change asked for is read back. */
#include "sriov/change/apply_verify.h"

#include <errno.h>
#include <string.h>

/* A VF without MAC has its driver draw one. */
static bool holds(enum vh_fn_attr a, const struct vh_fn *want, const struct vh_fn *is, const struct vh_fn *was)
{
	return want->value[a] == is->value[a] ||
	       (a == VH_FN_MAC && !want->value[a] && was && is->value[a] != was->value[a]);
}

/* was: before all, or NULL */
static int compare_fn(const struct vh_fn *want, const struct vh_fn *is, const struct vh_fn *was, struct vh_err *err)
{
	char a_text[32], b_text[32];

	for (unsigned a = 0; a < VH_FN_ATTRS; a++)
		if (want->have & is->have & VH_FN_BIT(a) && !holds(a, want, is, was))
			return vh_err_set(err, EIO, "%s: %s: set to %s, reads %s", is->address, vh_fn_attr_name(a),
					  vh_fn_attr_text(a, want->value[a], a_text),
					  vh_fn_attr_text(a, is->value[a], b_text));
	if (want->have & VH_FN_DRIVER && strcmp(want->driver, VH_DRIVER_ANY) && strcmp(want->driver, is->driver))
		return vh_err_set(err, EIO, "%s: driver: set to '%s', reads '%s'", is->address, want->driver, is->driver);
	return 0;
}

int vh_pf_verify(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *was, struct vh_err *err)
{
	vh_autopf is = { 0 };
	int r = vh_pf_observe(s, want->address, &is, err);

	if (r == 0 && want->have & VH_PF_VFS && (is.vfs != want->vfs || is.n != want->vfs))
		r = vh_err_set(err, EIO, "%s: asked for %u VFs, %zu are there", want->address, want->vfs, is.n);
	if (r == 0 && want->have & is.have & VH_PF_AUTOPROBE && is.autoprobe != want->autoprobe)
		r = vh_err_set(err, EIO, "%s: sriov_drivers_autoprobe: reads %d", want->address, is.autoprobe);
	for (size_t i = 0; r == 0 && i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i], *c = vh_pf_find(&is, w->index, w->address);
		struct vh_fn now = c ? *c : *w;

		if (!c)
			r = vh_fn_observe(s->root, &now, err);
		if (r == 0)
			r = compare_fn(w, &now, vh_pf_find(was, w->index, w->address), err);
	}
	return r;
}
