// SPDX-License-Identifier: Apache-2.0
/* A function gets its driver, or leaves it; and is reset. */
#include "sriov/change/apply_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

enum { UNBIND_WAIT_MS = 10000, UNBIND_POLL_MS = 50 };

static int put_override(const struct vh_sriov *s, const char *address, const char *driver, struct vh_err *err)
{
	struct vh_fn now = { 0 };
	int r;

	r = vh_sriov_write_own(s, address, "driver_override", *driver ? driver : "\n", "setting driver_override", err);
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
		int r = vh_sriov_write_own(s, cur->address, "driver/unbind", cur->address, what, err);

		if (r != -ENOENT || left <= 0)
			return r;
		vh_err_clear(err);
		nanosleep(&pause, NULL);
		r = vh_fn_observe(s->root, cur, err);
		if (r < 0 || !cur->driver[0])
			return r;
	}
}

/* What it is to have next may already have come to it. */
static int unbind_fn(const struct vh_sriov *s, struct vh_fn *cur, const char *next, struct vh_err *err)
{
	vh_autofree char *what = vh_strf("unbinding %s", cur->driver);
	int r = what ? write_unbind(s, cur, what, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_fn_observe(s->root, cur, err);
	if (r == 0 && cur->driver[0] && strcmp(next, VH_DRIVER_ANY) && strcmp(cur->driver, next))
		r = vh_err_set(err, EBUSY, "%s: unbound, and %s has it", cur->address, cur->driver);
	return r;
}

/* The kernel reports success even when nothing was bound. */
static int probe_driver(const struct vh_sriov *s, struct vh_fn *cur, const char *driver, struct vh_err *err)
{
	vh_autofree char *what = vh_strf("binding %s", strcmp(driver, VH_DRIVER_ANY) ? driver : "its driver");
	int r = what ? vh_sriov_write(s, "sys/bus/pci/drivers_probe", cur->address, cur->address, what, err) : vh_err_nomem(err);

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
		/* Named in driver_override meanwhile: without, a PF that probes no VFs binds nothing. And first:
		 * a driver whose module is loaded just now would have it between unbinding and the name. */
		const char *meanwhile = any ? "" : driver;

		if (driver[0] && strcmp(cur->override, meanwhile))
			r = put_override(s, cur->address, meanwhile, err);
		if (r == 0)
			r = vh_fn_observe(s->root, cur, err);
		if (r == 0 && cur->driver[0] && (rebind || !is_bound_as(cur, driver)))
			r = unbind_fn(s, cur, driver, err);
		if (r == 0 && driver[0])
			r = probe_driver(s, cur, driver, err);
	}
	if (r == 0)
		r = vh_fn_observe(s->root, cur, err);
	if (r == 0 && cur->have & VH_FN_OVERRIDE && strcmp(cur->override, override))
		r = put_override(s, cur->address, override, err);
	return r;
}

int vh_fn_apply_drivers(const struct vh_sriov *s, const struct vh_pf *want, const struct vh_pf *cur,
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
static int check_answers(const struct vh_sriov *s, const char *address, struct vh_err *err)
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
	return check_answers(s, address, err);
}

int vh_fn_apply_resets(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < want->n; i++)
		if (want->fn[i].have & VH_FN_RESET)
			r = vh_fn_reset(s, want->fn[i].address, err);
	return r;
}
