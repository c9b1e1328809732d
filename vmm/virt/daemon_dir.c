// SPDX-License-Identifier: Apache-2.0
/* What stands under STATE/libvirt for the private daemon, and over what it is mounted. */
#include "vmm/virt/daemon_dir.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/files/own.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

static const struct { const char *dir, *target; unsigned mode; } mounts[] = {
	{ "run", "/run/libvirt", 0755 },
	{ "lib", "/var/lib/libvirt", 0755 },
	{ "etc", "/etc/libvirt", 0755 },
	{ "log", "/var/log/libvirt", 0700 },
	{ "cache", "/var/cache/libvirt", 0711 },
};

static const char libvirtd_conf[] =
	"# Written by vhpc at every start of its private daemon.\n"
	"unix_sock_rw_perms = \"0700\"\n"
	"unix_sock_ro_perms = \"0700\"\n"
	"unix_sock_admin_perms = \"0700\"\n"
	"auth_unix_rw = \"none\"\n"
	"auth_unix_ro = \"none\"\n"
	"log_outputs = \"3:file:/var/log/libvirt/libvirtd.log\"\n";

/* Without control groups: CPUs and memory are bound by affinity and mempolicy, which
 * work in any container, and nothing is left behind. Without core dumps, which would
 * hold the guests' keys. */
static const char qemu_conf[] =
	"# Written by vhpc at every start of its private daemon.\n"
	"max_core = 0\n"
	"cgroup_controllers = [ ]\n";

/* Where /dev/kvm has another file over it: QEMU's own /dev would get it by moving it, which cannot be. */
static const char no_namespaces[] = "namespaces = [ ]\n";

static bool may_search(const struct stat *st, const struct passwd *pw)
{
	if (st->st_uid == pw->pw_uid)
		return st->st_mode & 0100;
	if (st->st_gid == pw->pw_gid)
		return st->st_mode & 0010;
	return st->st_mode & 0001;
}

/* QEMU runs as libvirt-qemu and must get to disks under state. */
int vh_daemon_check(const char *state, struct vh_err *err)
{
	const struct passwd *pw = getpwnam("libvirt-qemu");
	char part[PATH_MAX];
	struct stat st;

	/* "/", "/var", ..., and the whole where it is there already. */
	for (const char *p = state; pw && p; p = *p ? strchrnul(p + 1, '/') : NULL) {
		snprintf(part, sizeof(part), "%.*s", p == state ? 1 : (int)(p - state), state);
		if (stat(part, &st) == 0 && !may_search(&st, pw)) {
			vh_err_refuse(err, EACCES, "%s: QEMU runs as %s, which may not pass through %s",
				      state, pw->pw_name, part);
			return vh_err_hint(err, "chmod o+x %s, or choose another place with --state", part);
		}
	}
	return 0;
}

static int replace_link(const char *path, const char *target, struct vh_err *err)
{
	unlink(path);
	return symlink(target, path) < 0 ? vh_err_set(err, errno, "%s: %s", path, strerror(errno)) : 0;
}

/* vhpc-hook beside this program, or where make install puts it. */
static int find_hook(char **ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_own_dir(), *beside = dir ? vh_strf("%s/vhpc-hook", dir) : NULL;

	if (beside && access(beside, X_OK) == 0) {
		*ret = vh_steal(&beside);
		return 0;
	}
	if (access(VHPC_PREFIX "/bin/vhpc-hook", X_OK) < 0)
		return vh_err_refuse(err, ENOENT, "vhpc-hook: neither beside this program nor in %s/bin",
				     VHPC_PREFIX);
	*ret = strdup(VHPC_PREFIX "/bin/vhpc-hook");
	return *ret ? 0 : vh_err_nomem(err);
}

static int write_conf(const char *dir, const char *name, const char *text, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/etc/%s", dir, name);

	return path ? vh_write_file(path, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

/* libvirtd probes QEMU with more rights than it runs it with. Where /dev/kvm is of no use
 * the two disagree, and it probes anew at every turn (12 s a domain); so it sees none. */
static int hides_kvm(bool *ret, struct vh_err *err)
{
	vh_autoroot root = NULL;
	struct vh_accel accel;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	vh_accel_detect(root, &accel);
	*ret = !accel.kvm && vh_root_exists(root, "dev/kvm");
	return 0;
}

/* What a guest writes to its console is kept up to 2 MiB. */
static const char virtlogd_conf[] =
	"# Written by vhpc at every start of its private daemon.\n"
	"log_outputs = \"3:file:/var/log/libvirt/virtlogd.log\"\n"
	"max_size = 524288\n"
	"max_backups = 3\n";

static int write_qemu_conf(const char *dir, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	bool hide;
	int r = hides_kvm(&hide, err);

	if (r == 0)
		text = vh_strf("%sstdio_handler = \"%s\"\n%s", qemu_conf,
			       access(VH_VIRTLOGD, X_OK) == 0 ? "logd" : "file", hide ? no_namespaces : "");
	return r < 0 ? r : text ? write_conf(dir, "qemu.conf", text, err) : vh_err_nomem(err);
}

char *vh_last_line(const char *path)
{
	vh_autofclose FILE *f = fopen(path, "re");
	char line[512], last[512] = "";

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0])
			strcpy(last, line);
	}
	return last[0] ? strdup(last) : NULL;
}

