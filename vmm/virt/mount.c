// SPDX-License-Identifier: Apache-2.0
/* File systems in the mounts that the daemon sees: the private one has its own, into which nothing of ours comes where
 * the host's are private too. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "vmm/virt/daemon.h"
#include "vmm/virt/private.h"

enum { MOUNT_MS = 120000 };

static int cannot(const struct vh_virt *v, struct vh_err *err)
{
	vh_err_refuse(err, ENOTSUP, "%s: is no daemon of this machine's that could be given a file system", v->uri);
	return vh_err_hint(err, "qemu:///system and private are");
}

/* 0 in *ret: one that nothing of ours is ever mounted for. */
static int daemon_of(const struct vh_virt *v, pid_t *ret, struct vh_err *err)
{
	vh_autofree char *private = v->private_dir ? vh_strf("%s/run/libvirt-sock", v->private_dir) : NULL;
	bool same_net;

	*ret = 0;
	if (v->private_dir && !private)
		return vh_err_nomem(err);
	if (!private && strcmp(v->uri, "qemu:///system") != 0)
		return 0;
	if (private)
		vh_daemon_peer(private, ret, &same_net);
	else
		vh_daemon_system(ret);
	return *ret > 0 ? 0 : cannot(v, err);
}

int vh_virt_can_mount(struct vh_virt *v, struct vh_err *err)
{
	pid_t daemon;
	int r = daemon_of(v, &daemon, err);

	return r < 0 || daemon ? r : cannot(v, err);
}

/* Another file system than that of the directory it is in. */
static bool is_mounted(pid_t daemon, const char *dir)
{
	vh_autofree char *at = vh_strf("/proc/%d/root%s", daemon, dir), *above = vh_strf("/proc/%d/root%s/..", daemon, dir);
	struct stat a, b;

	return at && above && stat(at, &a) == 0 && stat(above, &b) == 0 && a.st_dev != b.st_dev;
}

int vh_virt_mounted(struct vh_virt *v, const char *dir, bool *ret, struct vh_err *err)
{
	pid_t daemon;
	int r = daemon_of(v, &daemon, err);

	*ret = r == 0 && daemon && is_mounted(daemon, dir);
	return r;
}

static int run_there(pid_t daemon, char *const argv[], struct vh_err *err)
{
	vh_autofree char *mounts = vh_strf("--mount=/proc/%d/ns/mnt", daemon);
	vh_autostrv all = NULL;
	int r = mounts && vh_strv_push(&all, "nsenter") == 0 && vh_strv_push(&all, mounts) == 0 ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && argv[i]; i++)
		r = vh_strv_push(&all, argv[i]);
	return r < 0 ? vh_err_nomem(err) : vh_spawn_ok(&(struct vh_spawn){ .argv = all, .deadline_ms = MOUNT_MS }, NULL, err);
}

/* Who is root in a guest makes what he likes in there: on the host it is no way to anything. */
int vh_virt_mount(struct vh_virt *v, const char *image, const char *dir, bool *ret_changed, struct vh_err *err)
{
	char *const argv[] = { (char *)"mount", (char *)"-t", (char *)"ext4", (char *)"-o", (char *)"loop,nosuid,nodev,noexec", (char *)image, (char *)dir, NULL };
	pid_t daemon = 0;
	int r = vh_virt_can_mount(v, err);

	if (r == 0)
		r = daemon_of(v, &daemon, err);
	*ret_changed = r == 0 && !is_mounted(daemon, dir);
	return *ret_changed ? run_there(daemon, argv, err) : r;
}

int vh_virt_unmount(struct vh_virt *v, const char *dir, struct vh_err *err)
{
	char *const argv[] = { (char *)"umount", (char *)dir, NULL };
	pid_t daemon;
	int r = daemon_of(v, &daemon, err);

	return r == 0 && daemon && is_mounted(daemon, dir) ? run_there(daemon, argv, err) : r;
}
