// SPDX-License-Identifier: Apache-2.0
/* The private libvirt daemon. As root libvirtd uses the paths that it was built with, so
 * it runs in a mount namespace where STATE/libvirt/... stands in for them. */
#include "vmm/virt/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/child.h"
#include "lib/cli.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/virt/daemon_dir.h"

enum { START_MS = 30000, END_MS = 15000 };

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

int vh_daemon_system(pid_t *ret_pid)
{
	static const char *const sockets[] = { "/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock" };
	bool same_net;
	pid_t pid;

	for (size_t i = 0; i < vh_array_len(sockets); i++)
		if (vh_daemon_peer(sockets[i], &pid, &same_net) == 0 && same_net) {
			*ret_pid = pid;
			return 0;
		}
	return -ENOTCONN;
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

/* What is to run in the mount namespace: libvirtd, and before it virtlogd, which the VMs of a libvirtd that was
 * killed may have still. */
struct daemon_start { char **sources, **targets; const char *program; bool logs; };

static void start_logs(void)
{
	char *const argv[] = { (char *)"virtlogd", (char *)"--daemon", (char *)"--config",
			       (char *)"/etc/libvirt/virtlogd.conf", (char *)"--pid-file",
			       (char *)"/run/libvirt/virtlogd.pid", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execv(VH_VIRTLOGD, argv);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || status) {
		dprintf(STDERR_FILENO, "virtlogd: does not start\n");
		_exit(127);
	}
}

static _Noreturn void become_daemon(const struct daemon_start *start)
{
	char *const argv[] = { (char *)"libvirtd", (char *)"--daemon", (char *)"--config",
			       (char *)"/etc/libvirt/libvirtd.conf", (char *)"--pid-file",
			       (char *)"/run/libvirt/libvirtd.pid", NULL };
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	own_mounts();
	for (size_t i = 0; start->sources[i]; i++)
		if (mount(start->sources[i], start->targets[i], NULL, MS_BIND, NULL) < 0)
			child_fails(start->targets[i]);
	close_range(3, ~0U, 0);
	if (start->logs)
		start_logs();
	execv(start->program, argv);
	child_fails(start->program);
}

/* Runs libvirtd until it is ready or has failed. Should the starter be killed meanwhile,
 * this process goes on holding its lock, so that nobody takes the daemon for absent. */
static _Noreturn void guard_daemon(const struct daemon_start *start, int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0;
	pid_t pid;

	/* Whoever reads what the starter says is not kept waiting for this process. */
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setsid();
	pid = fork();
	if (pid < 0)
		child_fails("fork");
	if (pid == 0)
		become_daemon(start);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}

static int start_failed(const char *dir, int status, struct vh_err *err)
{
	vh_autofree char *said = vh_strf("%s/start.log", dir), *log = vh_strf("%s/log/libvirtd.log", dir);
	vh_autofree char *line = NULL;

	if (said && log) {
		line = vh_last_line(said);
		if (!line)
			line = vh_last_line(log);
	}
	if (status == -ETIMEDOUT)
		return vh_err_set(err, ETIMEDOUT, "libvirtd: not ready after %d s: %s", START_MS / 1000,
				  line ? line : "its log is empty");
	return vh_err_set(err, EIO, "libvirtd: does not start: %s", line ? line : "it says nothing");
}

static void start_clear(struct daemon_start *start)
{
	vh_strv_free(start->sources);
	vh_strv_free(start->targets);
}

static int run_daemon(const char *dir, const char *program, struct vh_err *err)
{
	vh_autofree char *said = vh_strf("%s/start.log", dir);
	vh_autoclose int log = said ? open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	vh_autofree char *logs = vh_strf("%s/run/virtlogd-sock", dir);
	vh_cleanup(start_clear) struct daemon_start start = { .program = program };
	bool same_net;
	int status;
	pid_t pid;

	if (log < 0)
		return vh_err_set(err, said ? errno : ENOMEM, "%s/start.log: %s", dir, strerror(errno));
	status = logs ? vh_daemon_dir_mounts(dir, &start.sources, &start.targets, err) : vh_err_nomem(err);
	if (status < 0)
		return status;
	start.logs = access(VH_VIRTLOGD, X_OK) == 0 && vh_daemon_peer(logs, &pid, &same_net) < 0;
	pid = fork();
	if (pid < 0)
		return vh_err_set(err, errno, "libvirtd: %s", strerror(errno));
	if (pid == 0)
		guard_daemon(&start, log);
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
		r = vh_daemon_dir_write(dir, state, err);
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

/* Ends who listens there; 0 when nobody does. */
static int end_listener(const char *socket_path, const char *what, struct vh_err *err)
{
	vh_autoclose int pidfd = -1;
	bool same_net;
	pid_t pid, again;
	int r;

	if (vh_daemon_peer(socket_path, &pid, &same_net) < 0 || pid <= 0)
		return 0;
	pidfd = vh_process_open(pid);
	/* The process that the descriptor stands for is the one that listens, not a later one of its number. */
	if (pidfd < 0 || vh_daemon_peer(socket_path, &again, &same_net) < 0 || again != pid)
		return 0;
	r = vh_process_end(pidfd, END_MS);
	return r < 0 ? vh_err_set(err, -r, "%s (process %d): does not end: %s", what, pid, strerror(-r)) : 0;
}

int vh_daemon_end(const char *state, struct vh_err *err)
{
	vh_autofree char *socket_path = NULL, *logs = vh_strf("%s/libvirt/run/virtlogd-sock", state);
	vh_autoclose int lock = -1;
	int r = logs ? vh_daemon_socket(state, &socket_path, err) : vh_err_nomem(err);

	/* One that is starting, perhaps for a run that was killed, is waited for. */
	if (r == 0)
		r = vh_lock(state, "libvirt", START_MS, &lock, err);
	/* Last who is looked for: a run that is killed in between leaves one that the next ends. */
	if (r == 0)
		r = end_listener(logs, "virtlogd", err);
	return r < 0 ? r : end_listener(socket_path, "libvirtd", err);
}
