// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/private.h"

enum { UNBIND_WAIT_MS = 10000, UNBIND_POLL_MS = 50 };

static int put(const struct vh_sriov *s, const char *path, const char *text, const char *address,
	       const char *what, struct vh_err *err)
{
	int r = s->ops->write(s->arg, s->root, path, text);

	return r < 0 ? vh_err_set(err, -r, "%s: %s: %s", address, what, strerror(-r)) : 0;
}

/* The same, of the device's own file. */
static int put_own(const struct vh_sriov *s, const char *address, const char *file, const char *text,
		   const char *what, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(VH_PCI_DIR "/%s/%s", address, file);

	return path ? put(s, path, text, address, what, err) : vh_err_nomem(err);
}

/* --- how many */

static int put_count(const struct vh_sriov *s, const char *pf, unsigned n, struct vh_err *err)
{
	char number[16], what[48];
	int64_t is;
	int r;

	snprintf(number, sizeof(number), "%u", n);
	snprintf(what, sizeof(what), n ? "making %u VFs" : "removing its VFs", n);
	r = put_own(s, pf, "sriov_numvfs", number, what, err);
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
		r = put_own(s, want->address, "sriov_drivers_autoprobe", want->autoprobe ? "1" : "0",
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
		r = put(s, path, file_text(a, want->value[a], buf), fn->address, vh_fn_attr_name(a), err);
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
static void complete(struct vh_fn *todo, const struct vh_fn *cur)
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
		complete(t, c);
	}
	r = todo.n ? vh_pf_write(s, cur, todo.fn, todo.n, err) : 0;
	return r < 0 ? vh_err_within(err, "%s", want->address) : 0;
}

/* --- drivers */

static int put_override(const struct vh_sriov *s, const char *address, const char *driver, struct vh_err *err)
{
	struct vh_fn now = { 0 };
	int r;

	r = put_own(s, address, "driver_override", *driver ? driver : "\n", "setting driver_override", err);
	if (r < 0)
		return r;
	snprintf(now.address, sizeof(now.address), "%s", address);
	r = vh_fn_observe(s->root, &now, err);
	if (r == 0 && strcmp(now.override, driver))
		r = vh_err_set(err, EIO, "%s: driver_override: wrote '%s', reads '%s'", address, driver, now.override);
	return r;
}

/* A driver whose module is still being loaded has devices before it has its file to take them away
 * (drivers/base/bus.c, bus_add_driver); one that fails with a device leaves it by itself. */
static int write_unbind(const struct vh_sriov *s, struct vh_fn *cur, const char *what, struct vh_err *err)
{
	const struct timespec pause = { .tv_nsec = UNBIND_POLL_MS * 1000 * 1000 };

	for (int left = UNBIND_WAIT_MS;; left -= UNBIND_POLL_MS) {
		int r = put_own(s, cur->address, "driver/unbind", cur->address, what, err);

		if (r != -ENOENT || left <= 0)
			return r;
		vh_err_clear(err);
		nanosleep(&pause, NULL);
		r = vh_fn_observe(s->root, cur, err);
		if (r < 0 || !cur->driver[0])
			return r;
	}
}

