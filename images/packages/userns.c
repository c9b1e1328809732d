// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "images/packages/userns.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/sysroot.h"

enum { IDS_WANTED = 65535, MAP_MS = 10000 };

struct range { uint64_t start, n; };

int vh_userns_range(const char *text, const char *name, unsigned id, uint64_t *ret_start, uint64_t *ret_n)
{
	vh_autofree char *copy = strdup(text), *number = vh_strf("%u", id);
	char user[64];
	uint64_t start, n;

	if (!copy || !number)
		return -ENOMEM;
	for (char *save, *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (sscanf(l, "%63[^:]:%" SCNu64 ":%" SCNu64, user, &start, &n) != 3 || n < IDS_WANTED ||
		    (strcmp(user, name) && strcmp(user, number)))
			continue;
		*ret_start = start;
		*ret_n = n;
		return 0;
	}
	return -ENOENT;
}

static int refuse(const char *what, const char *why, struct vh_err *err)
{
	return vh_err_refuse(err, EPERM, "%s needs root, or a user namespace: %s", what, why);
}

static int find_range(const char *file, const char *what, struct range *ret, struct vh_err *err)
{
	const struct passwd *user = getpwuid(getuid());
	vh_autofree char *text = NULL, *why = NULL;
	vh_autoerr none = VH_ERR_NONE;
	size_t len;

	if (vh_host_file(file, &text, &len, &none) == 0 &&
	    vh_userns_range(text, user ? user->pw_name : "", getuid(), &ret->start, &ret->n) == 0)
		return 0;
	why = vh_strf("%s lends this user no range of %d ids", file, IDS_WANTED + 1);
	if (!why)
		return vh_err_nomem(err);
	refuse(what, why, err);
	return vh_err_hint(err, "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
			   user ? user->pw_name : "USER");
}

/* One of newuidmap and newgidmap: id 0 is ours, 1 and up are lent. */
static int map_ids(const char *program, pid_t pid, unsigned own, const struct range *r, struct vh_err *err)
{
	vh_autostrv argv = NULL;

	if (vh_strv_push(&argv, program) < 0 || vh_strv_pushf(&argv, "%d", (int)pid) < 0 ||
	    vh_strv_push(&argv, "0") < 0 || vh_strv_pushf(&argv, "%u", own) < 0 || vh_strv_push(&argv, "1") < 0 ||
	    vh_strv_push(&argv, "1") < 0 || vh_strv_pushf(&argv, "%" PRIu64, r->start) < 0 ||
	    vh_strv_pushf(&argv, "%" PRIu64, r->n) < 0)
		return vh_err_nomem(err);
	return vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .deadline_ms = MAP_MS }, NULL, err);
}

struct outside { unsigned uid, gid; struct range uids, gids; pid_t pid; };

/* In a child that stays outside: waits for the word that the namespace is there, and sends what
 * went wrong, if anything did. */
static _Noreturn void map_outside(int fd, const struct outside *o)
{
	vh_autoerr err = VH_ERR_NONE;
	char word;
	int r = read(fd, &word, 1) == 1 ? map_ids("newuidmap", o->pid, o->uid, &o->uids, &err) : -EPIPE;

	if (r == 0)
		r = map_ids("newgidmap", o->pid, o->gid, &o->gids, &err);
	if (r < 0 && err.text && write(fd, err.text, strlen(err.text)) < 0)
		_exit(1);
	_exit(r < 0);
}

/* 0 once the ids are mapped; why: 256 bytes, what the child said otherwise. */
static int become_mapped(int fd, pid_t child, char *why)
{
	int status = 0;
	ssize_t n;

	if (unshare(CLONE_NEWUSER) < 0)
		snprintf(why, 256, "this machine allows none (%s)", strerror(errno));
	else if (write(fd, "x", 1) == 1 && (n = read(fd, why, 255)) > 0)
		why[n] = 0;
	shutdown(fd, SHUT_WR);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return *why || status ? -EPERM : 0;
}

