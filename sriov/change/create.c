// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/change/check.h"
#include "sriov/private.h"

int vh_sriov_open_with(struct vh_sriov **ret, const char *root, const struct vh_sriov_ops *ops, void *arg,
		       const char *state, struct vh_err *err)
{
	vh_autosriov s = calloc(1, sizeof(*s));
	int r;

	if (!s || !(s->state = strdup(state)))
		return vh_err_nomem(err);
	s->ops = ops;
	s->arg = arg;
	if ((r = vh_root_open(&s->root, root, err)) < 0)
		return r;
	if (ops == &vh_sriov_kernel && !vh_root_is_live(s->root))
		return vh_err_refuse(err, EROFS, "%s: a captured host cannot be changed", vh_root_path(s->root));
	if ((r = vh_store_open(&s->store, state, VH_STORE_WRITE, err)) < 0)
		return r;
	*ret = vh_steal(&s);
	return 0;
}

int vh_sriov_open(struct vh_sriov **ret, const char *root, const char *state, struct vh_err *err)
{
	return vh_sriov_open_with(ret, root, &vh_sriov_kernel, NULL, state, err);
}

void vh_sriov_close(struct vh_sriov *s)
{
	if (!s)
		return;
	vh_store_close(s->store);
	vh_root_free(s->root);
	free(s->state);
	free(s->force);
	free(s);
}

void vh_sriov_force(struct vh_sriov *s, const char *address)
{
	free(s->force);
	s->force = address ? strdup(address) : NULL;
}

/* --- create */

static int check_number(struct vh_sriov *s, const struct vh_pf *cur, unsigned n, struct vh_err *err)
{
	vh_autojson vendor = vh_pci_hex(s->root, cur->address, "vendor", 4);
	struct vh_fn pf = { .index = -1 };
	int r;

	if (n > cur->vfs_max) {
		vh_err_refuse(err, ERANGE, "%s: cannot create %u VFs: firmware offers %u", cur->address, n, cur->vfs_max);
		return json_is_string(vendor) && !strcmp(json_string_value(vendor), "15b3") ?
		       vh_err_hint(err, "mstconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=%u, then reboot", cur->address, n) :
		       vh_err_hint(err, "the device's firmware sets the most there can be");
	}
	snprintf(pf.address, sizeof(pf.address), "%s", cur->address);
	r = vh_fn_observe(s->root, &pf, err);
	if (r == 0 && !pf.driver[0]) {
		vh_err_refuse(err, ENODEV, "%s: no driver is bound to this PF", cur->address);
		return vh_err_hint(err, "vhpc sriov release %s", cur->address);
	}
	return r;
}

static int create(struct vh_sriov *s, const char *pf, unsigned n, int probe, struct vh_err *err)
{
	vh_autopf cur = { 0 };
	vh_autopf want = { .have = VH_PF_VFS, .vfs = n };
	int r;

	if ((r = vh_pf_observe(s, pf, &cur, err)) < 0 || (r = check_number(s, &cur, n, err)) < 0 ||
	    (r = vh_check_owner(s, pf, err)) < 0)
		return r;
	if (cur.vfs != n && (r = vh_check_vfs_idle(s, &cur, err)) < 0)
		return r;
	memcpy(want.address, cur.address, sizeof(want.address));
	if (probe >= 0) {
		want.autoprobe = probe;
		want.have |= VH_PF_AUTOPROBE;
	}
	return vh_sriov_change(s, &want, VH_KEEP_MERGE, err);
}

int vh_sriov_create(struct vh_sriov *s, const char *text, unsigned n, int probe, struct vh_err *err)
{
	char pf[VH_PCI_ADDRESS_SIZE];
	vh_autoclose int lock = -1;
	int r;

	if ((r = vh_check_device(s->root, text, pf, err)) < 0 || (r = vh_check_pf(s->root, pf, err)) < 0 ||
	    (r = vh_sriov_enter(s, pf, &lock, err)) < 0)
		return r;
	return create(s, pf, n, probe, err);
}

/* --- set */

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

static int set(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err)
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
	return r < 0 ? r : set(s, &want, err);
}

/* --- the journal and the wanted state */

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
