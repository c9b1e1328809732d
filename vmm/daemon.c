// SPDX-License-Identifier: Apache-2.0
/* The private libvirt daemon. As root libvirtd uses the paths that it was built with, so
 * it runs in a mount namespace where STATE/libvirt/... stands in for them. */
#include "vmm/virt_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/cli.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/child.h"

enum { START_MS = 30000, END_MS = 15000 };

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
 * work in any container, and nothing is left behind. */
static const char qemu_conf[] =
	"# Written by vhpc at every start of its private daemon.\n"
	"stdio_handler = \"file\"\n"
	"security_driver = \"none\"\n"
	"namespaces = [ ]\n"
	"cgroup_controllers = [ ]\n";

int vh_daemon_socket(const char *state, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/libvirt/run/libvirt-sock", state);
	size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (!path)
		return vh_err_nomem(err);
	if (strlen(path) > room) {
		vh_err_refuse(err, ENAMETOOLONG, "%s: too long for the private libvirt daemon's socket: "
			      "%zu bytes, at most %zu", state, strlen(path), room);
		return vh_err_hint(err, "choose a shorter state directory with --state");
	}
	*ret = vh_steal(&path);
	return 0;
}

bool vh_daemon_has_domains(const char *state)
{
	vh_autofree char *dir = vh_strf("%s/libvirt/etc/qemu", state);
	DIR *d = dir ? opendir(dir) : NULL;
	const struct dirent *entry;
	bool found = false;

	while (d && !found && (entry = readdir(d)))
		found = entry->d_type == DT_REG && entry->d_name[0] != '.';
	if (d)
		closedir(d);
	return found;
}

/* A process of another pid namespace counts as of another network; one that may not be
 * looked at as of ours. */
static bool in_our_network(pid_t pid)
{
	vh_autofree char *ours = NULL, *theirs = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autoroot root = NULL;

	if (pid <= 0)
		return false;
	if (vh_root_open(&root, NULL, &none) < 0 || vh_root_readlink(root, &ours, "proc/self/ns/net") < 0 ||
	    vh_root_readlink(root, &theirs, "proc/%d/ns/net", pid) < 0)
		return true;
	return !strcmp(ours, theirs);
}

int vh_daemon_peer(const char *socket_path, pid_t *ret_pid, bool *ret_same_net)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	vh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(socket_path) >= sizeof(addr.sun_path))
		return fd < 0 ? -errno : -ENAMETOOLONG;
	strcpy(addr.sun_path, socket_path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	*ret_pid = peer.pid;
	*ret_same_net = in_our_network(peer.pid);
	return 0;
}

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

	for (const char *p = state; pw && p; p = strchr(p + 1, '/')) {
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
	vh_autofree char *self = NULL, *beside = NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	if (vh_root_readlink(root, &self, "proc/self/exe") == 0 && strrchr(self, '/'))
		beside = vh_strf("%.*s/vhpc-hook", (int)(strrchr(self, '/') - self), self);
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

/* The last line of a file that says something, in a fresh string; NULL: none. */
static char *last_line(const char *path)
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

/* The hook finds the store by etc/vhpc.state, not by anything in a domain's XML. */
static int write_links(const char *dir, const char *state, struct vh_err *err)
{
	vh_autofree char *hook = NULL, *hook_link = vh_strf("%s/etc/hooks/qemu.d/vhpc", dir);
	vh_autofree char *state_link = vh_strf("%s/etc/vhpc.state", dir);
	int r = find_hook(&hook, err);

	if (r < 0)
		return r;
	if (!hook_link || !state_link)
		return vh_err_nomem(err);
	r = replace_link(hook_link, hook, err);
	return r < 0 ? r : replace_link(state_link, state, err);
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
	was = last_line(path);
	if (was && !strcmp(was, now))
		return 0;
	r = vh_remove_tree(run, err);
	return r < 0 ? r : vh_write_file(path, now, strlen(now), 0600, err);
}

static int write_tree(const char *dir, const char *state, struct vh_err *err)
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
	/* Where libvirt locks consoles; a minimal system may lack it. */
	if (r == 0)
		r = vh_mkdirs("/run/lock", 0755, err);
	if (r == 0)
		r = write_conf(dir, "libvirtd.conf", libvirtd_conf, err);
	if (r == 0)
		r = write_conf(dir, "qemu.conf", qemu_conf, err);
	if (r == 0)
		r = write_links(dir, state, err);
	if (log)
		unlink(log);
	return r;
}

