// SPDX-License-Identifier: Apache-2.0
/* What a PF sets of a VF: its identity, VLAN, rates and switches. */
#include <errno.h>
#include <string.h>

#include "sriov/change/apply.h"
#include "sriov/change/change.h"
#include "sriov/change/check.h"
#include "sriov/change/identities.h"
#include "sriov/change/journal.h"
#include "sriov/change/wanted.h"
#include "sriov/function/function.h"
#include "sriov/use/use.h"

static int parse_attr(const struct vh_sriov_attr *attr, struct vh_fn *want, struct vh_err *err)
{
	for (unsigned a = 0; a < VH_FN_ATTRS; a++)
		if (!strcmp(attr->name, vh_fn_attr_name(a))) {
			want->have |= VH_FN_BIT(a);
			return vh_fn_attr_parse(a, attr->value, &want->value[a], err);
		}
	return vh_err_usage(err, "'%.40s' is no attribute of a VF", attr->name);
}

#define ETHERNET_BITS (VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_VLAN) | VH_FN_BIT(VH_FN_QOS))
#define IB_BITS (VH_FN_BIT(VH_FN_NODE_GUID) | VH_FN_BIT(VH_FN_PORT_GUID) | VH_FN_BIT(VH_FN_PKEY_INDEX))

static int check_kind(const struct vh_pf *cur, const struct vh_fn *want, struct vh_err *err)
{
	if (cur->ib && want->have & ETHERNET_BITS) {
		vh_err_refuse(err, EOPNOTSUPP, "%s: an InfiniBand VF has no MAC and no VLAN", want->address);
		return vh_err_hint(err, "--node-guid and --port-guid are its identity");
	}
	if (!cur->ib && want->have & IB_BITS)
		return vh_err_refuse(err, EOPNOTSUPP, "%s: an Ethernet VF has no GUID and no P_Key", want->address);
	return 0;
}

static int check_rates(const struct vh_fn *want, const struct vh_fn *cur, struct vh_err *err)
{
	uint64_t least = want->have & VH_FN_BIT(VH_FN_MIN_RATE) ? want->value[VH_FN_MIN_RATE] : cur->value[VH_FN_MIN_RATE];
	uint64_t most = want->have & VH_FN_BIT(VH_FN_MAX_RATE) ? want->value[VH_FN_MAX_RATE] : cur->value[VH_FN_MAX_RATE];

	if (most && least > most)
		return vh_err_refuse(err, EINVAL, "%s: min-rate %d is more than max-rate %d", want->address,
				     (int)least, (int)most);
	return 0;
}

static int set_locked(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err)
{
	const struct vh_fn *c;
	vh_autopf cur = { 0 };
	int r;

	if ((r = vh_pf_observe(s, want->address, &cur, err)) < 0)
		return r;
	c = vh_pf_find(&cur, want->fn[0].index, "");
	if (!c)
		return vh_err_set(err, ENODEV, "%s: it has gone", want->fn[0].address);
	if ((r = check_kind(&cur, &want->fn[0], err)) < 0 || (r = check_rates(&want->fn[0], c, err)) < 0 ||
	    (r = vh_check_unique(s, want, err)) < 0 ||
	    /* Not under anybody's feet */
	    (vh_fn_rebinds(&want->fn[0], c) && (r = vh_check_free(s, c->address, err)) < 0) ||
	    (r = vh_check_owner(s, want->address, err)) < 0)
		return r;
	return vh_sriov_change(s, want, VH_KEEP_MERGE, err);
}

int vh_sriov_set(struct vh_sriov *s, const char *vf, const struct vh_sriov_attr *attrs, size_t n, struct vh_err *err)
{
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autoclose int lock = -1;
	vh_autopf want = { 0 };
	struct vh_fn *fn;
	int index, r;

	if ((r = vh_check_vf(s->root, vf, want.address, &index, address, err)) < 0)
		return r;
	fn = vh_pf_add(&want, index, address);
	if (!fn)
		return vh_err_nomem(err);
	for (size_t i = 0; i < n; i++)
		if ((r = parse_attr(&attrs[i], fn, err)) < 0)
			return r;
	r = vh_sriov_enter(s, want.address, &lock, err);
	return r < 0 ? r : set_locked(s, &want, err);
}
