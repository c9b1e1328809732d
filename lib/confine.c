// SPDX-License-Identifier: Apache-2.0
#include "lib/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/child.h"

enum { PROGRAM_MEMORY_SHIFT = 32 };

static int limit(int what, uint64_t most)
{
	const struct rlimit r = { most, most };

	return setrlimit(what, &r) < 0 ? -errno : 0;
}

/* Where the id is none (a user namespace of few) nobody is root outside either. */
static int leave_root(uid_t uid, gid_t gid)
{
	if (geteuid() != 0)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) < 0 && errno != EPERM)
		return -errno;
	return (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) && errno != EINVAL ? -errno : 0;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

static int become(uid_t uid, gid_t gid, uint64_t file_max)
{
	int r = limit(RLIMIT_CORE, 0);

	if (r == 0 && file_max)
		r = limit(RLIMIT_FSIZE, file_max);
	/* Whoever has no right to it has none in it to drop. */
	for (unsigned long c = 0; r == 0 && prctl(PR_CAPBSET_DROP, c) == 0; c++)
		;
	if (r == 0)
		r = leave_root(uid, gid);
	if (r == 0)
		r = drop_capabilities();
	return r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : r;
}

int vh_confine_self(uint64_t file_max)
{
	return become(VH_CONFINE_ID, VH_CONFINE_ID, file_max);
}

int vh_confine_program(uid_t uid, gid_t gid, uint64_t file_max)
{
	int r = limit(RLIMIT_AS, 1ULL << PROGRAM_MEMORY_SHIFT);

	/* A user may make a network namespace only in a user namespace, and that not everywhere; nor may
	 * every root that is one of a container's. */
	if (unshare(geteuid() == 0 ? CLONE_NEWNET | CLONE_NEWIPC : CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) < 0 &&
	    geteuid() == 0 && errno != EPERM)
		return -errno;
	return r < 0 ? r : uid ? become(uid, gid, file_max) : vh_confine_self(file_max);
}

int vh_confine_lend(int fd)
{
	if (fchmod(fd, 0600) < 0)
		return -errno;
	return geteuid() == 0 && fchown(fd, VH_CONFINE_ID, VH_CONFINE_ID) < 0 && errno != EINVAL ? -errno : 0;
}

int vh_confine_take(int fd, unsigned mode)
{
	return fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* Memory, descriptors that are there, the clock and the end; anything else fails. */
static int leave_memory_only(void)
{
	struct sock_filter calls[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(read), ALLOW(write), ALLOW(readv), ALLOW(writev), ALLOW(pread64), ALLOW(lseek), ALLOW(fstat),
		ALLOW(newfstatat), ALLOW(close), ALLOW(mmap), ALLOW(munmap), ALLOW(mremap), ALLOW(mprotect), ALLOW(madvise),
		ALLOW(brk), ALLOW(futex), ALLOW(clock_gettime), ALLOW(getrandom), ALLOW(gettid), ALLOW(getpid), ALLOW(sched_yield),
		ALLOW(rt_sigprocmask), ALLOW(rt_sigaction), ALLOW(rt_sigreturn), ALLOW(sigaltstack), ALLOW(tgkill),
		ALLOW(exit), ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	const struct sock_fprog program = { sizeof calls / sizeof *calls, calls };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

void vh_confine_close_but(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

struct reading { int fd; int (*read)(int fd, FILE *out); };

/* Its exit status is read's errno. */
static int read_confined(void *arg, int to)
{
	const struct reading *r = arg;
	FILE *out = fdopen(to, "w");
	int e = -vh_confine_self(0);

	vh_confine_close_but(r->fd, to);
	if (e == 0)
		e = -leave_memory_only();
	if (e == 0 && out)
		e = r->read(r->fd, out);
	else if (out)
		fprintf(out, "cannot give up rights: %s", strerror(e));
	if (!out || fclose(out) < 0)
		e = e ? e : ENOMEM;
	return e;
}

struct answer { char *text; size_t len, max; };

/* To the end of what it writes; -E2BIG, -ETIMEDOUT. */
static int collect(int fd, int deadline_ms, struct answer *a)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char *more = realloc(a->text, a->len + 65537);
		ssize_t n;

		if (!more)
			return -ENOMEM;
		a->text = more;
		if (poll(&p, 1, deadline_ms) == 0)
			return -ETIMEDOUT;
		n = read(fd, a->text + a->len, 65536);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		a->len += n > 0 ? (size_t)n : 0;
		a->text[a->len] = 0;
		if (n <= 0 || a->len > a->max)
			return n < 0 ? -errno : a->len > a->max ? -E2BIG : 0;
	}
}

static int judge(int r, int status, struct answer *a, struct vh_err *err)
{
	if (r == 0 && status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (r == -E2BIG)
		return vh_err_set(err, EFBIG, "holds too much");
	if (r == -ETIMEDOUT || status == -ETIMEDOUT)
		return vh_err_set(err, ETIMEDOUT, "cannot be read in a reasonable time");
	if (r < 0 || status < 0)
		return vh_err_set(err, r < 0 ? -r : -status, "%s", strerror(r < 0 ? -r : -status));
	if (WIFSIGNALED(status))
		return vh_err_set(err, EBADMSG, "breaks its reader (%s)", strsignal(WTERMSIG(status)));
	return vh_err_set(err, WEXITSTATUS(status), "%.400s", vh_plain(a->text));
}

int vh_confine_start(int fd, int (*read)(int fd, FILE *out), int *ret_from, pid_t *ret_pid, struct vh_err *err)
{
	return vh_child_start(read_confined, &(struct reading){ fd, read }, ret_from, ret_pid, err);
}

int vh_confine_read(int fd, int (*read)(int fd, FILE *out), int deadline_ms, size_t max, char **ret, size_t *ret_len,
		    struct vh_err *err)
{
	struct answer a = { .max = max };
	vh_autofree char *text = NULL;
	vh_autoclose int from = -1;
	pid_t pid;
	int status, r = vh_confine_start(fd, read, &from, &pid, err);

	if (r < 0)
		return r;
	r = collect(from, deadline_ms, &a);
	text = a.text;
	status = vh_child_wait(pid, r < 0 ? 0 : deadline_ms);
	r = judge(r, status, &a, err);
	if (r < 0)
		return r;
	*ret = vh_steal(&text);
	*ret_len = a.len;
	return 0;
}
