// SPDX-License-Identifier: Apache-2.0
/* A job whose head is at the other end of an ssh connection: what is typed here goes there, what is said there
 * is shown here, and signals reach it. */
#include "mpirun-wrap/launch/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "lib/child.h"
#include "lib/strv.h"

enum { END_MS = 10000, STOP_MS = 1000, PATIENCE = 3 };

struct remote {
	pid_t ssh;
	struct vh_frame_in in;
	struct vh_frame_out out;
	struct vh_frame_out screen[2];	/* to our standard output and error */
	int signals;
	size_t unacked;			/* bytes of standard input that the job has not taken */
	bool input;			/* ours may still say something */
	bool done, broken;
	unsigned endings;		/* signals that asked the job to end */
	int status, killed_by;
	char *failed;			/* why nothing was started */
};

static void remote_clear(struct remote *r)
{
	vh_close_fd(&r->in.fd);
	vh_close_fd(&r->out.fd);
	vh_close_fd(&r->signals);
	vh_frame_in_clear(&r->in);
	vh_frame_out_clear(&r->out);
	vh_frame_out_clear(&r->screen[0]);
	vh_frame_out_clear(&r->screen[1]);
	free(r->failed);
}

/* --- what the head says */

static void on_frame(struct remote *r, const struct vh_frame *f)
{
	uint32_t n;

	switch (f->type) {
	case VH_FRAME_OUT:
	case VH_FRAME_ERR:
		r->broken |= vh_bytes_put(&r->screen[f->type == VH_FRAME_ERR], f->data, f->len) < 0;
		break;
	case VH_FRAME_TAKEN:
		memcpy(&n, f->data, sizeof(n));
		r->unacked -= n < r->unacked ? n : r->unacked;
		break;
	case VH_FRAME_EXIT:
		r->status = (unsigned char)f->data[0];
		r->killed_by = (unsigned char)f->data[1];
		r->done = true;
		break;
	case VH_FRAME_FAILED:
		r->failed = vh_plain(strndup(f->data, f->len));
		r->done = true;
		break;
	}
}

static void listen_to_head(struct remote *r)
{
	struct vh_frame f;
	long n = vh_frame_read(&r->in);
	int got = 0;

	if (n == -EAGAIN)
		return;
	r->broken |= n <= 0;
	while (!r->done && n > 0 && (got = vh_frame_next(&r->in, &f)) > 0)
		on_frame(r, &f);
	r->broken |= got < 0;
}

/* --- what is said to it */

