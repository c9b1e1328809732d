// SPDX-License-Identifier: Apache-2.0
/* A device goes back to the host as nobody has ever set it. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "sriov/change/change.h"
#include "sriov/change/driver.h"
#include "sriov/change/journal.h"
#include "sriov/change/wanted.h"
#include "sriov/function/function.h"

#define IDENTITY_BITS (VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_NODE_GUID) | VH_FN_BIT(VH_FN_PORT_GUID))

/* Takes away what of its identity was set here: its VM may get it again on another VF. */
static int take_identity(struct vh_sriov *s, const struct vh_fn *cur, struct vh_pf *want, struct vh_err *err)
{
	vh_autojson doc = NULL;
	vh_autopf stored = { 0 };
	const struct vh_fn *set;
	int r = vh_record_get(s->store, VH_WANTED, want->address, &doc, err);

	if (r == 0)
		r = vh_pf_from_json(json_object_get(doc, "state"), &stored, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	set = vh_pf_find(&stored, cur->index, "");
	for (unsigned a = 0; set && a < VH_FN_ATTRS; a++)
		if (set->have & cur->have & IDENTITY_BITS & VH_FN_BIT(a) && set->value[a] == cur->value[a])
			want->fn[0].have |= VH_FN_BIT(a);
	return 0;
}

/* As a VF is that nobody has set; of what its driver reports. */
static int make_neutral(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err)
{
	static const enum vh_fn_attr neutral[] = {
		VH_FN_VLAN, VH_FN_QOS, VH_FN_SPOOFCHK, VH_FN_TRUST, VH_FN_MIN_RATE, VH_FN_MAX_RATE, VH_FN_LINK_STATE,
	};
	const struct vh_fn *c;
	vh_autopf cur = { 0 };
	int r = vh_pf_observe(s, want->address, &cur, err);

	c = r == 0 && want->fn[0].index >= 0 ? vh_pf_find(&cur, want->fn[0].index, "") : NULL;
	for (size_t i = 0; c && i < vh_array_len(neutral); i++) {
		uint64_t value = neutral[i] == VH_FN_SPOOFCHK;

		/* Only what differs: drivers that lack an attribute refuse its neutral value too. */
		if (!(c->have & VH_FN_BIT(neutral[i])) || c->value[neutral[i]] == value)
			continue;
		want->fn[0].value[neutral[i]] = value;
		want->fn[0].have |= VH_FN_BIT(neutral[i]);
	}
	return c ? take_identity(s, c, want, err) : r;
}

/* The store gives back by holder: the holder's others are taken again. */
static int drop_lease(struct vh_sriov *s, const char *holder, const char *address, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	size_t n = 0;
	int r = vh_lease_list(s->store, "vf", holder, &leases, &n, err);

	if (r == 0)
		r = vh_lease_drop(s->store, holder, "vf", NULL, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (strcmp(leases[i].key, address))
			r = vh_lease_take(s->store, "vf", leases[i].key, holder, leases[i].amount, err);
	vh_lease_free(leases, n);
	return r;
}

static int drop_leases(struct vh_sriov *s, const char *address, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	size_t n = 0;
	int r = vh_store_begin(s->store, err);

	if (r < 0)
		return r;
	r = vh_lease_list(s->store, "vf", NULL, &leases, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!strcmp(leases[i].key, address))
			r = drop_lease(s, leases[i].holder, address, err);
	vh_lease_free(leases, n);
	if (r == 0)
		return vh_store_end(s->store, true, err);
	vh_store_end(s->store, false, &(struct vh_err)VH_ERR_NONE);
	return r;
}

int vh_sriov_release(struct vh_sriov *s, const char *device, struct vh_err *err)
{
	vh_autoclose int lock = -1;
	vh_autopf want = { 0 };
	int r;

	if ((r = vh_sriov_locate(s, device, &want, err)) < 0 || (r = vh_sriov_enter(s, want.address, &lock, err)) < 0 ||
	    (r = vh_sriov_companions(s, &want, err)) < 0 || (r = make_neutral(s, &want, err)) < 0)
		return r;
	r = vh_driver_change(s, &want, VH_DRIVER_ANY, "", VH_KEEP_DROP_FNS, err);
	/* Some drivers take no all-zero MAC: the VF keeps the one that it has. */
	if ((r == -EINVAL || r == -EADDRNOTAVAIL) && want.fn[0].have & IDENTITY_BITS && err->exit != VH_EXIT_PARTIAL) {
		vh_err_clear(err);
		want.fn[0].have &= ~IDENTITY_BITS;
		r = vh_driver_change(s, &want, VH_DRIVER_ANY, "", VH_KEEP_DROP_FNS, err);
	}
	return r < 0 ? r : drop_leases(s, want.fn[0].address, err);
}