/* Under a name of its own, no symbolic link: where AppArmor confines libvirtd it may execute what has
 * its name below /etc/libvirt/hooks. */
static int place_hook(const char *path, const char *program, struct vh_err *err)
{
	unlink(path);
	return vh_link_or_copy(program, path, err);
}

/* The hook finds the store by it, not by anything in a domain's XML. */
int vh_daemon_dir_link(const char *dir, const char *state, struct vh_err *err)
{
	vh_autofree char *state_link = vh_strf("%s/etc/vhpc.state", dir);

	return state_link ? replace_link(state_link, state, err) : vh_err_nomem(err);
}

static int write_hook(const char *dir, const char *state, struct vh_err *err)
{
	vh_autofree char *hook = NULL, *hook_path = vh_strf("%s/etc/hooks/qemu.d/vhpc", dir);
	int r = find_hook(&hook, err);

	if (r < 0)
		return r;
	if (!hook_path)
		return vh_err_nomem(err);
	r = place_hook(hook_path, hook, err);
	return r < 0 ? r : vh_daemon_dir_link(dir, state, err);
}

static int make_dir(const char *dir, const char *name, unsigned mode, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);

	return path ? vh_mkdirs(path, mode, err) : vh_err_nomem(err);
}

/* What runs, as libvirt remembers it by process numbers, means nothing after a reboot or
 * in another pid namespace. */
static int forget_other_boot(const char *dir, struct vh_err *err)
{
	vh_autofree char *boot = NULL, *ns = NULL, *was = NULL, *now = NULL;
	vh_autofree char *path = vh_strf("%s/boot", dir), *run = vh_strf("%s/run", dir);
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	if (vh_root_read(root, &boot, "proc/sys/kernel/random/boot_id") < 0 ||
	    vh_root_readlink(root, &ns, "proc/self/ns/pid") < 0)
		return vh_err_set(err, ENOENT, "/proc: not mounted");
	now = vh_strf("%s %s", boot, ns);
	if (!path || !run || !now)
		return vh_err_nomem(err);
	was = vh_last_line(path);
	if (was && !strcmp(was, now))
		return 0;
	r = vh_remove_tree(run, err);
	return r < 0 ? r : vh_write_file(path, now, strlen(now), 0600, err);
}

int vh_daemon_dir_write(const char *dir, const char *state, struct vh_err *err)
{
	vh_autofree char *log = vh_strf("%s/log/libvirtd.log", dir);
	int r = vh_mkdirs(dir, 0711, err);

	if (r == 0)
		r = forget_other_boot(dir, err);
	for (size_t i = 0; r == 0 && i < vh_array_len(mounts); i++) {
		r = make_dir(dir, mounts[i].dir, mounts[i].mode, err);
		if (r == 0)
			r = vh_mkdirs(mounts[i].target, 0755, err);
	}
	if (r == 0)
		r = make_dir(dir, "etc/hooks/qemu.d", 0755, err);
	if (r == 0)
		r = make_dir(dir, "log/qemu", 0700, err);
	/* QEMU may be anybody, and has a directory of its own there. */
	if (r == 0)
		r = make_dir(dir, "lib/qemu", 0711, err);
	/* Where libvirt locks consoles; a minimal system may lack it. */
	if (r == 0)
		r = vh_mkdirs("/run/lock", 0755, err);
	if (r == 0)
		r = write_conf(dir, "libvirtd.conf", libvirtd_conf, err);
	if (r == 0)
		r = write_conf(dir, "virtlogd.conf", virtlogd_conf, err);
	if (r == 0)
		r = write_qemu_conf(dir, err);
	if (r == 0)
		r = write_hook(dir, state, err);
	if (log)
		unlink(log);
	return r;
}
static int hide_kvm(const char *dir, char ***sources, char ***targets, struct vh_err *err)
{
	vh_autofree char *nothing = vh_strf("%s/no-kvm", dir);
	bool hide;
	int r = nothing ? hides_kvm(&hide, err) : vh_err_nomem(err);

	if (r < 0 || !hide)
		return r;
	r = vh_write_file(nothing, "", 0, 0, err);
	if (r == 0 && (vh_strv_push(sources, nothing) < 0 || vh_strv_push(targets, "/dev/kvm") < 0))
		r = vh_err_nomem(err);
	return r;
}

int vh_daemon_dir_mounts(const char *dir, char ***sources, char ***targets, struct vh_err *err)
{
	for (size_t i = 0; i < vh_array_len(mounts); i++)
		if (vh_strv_pushf(sources, "%s/%s", dir, mounts[i].dir) < 0 ||
		    vh_strv_push(targets, mounts[i].target) < 0)
			return vh_err_nomem(err);
	return hide_kvm(dir, sources, targets, err);
}
