// SPDX-License-Identifier: Apache-2.0
#include "lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/sysroot.h"

int vh_child_start(int (*run)(void *arg, int to), void *arg, int *ret_from, pid_t *ret_pid, struct vh_err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vh_err_set(err, errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(run(arg, fds[1]));
	}
	if (pid < 0)
		vh_err_set(err, errno, "cannot fork: %s", strerror(errno));
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -err->num;
	}
	*ret_from = fds[0];
	*ret_pid = pid;
	return 0;
}

int vh_process_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

static bool ended_within(int pidfd, int ms)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	int r;

	do
		r = poll(&wait, 1, ms);
	while (r < 0 && errno == EINTR);
	return r > 0;
}

int vh_child_wait(pid_t pid, int deadline_ms)
{
	vh_autoclose int pidfd = vh_process_open(pid);
	bool late = pidfd < 0 || !ended_within(pidfd, deadline_ms);
	int status;

	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return late ? -ETIMEDOUT : status;
}

int vh_process_end(int pidfd, int deadline_ms)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	if (ended_within(pidfd, deadline_ms))
		return 0;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	return ended_within(pidfd, deadline_ms) ? 0 : -ETIMEDOUT;
}

int vh_process_start(const struct vh_root *root, pid_t pid, char ret[VH_PROCESS_START])
{
	vh_autofree char *text = NULL;
	const char *end;
	char state;
	int r = vh_root_read(root, &text, "proc/%d/stat", (int)pid);

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	/* Its name may hold anything; field 22 is the 20th behind it. */
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %31s",
			   &state, ret) != 2)
		return -EPROTO;
	return state == 'Z' || state == 'X' ? -ESRCH : 0;
}