/* From here on in the child: system calls only. */

static _Noreturn void child_fails(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(127);
}

/* setns() into our own namespace leads to its very root, out of any chroot, from where
 * propagation to the host can be cut; then back. */
static void own_mounts(void)
{
	int root, ns;

	if (unshare(CLONE_NEWNS) < 0)
		child_fails("a mount namespace");
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (root < 0 || ns < 0 || setns(ns, CLONE_NEWNS) < 0)
		child_fails("the mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		child_fails("mount propagation");
	if (fchdir(root) < 0 || chroot(".") < 0)
		child_fails("the root directory");
}

static _Noreturn void child(char *const *sources, char *const *targets, const char *program, int log)
{
	char *const argv[] = { (char *)"libvirtd", (char *)"--daemon", (char *)"--config",
			       (char *)"/etc/libvirt/libvirtd.conf", (char *)"--pid-file",
			       (char *)"/run/libvirt/libvirtd.pid", NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	own_mounts();
	for (size_t i = 0; sources[i]; i++)
		if (mount(sources[i], targets[i], NULL, MS_BIND, NULL) < 0)
			child_fails(targets[i]);
	close_range(3, ~0U, 0);
	execv(program, argv);
	child_fails(program);
}

/* Runs libvirtd until it is ready or has failed. Should the starter be killed meanwhile,
 * this process goes on holding its lock, so that nobody takes the daemon for absent. */
static _Noreturn void guard(char *const *sources, char *const *targets, const char *program, int log)
{
	int status = 0;
	pid_t pid;

	setsid();
	pid = fork();
	if (pid < 0)
		child_fails("fork");
	if (pid == 0)
		child(sources, targets, program, log);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

static int start_failed(const char *dir, int status, struct vh_err *err)
{
	vh_autofree char *said = vh_strf("%s/start.log", dir), *log = vh_strf("%s/log/libvirtd.log", dir);
	vh_autofree char *line = NULL;

	if (said && log) {
		line = last_line(said);
		if (!line)
			line = last_line(log);
	}
	if (status == -ETIMEDOUT)
		return vh_err_set(err, ETIMEDOUT, "libvirtd: not ready after %d s: %s", START_MS / 1000,
				  line ? line : "its log is empty");
	return vh_err_set(err, EIO, "libvirtd: does not start: %s", line ? line : "it says nothing");
}

/* libvirtd probes QEMU with more rights than it runs it with. Where /dev/kvm is of no use
 * the two disagree, and it probes anew at every turn (12 s a domain); so it sees none. */
static int hide_kvm(const char *dir, char ***sources, char ***targets, struct vh_err *err)
{
	vh_autofree char *nothing = vh_strf("%s/no-kvm", dir);
	vh_autoroot root = NULL;
	struct vh_accel accel;
	int r = nothing ? vh_root_open(&root, NULL, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	vh_accel_detect(root, &accel);
	if (accel.kvm || !vh_root_exists(root, "dev/kvm"))
		return 0;
	r = vh_write_file(nothing, "", 0, 0, err);
	if (r == 0 && (vh_strv_push(sources, nothing) < 0 || vh_strv_push(targets, "/dev/kvm") < 0))
		r = vh_err_nomem(err);
	return r;
}

static int list_mounts(const char *dir, char ***sources, char ***targets, struct vh_err *err)
{
	for (size_t i = 0; i < vh_array_len(mounts); i++)
		if (vh_strv_pushf(sources, "%s/%s", dir, mounts[i].dir) < 0 ||
		    vh_strv_push(targets, mounts[i].target) < 0)
			return vh_err_nomem(err);
	return hide_kvm(dir, sources, targets, err);
}

static int run_daemon(const char *dir, const char *program, struct vh_err *err)
{
	vh_autofree char *said = vh_strf("%s/start.log", dir);
	vh_autoclose int log = said ? open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	vh_autostrv sources = NULL;
	vh_autostrv targets = NULL;
	int status;
	pid_t pid;

	if (log < 0)
		return vh_err_set(err, said ? errno : ENOMEM, "%s/start.log: %s", dir, strerror(errno));
	status = list_mounts(dir, &sources, &targets, err);
	if (status < 0)
		return status;
	pid = fork();
	if (pid < 0)
		return vh_err_set(err, errno, "libvirtd: %s", strerror(errno));
	if (pid == 0)
		guard(sources, targets, program, log);
	status = vh_child_wait(pid, START_MS);
	return status == 0 ? 0 : start_failed(dir, status, err);
}

static int find_program(const char **ret, struct vh_err *err)
{
	static const char *const places[] = { "/usr/sbin/libvirtd", "/usr/local/sbin/libvirtd",
					      "/usr/bin/libvirtd" };

	for (size_t i = 0; i < vh_array_len(places); i++) {
		if (access(places[i], X_OK) == 0) {
			*ret = places[i];
			return 0;
		}
	}
	vh_err_refuse(err, ENOENT, "libvirtd: not installed, and no other libvirt daemon runs");
	return vh_err_hint(err, "apt-get install libvirt-daemon libvirt-daemon-driver-qemu");
}

static int start_locked(const char *state, const char *socket_path, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/libvirt", state);
	const char *program = NULL;
	bool same_net;
	pid_t pid;
	int r;

	if (!dir)
		return vh_err_nomem(err);
	if (vh_daemon_peer(socket_path, &pid, &same_net) == 0)
		return 0;
	r = find_program(&program, err);
	if (r == 0)
		r = vh_daemon_check(state, err);
	if (r == 0)
		r = write_tree(dir, state, err);
	if (r == 0)
		r = run_daemon(dir, program, err);
	if (r == 0 && vh_daemon_peer(socket_path, &pid, &same_net) < 0)
		r = start_failed(dir, 0, err);
	return r;
}

int vh_daemon_start(const char *state, struct vh_err *err)
{
	vh_autofree char *socket_path = NULL;
	vh_autoclose int lock = -1;
	int r = vh_need_rights("start a private libvirt daemon", err);

	if (r == 0)
		r = vh_daemon_socket(state, &socket_path, err);
	if (r == 0)
		r = vh_lock(state, "libvirt", START_MS, &lock, err);
	return r < 0 ? r : start_locked(state, socket_path, err);
}

int vh_daemon_end(const char *state, struct vh_err *err)
{
	vh_autofree char *socket_path = NULL;
	vh_autoclose int pidfd = -1, lock = -1;
	bool same_net;
	pid_t pid, again;
	int r = vh_daemon_socket(state, &socket_path, err);

	/* One that is starting, perhaps for a run that was killed, is waited for. */
	if (r == 0)
		r = vh_lock(state, "libvirt", START_MS, &lock, err);
	if (r < 0)
		return r;
	if (vh_daemon_peer(socket_path, &pid, &same_net) < 0 || pid <= 0)
		return 0;
	pidfd = vh_process_open(pid);
	/* The process that the descriptor stands for is the one that listens, not a later one of its number. */
	if (pidfd < 0 || vh_daemon_peer(socket_path, &again, &same_net) < 0 || again != pid)
		return 0;
	r = vh_process_end(pidfd, END_MS);
	return r < 0 ? vh_err_set(err, -r, "libvirtd (process %d): does not end: %s", pid, strerror(-r)) : 0;
}
