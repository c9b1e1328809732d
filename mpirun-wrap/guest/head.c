// SPDX-License-Identifier: Apache-2.0
/* The head of a job, in the cluster and as its user: starts the launcher that mpirun-wrap, at the other end of an
 * ssh connection, asks for, and is its terminal there. Where that end is gone the job is ended.
 * usage: head, with frames (mpirun-wrap/wire) on standard input and output */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mpirun-wrap/guest/begin.h"
#include "mpirun-wrap/wire/wire.h"

enum { JOB_S = 60 };

struct head {
	struct vh_frame_in in;		/* from the caller */
	struct vh_frame_out out;	/* to the caller */
	struct vh_frame_out input;	/* to the launcher's standard input */
	struct vh_begun job;
	int child;			/* tells of the launcher's end */
	size_t taken;			/* of standard input, and not yet told */
	bool input_ended;		/* nothing follows what waits there */
	bool ended, gone;		/* the launcher, the caller */
	int status;			/* the launcher's */
};

/* --- what the caller says */

static void on_input(struct head *h, const struct vh_frame *f)
{
	if (h->input_ended)
		return;
	if (f->len == 0)
		h->input_ended = true;
	else if (vh_frame_pending(&h->input) + f->len > VH_FRAME_WINDOW || vh_bytes_put(&h->input, f->data, f->len) < 0)
		h->gone = true;	/* it does not keep to the window */
}

static void on_frame(struct head *h, const struct vh_frame *f)
{
	if (f->type == VH_FRAME_INPUT)
		on_input(h, f);
	else if (f->type == VH_FRAME_SIGNAL && vh_frame_is_signal(*f->data))
		kill(h->job.pid, *f->data);
	else
		h->gone = true;
}

/* What has come in; some of it may have come behind the job. */
static void obey(struct head *h)
{
	struct vh_frame f;
	int r;

	while (!h->gone && (r = vh_frame_next(&h->in, &f)) != 0)
		if (r < 0)
			h->gone = true;
		else
			on_frame(h, &f);
}

static void listen_to_caller(struct head *h)
{
	const long n = vh_frame_read(&h->in);

	if (n == -EAGAIN)
		return;
	h->gone |= n <= 0;
	obey(h);
}

/* --- what the job says */

/* False: nothing more is there now. */
static bool pass_on(struct head *h, int *fd, enum vh_frame_type type)
{
	char data[VH_FRAME_DATA];
	ssize_t n = read(*fd, data, sizeof(data));

	if (n > 0 && vh_frame_put(&h->out, type, data, (size_t)n) < 0)
		h->gone = true;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(*fd);
		*fd = -1;
	}
	return n > 0;
}

static void feed(struct head *h)
{
	const size_t before = vh_frame_pending(&h->input);

	/* Who reads no more takes all. */
	if (vh_frame_flush(&h->input) < 0) {
		h->input.begin = h->input.end;
		close(h->job.in);
		h->job.in = h->input.fd = -1;
		h->input_ended = true;
	}
	h->taken += before - vh_frame_pending(&h->input);
}

static void tell_taken(struct head *h)
{
	const uint32_t n = (uint32_t)h->taken;

	if (n > 0 && vh_frame_put(&h->out, VH_FRAME_TAKEN, &n, sizeof(n)) == 0)
		h->taken = 0;
}

static void close_input(struct head *h)
{
	if (h->job.in < 0 || !h->input_ended || vh_frame_pending(&h->input))
		return;
	close(h->job.in);
	h->job.in = h->input.fd = -1;
}

/* --- between them */

static void look(struct head *h, const struct pollfd p[6])
{
	struct signalfd_siginfo info;

	if (p[0].revents)
		listen_to_caller(h);
	if (p[1].revents && vh_frame_flush(&h->out) < 0)
		h->gone = true;
	if (p[2].revents)
		feed(h);
	if (p[3].revents)
		pass_on(h, &h->job.out, VH_FRAME_OUT);
	if (p[4].revents)
		pass_on(h, &h->job.err, VH_FRAME_ERR);
	if (p[5].revents && read(h->child, &info, sizeof(info)) > 0) {
		h->gone |= info.ssi_signo == SIGTERM;
		h->ended = waitpid(h->job.pid, &h->status, WNOHANG) == h->job.pid;
	}
	tell_taken(h);
	close_input(h);
}

