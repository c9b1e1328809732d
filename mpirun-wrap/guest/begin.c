// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/guest/begin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 15000, STEP_MS = 20 };

/* --- the beginning */

static int put_variables(char *const *env)
{
	for (; env && *env; env++) {
		char *name = strndup(*env, strcspn(*env, "="));

		if (!name || setenv(name, *env + strlen(name) + 1, 1) < 0)
			return -1;
		free(name);
	}
	return 0;
}

/* In the child: what stands in the way is written to fd, which closes where nothing does. */
static _Noreturn void become(const struct vh_wire_job *job, int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	/* Where the caller's directory is not here the user's home is, as for the ranks. */
	if (job->directory && chdir(job->directory) < 0)
		errno = 0;
	if (vh_wire_job_open(job) == 0 && put_variables(job->env) == 0)
		execvp(job->argv[0], job->argv);
	dprintf(fd, "%s: %s", job->argv[0], strerror(errno));
	_exit(127);
}

static bool pipes(int fds[4][2])
{
	for (int i = 0; i < 4; i++)
		fds[i][0] = fds[i][1] = -1;
	for (int i = 0; i < 4; i++)
		if (pipe2(fds[i], O_CLOEXEC) < 0)
			return false;
	return true;
}

static void close_pipes(int fds[4][2])
{
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 2; k++)
			if (fds[i][k] >= 0)
				close(fds[i][k]);
}

/* The end that is handed on; it does not block. */
static int keep(int *fd)
{
	int kept = *fd;

	*fd = -1;
	fcntl(kept, F_SETFL, O_NONBLOCK);
	return kept;
}

static _Noreturn void child(const struct vh_wire_job *job, int fds[4][2])
{
	setpgid(0, 0);
	dup2(fds[0][0], STDIN_FILENO);
	dup2(fds[1][1], STDOUT_FILENO);
	dup2(fds[2][1], STDERR_FILENO);
	become(job, fds[3][1]);
}

int vh_begin(const struct vh_wire_job *job, struct vh_begun *ret, char *why, size_t why_len)
{
	int fds[4][2];	/* standard input, output, error, and the reason of a failure */
	pid_t pid = pipes(fds) ? fork() : -1;
	ssize_t n = 0;

	if (pid == 0)
		child(job, fds);
	if (pid < 0)
		snprintf(why, why_len, "%s: %s", job->argv[0], strerror(errno));
	if (pid > 0) {
		close(fds[3][1]);
		fds[3][1] = -1;
		n = read(fds[3][0], why, why_len - 1);
	}
	if (pid < 0 || n != 0) {
		why[n > 0 ? n : (ssize_t)strlen(why)] = '\0';
		if (pid > 0)
			waitpid(pid, NULL, 0);
		close_pipes(fds);
		return -1;
	}
	*ret = (struct vh_begun){ pid, keep(&fds[0][1]), keep(&fds[1][0]), keep(&fds[2][0]) };
	close_pipes(fds);
	return 0;
}

/* --- the end */

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

/* What is said now is lost; a launcher that waits for a reader would not end. */
static void drop(int fd)
{
	char lost[4096];

	while (fd >= 0 && read(fd, lost, sizeof(lost)) > 0)
		;
}

/* Ends what is our child now; false: there was none. */
static bool end_children(void)
{
	char path[64], text[4096];
	bool any = false;
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	if (!f)
		return false;
	setvbuf(f, text, _IOFBF, sizeof(text));
	while (fscanf(f, "%d", &pid) == 1) {
		kill(pid, SIGKILL);
		any = true;
	}
	fclose(f);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return any;
}

void vh_end(const struct vh_begun *b)
{
	int waited = 0;

	kill(-b->pid, SIGTERM);
	kill(-b->pid, SIGCONT);
	while (waitpid(b->pid, NULL, WNOHANG) == 0 && waited < GRACE_MS) {
		drop(b->out);
		drop(b->err);
		pause_ms(STEP_MS);
		waited += STEP_MS;
	}
	kill(-b->pid, SIGKILL);
	/* Each that ends hands its own children on to us. */
	for (int i = 0; i < 200 && end_children(); i++)
		pause_ms(STEP_MS);
}