int vh_userns_enter(const char *what, struct vh_err *err)
{
	struct outside o = { .uid = getuid(), .gid = getgid(), .pid = getpid() };
	char why[256] = "";
	int fds[2], r;

	if (geteuid() == 0)
		return 0;
	if ((r = find_range("/etc/subuid", what, &o.uids, err)) < 0 || (r = find_range("/etc/subgid", what, &o.gids, err)) < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return vh_err_set(err, errno, "socketpair: %s", strerror(errno));
	fflush(NULL);
	pid_t child = fork();
	vh_autoclose int ours = fds[0];
	if (child == 0)
		map_outside(fds[1], &o);
	close(fds[1]);
	if (child < 0)
		return vh_err_set(err, errno, "cannot fork: %s", strerror(errno));
	if (become_mapped(ours, child, why) < 0)
		return refuse(what, *why ? why : "its ids could not be mapped", err);
	if (setgid(0) < 0 || setuid(0) < 0)
		return refuse(what, strerror(errno), err);
	return 0;
}

/* Beyond those that Debian and systemd give to anybody; within a user namespace of ours, those lent to it. */
enum { ROOTS_BASE = 0x76680000, LENT_BASE = 1 };

/* Whether this process sees all ids there are. */
static bool is_outermost(void)
{
	vh_autofree char *map = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autoroot root = NULL;
	uint64_t inside, outside, n;

	if (vh_root_open(&root, NULL, &none) < 0 || vh_root_read(root, &map, "proc/self/uid_map") < 0)
		return false;
	return sscanf(map, "%" SCNu64 " %" SCNu64 " %" SCNu64, &inside, &outside, &n) == 3 && inside == 0 && n > ROOTS_BASE + IDS_WANTED;
}

unsigned vh_userns_base(void)
{
	return is_outermost() ? ROOTS_BASE : LENT_BASE;
}

static int write_map(pid_t pid, const char *which)
{
	vh_autofree char *path = vh_strf("/proc/%d/%s", (int)pid, which), *map = vh_strf("0 %u %d\n", vh_userns_base(), IDS_WANTED);
	vh_autoclose int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (!path || !map)
		return -ENOMEM;
	return fd < 0 || write(fd, map, strlen(map)) < 0 ? -errno : 0;
}

/* In a child: makes the namespace, says so (0, or errno), and holds it until we are done. */
static _Noreturn void hold(int fd)
{
	int e = unshare(CLONE_NEWUSER) < 0 ? errno : 0;

	if (write(fd, &e, sizeof e) == (ssize_t)sizeof e && read(fd, &e, 1) < 0)
		_exit(1);
	_exit(0);
}

static int take(pid_t child, int fd, int *ret_fd)
{
	vh_autofree char *path = vh_strf("/proc/%d/ns/user", (int)child);
	int e = 0, r = read(fd, &e, sizeof e) == (ssize_t)sizeof e ? -e : -EPIPE;

	if (r == 0)
		r = write_map(child, "gid_map");
	if (r == 0)
		r = write_map(child, "uid_map");
	if (r < 0 || !path)
		return path ? r : -ENOMEM;
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

int vh_userns_open(int *ret_fd, struct vh_err *err)
{
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return vh_err_set(err, errno, "socketpair: %s", strerror(errno));
	fflush(NULL);
	pid_t child = fork();
	vh_autoclose int ours = fds[0];
	if (child == 0) {
		close(fds[0]);
		hold(fds[1]);
	}
	close(fds[1]);
	if (child < 0)
		return vh_err_set(err, errno, "cannot fork: %s", strerror(errno));
	r = take(child, ours, ret_fd);
	shutdown(ours, SHUT_WR);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (r == 0)
		return 0;
	vh_err_refuse(err, -r, "scripts of packages need a user namespace, in which they are not root of this machine: %s", strerror(-r));
	return vh_err_hint(err, "in a chroot the kernel gives none (pivot_root does); sysctl user.max_user_namespaces must not be 0");
}
