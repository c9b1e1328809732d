// SPDX-License-Identifier: Apache-2.0
#include "sriov/change/apply.h"

#include <errno.h>
#include <string.h>

#include "sriov/change/apply_driver.h"
#include "sriov/change/apply_verify.h"
#include "sriov/pci/pci.h"

/* --- how many */

static int put_count(const struct vh_sriov *s, const char *pf, unsigned n, struct vh_err *err)
{
	char number[16], what[48];
	int64_t is;
	int r;

	snprintf(number, sizeof(number), "%u", n);
	snprintf(what, sizeof(what), n ? "making %u VFs" : "removing its VFs", n);
	r = vh_sriov_write_own(s, pf, "sriov_numvfs", number, what, err);
	if (r < 0)
		return r;
	r = vh_root_read_int(s->root, &is, VH_PCI_DIR "/%s/sriov_numvfs", pf);
	if (r == 0 && is != n)
		return vh_err_set(err, EIO, "%s: %s: the kernel took it, and there are %lld", pf, what, (long long)is);
	return r < 0 ? vh_err_set(err, -r, "%s: %s: reading back: %s", pf, what, strerror(-r)) : 0;
}

static int set_count(const struct vh_sriov *s, const struct vh_pf *want, struct vh_pf *cur, struct vh_err *err)
{
	vh_autopf now = { 0 };
	int r = 0;

	if (want->have & VH_PF_AUTOPROBE && cur->have & VH_PF_AUTOPROBE && want->autoprobe != cur->autoprobe)
		r = vh_sriov_write_own(s, want->address, "sriov_drivers_autoprobe", want->autoprobe ? "1" : "0",
			    "setting whether VFs get drivers", err);
	if (r < 0 || !(want->have & VH_PF_VFS) || want->vfs == cur->vfs)
		return r;
	/* The kernel refuses to go from one number to another. */
	if (cur->vfs)
		r = put_count(s, want->address, 0, err);
	if (r == 0 && want->vfs)
		r = put_count(s, want->address, want->vfs, err);
	if (r == 0)
		r = vh_pf_observe(s, want->address, &now, err);
	if (r < 0)
		return r;
	if (now.n != want->vfs)
		return vh_err_set(err, EIO, "%s: made %u VFs, and %zu are there", want->address, want->vfs, now.n);
	vh_pf_clear(cur);
	*cur = now;
	now.fn = NULL;
	return 0;
}

/* --- attributes */

static unsigned differing(const struct vh_fn *want, const struct vh_fn *cur)
{
	unsigned bits = 0;

	for (unsigned a = 0; a < VH_FN_ATTRS; a++)
		if (want->have & VH_FN_BIT(a) && (!(cur->have & VH_FN_BIT(a)) || want->value[a] != cur->value[a]))
			bits |= VH_FN_BIT(a);
	return bits;
}

/* A file's form of a policy; else the attribute's own. */
static const char *file_text(enum vh_fn_attr attr, uint64_t value, char buf[32])
{
	static const char *const policies[] = { "Follow", "Up", "Down" };

	return attr == VH_FN_LINK_STATE && value < 3 ? policies[value] : vh_fn_attr_text(attr, value, buf);
}

/* Sets those that are files; *bits keeps the others. */
static int put_attr_files(const struct vh_sriov *s, const struct vh_pf *pf, const struct vh_fn *fn,
			  const struct vh_fn *want, unsigned *bits, struct vh_err *err)
{
	char buf[32];

	for (unsigned a = 0; a < VH_FN_ATTRS; a++) {
		vh_autofree char *path = *bits & VH_FN_BIT(a) ? vh_fn_attr_file(s->root, pf, fn, a) : NULL;
		int r;

		if (!path)
			continue;
		r = vh_sriov_write(s, path, file_text(a, want->value[a], buf), fn->address, vh_fn_attr_name(a), err);
		if (r < 0)
			return r;
		*bits &= ~VH_FN_BIT(a);
	}
	return 0;
}

static int no_netdev(const struct vh_pf *pf, const struct vh_fn *fn, unsigned bits, struct vh_err *err)
{
	unsigned a = 0;

	while (!(bits & VH_FN_BIT(a)))
		a++;
	vh_err_refuse(err, EOPNOTSUPP, "%s: its driver offers no way to set %s", fn->address, vh_fn_attr_name(a));
	return pf->netdev[0] ? -err->num : vh_err_hint(err, "PF %s has no network device: is its driver bound?", pf->address);
}