static int unbind(const struct vh_sriov *s, struct vh_fn *cur, struct vh_err *err)
{
	vh_autofree char *what = vh_strf("unbinding %s", cur->driver);
	int r = what ? write_unbind(s, cur, what, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_fn_observe(s->root, cur, err);
	if (r == 0 && cur->driver[0])
		r = vh_err_set(err, EBUSY, "%s: unbound, and %s has it", cur->address, cur->driver);
	return r;
}

/* The kernel reports success even when nothing was bound. */
static int probe(const struct vh_sriov *s, struct vh_fn *cur, const char *driver, struct vh_err *err)
{
	vh_autofree char *what = vh_strf("binding %s", strcmp(driver, VH_DRIVER_ANY) ? driver : "its driver");
	int r = what ? put(s, "sys/bus/pci/drivers_probe", cur->address, cur->address, what, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_fn_observe(s->root, cur, err);
	if (r < 0 || !strcmp(driver, VH_DRIVER_ANY) || !strcmp(cur->driver, driver))
		return r;
	vh_err_set(err, EIO, "%s: %s: the kernel reports success, and %s%s", cur->address, what,
		   cur->driver[0] ? "its driver is " : "no driver is bound", cur->driver);
	return vh_err_hint(err, "see why in the kernel's log: dmesg");
}

static bool is_bound_as(const struct vh_fn *cur, const char *driver)
{
	if (strcmp(driver, VH_DRIVER_ANY))
		return !strcmp(cur->driver, driver);
	return cur->driver[0] && !cur->override[0] && strcmp(cur->driver, "vfio-pci");
}

static int set_driver(const struct vh_sriov *s, const struct vh_fn *want, struct vh_fn *cur, bool rebind,
		      struct vh_err *err)
{
	bool any = want->have & VH_FN_DRIVER && !strcmp(want->driver, VH_DRIVER_ANY);
	char driver[VH_DRIVER_SIZE], override[VH_DRIVER_SIZE];
	int r = 0;

	snprintf(driver, sizeof(driver), "%s", want->have & VH_FN_DRIVER ? want->driver : cur->driver);
	snprintf(override, sizeof(override), "%s",
		 want->have & VH_FN_OVERRIDE ? want->override : any ? "" : cur->override);
	/* VFs under vfio read their identity when the guest resets them. */
	rebind = rebind && cur->driver[0] && strcmp(cur->driver, "vfio-pci");
	if (!is_bound_as(cur, driver) || rebind) {
		/* Named in driver_override meanwhile: without, a PF that probes no VFs binds nothing. */
		const char *meanwhile = any ? "" : driver;

		if (cur->driver[0])
			r = unbind(s, cur, err);
		if (r == 0 && driver[0] && strcmp(cur->override, meanwhile))
			r = put_override(s, cur->address, meanwhile, err);
		if (r == 0 && driver[0])
			r = probe(s, cur, driver, err);
	}
	if (r == 0)
		r = vh_fn_observe(s->root, cur, err);
	if (r == 0 && cur->have & VH_FN_OVERRIDE && strcmp(cur->override, override))
		r = put_override(s, cur->address, override, err);
	return r;
}

static int set_drivers(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *cur,
		       const bool *rebind, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < want->n; i++) {
		const struct vh_fn *w = &want->fn[i], *c = vh_pf_find(cur, w->index, w->address);
		struct vh_fn now = c ? *c : *w;

		if (!(w->have & (VH_FN_DRIVER | VH_FN_OVERRIDE)) && !rebind[i])
			continue;
		r = vh_fn_observe(s->root, &now, err);
		if (r == 0)
			r = set_driver(s, w, &now, rebind[i], err);
	}
	return r;
}

/* --- reset */

/* Command and status, which are never all ones: a VF's vendor and device numbers always are. */
static int answers(const struct vh_sriov *s, const char *address, struct vh_err *err)
{
	vh_autoclose int fd = vh_root_openf(s->root, O_RDONLY, VH_PCI_DIR "/%s/config", address);
	uint32_t word;

	if (fd < 0 || pread(fd, &word, sizeof(word), 4) != sizeof(word))
		return vh_err_set(err, EIO, "%s: its configuration space cannot be read", address);
	if (word != UINT32_MAX)
		return 0;
	vh_err_set(err, ENODEV, "%s: it does not answer", address);
	return vh_err_hint(err, "echo 1 > /sys/bus/pci/devices/%s/remove, then echo 1 > /sys/bus/pci/rescan", address);
}

int vh_fn_reset(const struct vh_sriov *s, const char *address, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(VH_PCI_DIR "/%s/reset", address);
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (!vh_root_exists(s->root, "%s", path)) {
		vh_err_refuse(err, EOPNOTSUPP, "%s: the kernel knows no way to reset it", address);
		return vh_err_hint(err, "a device that cannot be reset is unsafe to hand from one VM to another");
	}
	r = s->ops->write(s->arg, s->root, path, "1");
	if (r < 0)
		return vh_err_set(err, -r, "%s: resetting it: %s", address, strerror(-r));
	return answers(s, address, err);
}

static int reset_some(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < want->n; i++)
		if (want->fn[i].have & VH_FN_RESET)
			r = vh_fn_reset(s, want->fn[i].address, err);
	return r;
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

/* --- reading back */

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

static int verify(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *was, struct vh_err *err)
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
	    (r = set_drivers(s, want, &cur, rebind, err)) < 0 ||
	    (r = set_trust(s, want, &cur, rebind, err)) < 0 || (r = reset_some(s, want, err)) < 0)
		return r;
	return verify(s, want, &cur, err);
}