/* Until the launcher has ended or nobody wants it any more. */
static void serve(struct head *h)
{
	obey(h);
	close_input(h);
	while (!h->ended && !h->gone) {
		const bool full = vh_frame_pending(&h->out) >= VH_FRAME_PENDING;
		struct pollfd p[6] = {
			{ .fd = h->in.fd, .events = POLLIN },
			{ .fd = vh_frame_pending(&h->out) ? h->out.fd : -1, .events = POLLOUT },
			{ .fd = vh_frame_pending(&h->input) ? h->job.in : -1, .events = POLLOUT },
			{ .fd = full ? -1 : h->job.out, .events = POLLIN },
			{ .fd = full ? -1 : h->job.err, .events = POLLIN },
			{ .fd = h->child, .events = POLLIN },
		};

		if (poll(p, 6, -1) > 0)
			look(h, p);
	}
}

/* What the launcher had said when it ended; what it left running may go on saying things to nobody. */
static void say_the_rest(struct head *h)
{
	const unsigned char how[2] = { WIFEXITED(h->status) ? WEXITSTATUS(h->status) : 0, WIFSIGNALED(h->status) ? WTERMSIG(h->status) : 0 };

	while (h->job.out >= 0 && pass_on(h, &h->job.out, VH_FRAME_OUT))
		;
	while (h->job.err >= 0 && pass_on(h, &h->job.err, VH_FRAME_ERR))
		;
	vh_frame_put(&h->out, VH_FRAME_EXIT, how, sizeof(how));
}

static void flush_all(struct head *h)
{
	while (vh_frame_pending(&h->out) && vh_frame_flush(&h->out) == 0) {
		struct pollfd p[2] = { { .fd = h->out.fd, .events = POLLOUT }, { .fd = h->in.fd } };

		if (poll(p, 2, -1) < 0 || p[0].revents & (POLLERR | POLLHUP))
			return;
	}
}

/* --- the beginning */

static int receive(struct head *h, struct vh_wire_job *job, char *why, size_t why_len)
{
	struct vh_frame f;
	int r;

	while ((r = vh_frame_next(&h->in, &f)) == 0)
		if (vh_frame_read(&h->in) <= 0)
			return -1;
	r = r < 0 || f.type != VH_FRAME_JOB ? -EBADMSG : vh_wire_job_unpack(f.data, f.len, job);
	if (r < 0)
		snprintf(why, why_len, "the job is not understood");
	return r < 0 ? -1 : 0;
}

static void prepare(struct head *h)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	h->child = signalfd(-1, &set, SFD_CLOEXEC);
	/* What the launcher leaves behind when it is killed becomes our child. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int main(void)
{
	struct head h = { .in = { .fd = STDIN_FILENO, .head = true }, .out = { .fd = STDOUT_FILENO } };
	struct vh_wire_job job = { 0 };
	char why[512] = "";

	alarm(JOB_S);
	if (receive(&h, &job, why, sizeof(why)) < 0 || (prepare(&h), vh_begin(&job, &h.job, why, sizeof(why)) < 0)) {
		vh_frame_put(&h.out, VH_FRAME_FAILED, why, strlen(why));
		flush_all(&h);
		return 1;
	}
	alarm(0);
	vh_wire_job_clear(&job);
	h.input.fd = h.job.in;
	fcntl(h.in.fd, F_SETFL, O_NONBLOCK);
	fcntl(h.out.fd, F_SETFL, O_NONBLOCK);
	serve(&h);
	if (h.gone && !h.ended) {
		vh_end(&h.job);
		return 1;
	}
	say_the_rest(&h);
	flush_all(&h);
	return 0;
}