static void type(struct remote *r)
{
	char data[VH_FRAME_DATA];
	const size_t room = VH_FRAME_WINDOW - r->unacked;
	ssize_t n = read(STDIN_FILENO, data, room < sizeof(data) ? room : sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		r->input = false;
	r->unacked += n > 0 ? (size_t)n : 0;
	r->broken |= vh_frame_put(&r->out, VH_FRAME_INPUT, data, n > 0 ? (size_t)n : 0) < 0;
}

/* A job in the background does not read what is typed for another. */
static bool may_type(const struct remote *r)
{
	return r->input && r->unacked < VH_FRAME_WINDOW && vh_frame_pending(&r->out) < VH_FRAME_PENDING &&
	       (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp());
}

/* The job is told first: nobody speaks for us while we are stopped. */
static void stop(struct remote *r)
{
	struct pollfd p = { .fd = r->out.fd, .events = POLLOUT };

	while (vh_frame_pending(&r->out) && poll(&p, 1, STOP_MS) > 0 && vh_frame_flush(&r->out) == 0)
		;
	raise(SIGSTOP);
}

static void on_signal(struct remote *r)
{
	struct signalfd_siginfo info;
	char number;

	if (read(r->signals, &info, sizeof(info)) != sizeof(info))
		return;
	number = (char)info.ssi_signo;
	r->broken |= vh_frame_put(&r->out, VH_FRAME_SIGNAL, &number, 1) < 0;
	if (number == SIGTSTP)
		stop(r);
	if (number != SIGTERM && number != SIGINT && number != SIGHUP && number != SIGQUIT)
		return;
	/* A head that does not hear is left to itself: it ends the job once we are gone. */
	if (++r->endings == PATIENCE) {
		r->killed_by = number;
		r->broken = true;
	}
}

/* As whoever writes to a pipe that nobody reads. */
static void show(struct remote *r, struct vh_frame_out *screen)
{
	const int e = vh_frame_flush(screen);

	if (e == -EPIPE) {
		r->killed_by = SIGPIPE;
		r->broken = true;
	} else if (e < 0) {
		screen->begin = screen->end;
	}
}

/* --- between them */

static void look(struct remote *r, const struct pollfd p[6])
{
	if (p[5].revents)
		on_signal(r);
	if (p[1].revents && vh_frame_flush(&r->out) < 0)
		r->out.begin = r->out.end;	/* the connection is broken: its end tells how */
	if (p[0].revents)
		listen_to_head(r);
	if (p[2].revents)
		type(r);
	for (int i = 0; i < 2; i++)
		if (p[3 + i].revents)
			show(r, &r->screen[i]);
}

static bool shown(const struct remote *r)
{
	return !vh_frame_pending(&r->screen[0]) && !vh_frame_pending(&r->screen[1]);
}

static void serve(struct remote *r)
{
	while (!r->broken && !(r->done && shown(r))) {
		struct pollfd p[6] = {
			{ .fd = !r->done && shown(r) ? r->in.fd : -1, .events = POLLIN },
			{ .fd = vh_frame_pending(&r->out) ? r->out.fd : -1, .events = POLLOUT },
			{ .fd = may_type(r) ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = vh_frame_pending(&r->screen[0]) ? STDOUT_FILENO : -1, .events = POLLOUT },
			{ .fd = vh_frame_pending(&r->screen[1]) ? STDERR_FILENO : -1, .events = POLLOUT },
			{ .fd = r->signals, .events = POLLIN },
		};

		if (poll(p, 6, -1) > 0)
			look(r, p);
	}
}

/* --- the beginning and the end */

/* ssh, in a group of its own: what a terminal sends to ours is not for it. */
static int begin_ssh(struct remote *r, char *const *argv, struct vh_err *err)
{
	int to[2], from[2], e;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;

	if (pipe2(to, O_CLOEXEC) < 0)
		return vh_err_set(err, errno, "ssh: %s", strerror(errno));
	r->out.fd = to[1];
	if (pipe2(from, O_CLOEXEC) < 0) {
		close(to[0]);
		return vh_err_set(err, errno, "ssh: %s", strerror(errno));
	}
	r->in.fd = from[0];
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	e = posix_spawnp(&r->ssh, argv[0], &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close(to[0]);
	close(from[1]);
	fcntl(r->out.fd, F_SETFL, O_NONBLOCK);
	return e ? vh_err_set(err, e, "%s: %s", argv[0], strerror(e)) : 0;
}

/* Those that the user's shell has us ignore stay ignored. */
static int open_signals(struct remote *r, struct vh_err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	for (const int *s = vh_frame_signals; *s; s++) {
		struct sigaction was;

		if (sigaction(*s, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaddset(&set, *s);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return r->signals < 0 ? vh_err_set(err, errno, "signals: %s", strerror(errno)) : 0;
}

/* Whether it ends a process; the head is believed no more than that. */
static bool ends(int number)
{
	return number > 0 && number < SIGRTMIN && number != SIGSTOP && number != SIGTSTP && number != SIGTTIN && number != SIGTTOU &&
	       number != SIGCONT && number != SIGCHLD && number != SIGURG && number != SIGWINCH;
}

/* As the launcher ended, so that who waits for us sees the same; our memory is of no use to anybody. */
static int end_by(int number)
{
	sigset_t set;

	if (!ends(number))
		return VH_EXIT_FAILED;
	prctl(PR_SET_DUMPABLE, 0);
	sigemptyset(&set);
	sigaddset(&set, number);
	signal(number, SIG_DFL);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + number;
}

/* What ssh's own end says where the head did not tell the job's. */
static int why_broken(int status, const char *node, struct vh_err *err)
{
	const int code = status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code == 127 || code == 126) {
		vh_err_refuse(err, ENOENT, "%s: has no " VH_MPI_HEAD, node);
		return vh_err_hint(err, "its image is older than this program: build it anew and apply the cluster again");
	}
	if (code == 255) {
		vh_err_set(err, ECONNABORTED, "%s: cannot be reached, or the connection broke: the job is ended there", node);
		return vh_err_hint(err, "see that the node runs: vhpc cluster status");
	}
	return vh_err_set(err, ECONNABORTED, "%s: the connection ended before the job did", node);
}

int vh_mpi_remote(char *const *ssh, const char *node, const struct vh_wire_job *job, struct vh_err *err)
{
	vh_cleanup(remote_clear) struct remote r = { .in = { .fd = -1 }, .out = { .fd = -1 }, .signals = -1, .input = true,
		.screen = { { .fd = STDOUT_FILENO }, { .fd = STDERR_FILENO } } };
	vh_autofree char *packed = NULL;
	size_t len;
	int e, status;

	packed = vh_wire_job_pack(job, &len);
	if (!packed || vh_frame_put(&r.out, VH_FRAME_JOB, packed, len) < 0)
		return vh_err_nomem(err);
	if ((e = open_signals(&r, err)) < 0 || (e = begin_ssh(&r, ssh, err)) < 0)
		return e;
	serve(&r);
	vh_close_fd(&r.out.fd);
	r.out.fd = -1;
	if (r.broken && r.killed_by)
		return end_by(r.killed_by);
	status = vh_child_wait(r.ssh, END_MS);
	if (r.failed) {
		vh_err_refuse(err, ENOENT, "%s: %s", node, r.failed);
		return vh_err_hint(err, "the head of the job needs the MPI that the record names");
	}
	if (r.broken)
		return why_broken(status, node, err);
	return r.killed_by ? end_by(r.killed_by) : r.status;
}