/* Values that go in pairs, the other one as it is. */
static void complete_pairs(struct vh_fn *todo, const struct vh_fn *cur)
{
	static const enum vh_fn_attr pairs[][2] = {
		{ VH_FN_VLAN, VH_FN_QOS }, { VH_FN_QOS, VH_FN_VLAN },
		{ VH_FN_MIN_RATE, VH_FN_MAX_RATE }, { VH_FN_MAX_RATE, VH_FN_MIN_RATE },
	};

	for (size_t i = 0; i < vh_array_len(pairs); i++)
		if (todo->have & VH_FN_BIT(pairs[i][0]) && !(todo->have & VH_FN_BIT(pairs[i][1])))
			todo->value[pairs[i][1]] = cur->value[pairs[i][1]];
}

#define GUID_BITS (VH_FN_BIT(VH_FN_NODE_GUID) | VH_FN_BIT(VH_FN_PORT_GUID))
#define MAC_BIT VH_FN_BIT(VH_FN_MAC)
#define TRUST_BIT VH_FN_BIT(VH_FN_TRUST)

bool vh_fn_rebinds(const struct vh_fn *want, const struct vh_fn *cur)
{
	unsigned bits = differing(want, cur);
	bool hosts = cur->driver[0] && strcmp(cur->driver, "vfio-pci");
	bool given_back = want->have & VH_FN_DRIVER && !strcmp(want->driver, VH_DRIVER_ANY);

	return bits & GUID_BITS || (hosts && bits & MAC_BIT && (bits & TRUST_BIT || (given_back && !want->value[VH_FN_MAC])));
}

/* rebind[i]: want->fn[i] is to be bound again afterwards, and trusted then. */
static int set_attrs(const struct vh_sriov *s, const struct vh_pf *want, struct vh_pf *cur, bool *rebind,
		     struct vh_err *err)
{
	vh_autopf todo = { 0 };
	int r;

	for (size_t i = 0; i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i], *c = vh_pf_find(cur, w->index, w->address);
		unsigned bits = c && w->index >= 0 ? differing(w, c) : 0;
		struct vh_fn *t;

		rebind[i] = bits && vh_fn_rebinds(w, c);
		if (rebind[i])
			bits &= ~TRUST_BIT;
		if (!bits)
			continue;
		r = put_attr_files(s, cur, c, w, &bits, err);
		if (r < 0)
			return r;
		if (!bits)
			continue;
		if (!cur->netdev[0] || bits & VH_FN_BIT(VH_FN_PKEY_INDEX))
			return no_netdev(cur, c, bits, err);
		t = vh_pf_add(&todo, w->index, c->address);
		if (!t)
			return vh_err_nomem(err);
		memcpy(t->value, w->value, sizeof(t->value));
		t->have = bits;
		complete_pairs(t, c);
	}
	r = todo.n ? vh_pf_write(s, cur, todo.fn, todo.n, err) : 0;
	return r < 0 ? vh_err_within(err, "%s", want->address) : 0;
}

/* A trusted VF's driver may set its MAC: only once it knows the new one. */
static int set_trust(const struct vh_sriov *s, const struct vh_pf *want, struct vh_pf *cur, const bool *rebind,
		     struct vh_err *err)
{
	vh_autopf todo = { 0 };
	int r = 0;

	for (size_t i = 0; i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i];
		struct vh_fn *t;

		if (!rebind[i] || !(differing(w, vh_pf_find(cur, w->index, "")) & TRUST_BIT))
			continue;
		t = vh_pf_add(&todo, w->index, w->address);
		if (!t)
			return vh_err_nomem(err);
		t->have = TRUST_BIT;
		t->value[VH_FN_TRUST] = w->value[VH_FN_TRUST];
	}
	if (todo.n)
		r = vh_pf_write(s, cur, todo.fn, todo.n, err);
	return r < 0 ? vh_err_within(err, "%s", want->address) : 0;
}

int vh_pf_apply(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	vh_autofree bool *rebind = calloc(want->n + 1, sizeof(*rebind));
	vh_autopf cur = { 0 };
	int r;

	if (!rebind)
		return vh_err_nomem(err);
	if ((r = vh_pf_observe(s, want->address, &cur, err)) < 0 || (r = set_count(s, want, &cur, err)) < 0)
		return r;
	for (size_t i = 0; i < want->n; i++)
		if (want->fn[i].index >= 0 && !vh_pf_find(&cur, want->fn[i].index, ""))
			return vh_err_set(err, ENODEV, "%s: VF %d has gone", want->address, want->fn[i].index);
	if ((r = set_attrs(s, want, &cur, rebind, err)) < 0 ||
	    (r = vh_fn_apply_drivers(s, want, &cur, rebind, err)) < 0 ||
	    (r = set_trust(s, want, &cur, rebind, err)) < 0 || (r = vh_fn_apply_resets(s, want, err)) < 0)
		return r;
	return vh_pf_verify(s, want, &cur, err);
}
