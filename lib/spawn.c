// SPDX-License-Identifier: Apache-2.0
#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/confine.h"
#include "lib/strv.h"

enum { CAPTURE_MAX = 16 << 20, GRACE_MS = 2000, WRITE_MAX = 64 << 10 };

struct stream {
	int fd;
	char *buf;
	size_t len, room;
	size_t line;		/* where the line that is being read starts */
};

struct running {
	const struct vh_spawn *spawn;
	pid_t pid;
	int pidfd, in_fd;
	size_t written;
	struct stream out, err;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void vh_output_clear(struct vh_output *out)
{
	free(out->out);
	free(out->err);
	*out = (struct vh_output){ 0 };
}

static void running_clear(struct running *r)
{
	vh_close_fd(&r->pidfd);
	vh_close_fd(&r->in_fd);
	vh_close_fd(&r->out.fd);
	vh_close_fd(&r->err.fd);
	free(r->out.buf);
	free(r->err.buf);
}

/* Our environment with what env says added or replaced; NULL without memory. */
static char **make_env(char *const *env)
{
	vh_autostrv v = NULL;

	for (char **e = environ; e && *e; e++) {
		bool replaced = false;

		for (char *const *a = env; a && *a && !replaced; a++) {
			size_t n = strcspn(*a, "=") + 1;

			replaced = !strncmp(*e, *a, n);
		}
		if (!replaced && vh_strv_push(&v, *e) < 0)
			return NULL;
	}
	for (char *const *a = env; a && *a; a++)
		if (vh_strv_push(&v, *a) < 0)
			return NULL;
	if (!v)
		v = calloc(1, sizeof(*v));
	return vh_steal(&v);
}

/* The whole path of a program, so that the child needs only execve. */
static int find_program(const char *name, char **ret)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	/* A bare environment (a hook's) still finds the administrator's programs. */
	if (!path || !*path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		vh_autofree char *full = vh_strf("%.*s/%s", n ? (int)n : 1, n ? path : ".", name);

		if (!full)
			return -ENOMEM;
		if (access(full, X_OK) == 0) {
			*ret = vh_steal(&full);
			return 0;
		}
		path += n + (path[n] == ':');
	}
	return -ENOENT;
}

static int not_found(const char *name, struct vh_err *err)
{
	vh_err_set(err, ENOENT, "%s: no such program", name);
	return vh_err_hint(err, "install the package that has %s", name);
}

struct child_fds { int in, out, err; };

static int enter_userns(int fd, const char *cwd)
{
	if (setns(fd, CLONE_NEWUSER) < 0 || syscall(SYS_setgroups, 0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0 || unshare(CLONE_NEWNS) < 0)
		return -errno;
	/* By the way that leads there already: ".". */
	return mount(".", cwd, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(cwd) < 0 ? -errno : 0;
}

/* Another user, or root of other ids: what it may is settled before it is executed. */
static int take_rights(const struct vh_spawn *spawn)
{
	int r = spawn->userns ? enter_userns(spawn->userns, spawn->userns_cwd) : 0;

	return r == 0 && spawn->confined ? vh_confine_program(spawn->uid, spawn->gid, spawn->file_max) : r;
}

static int keep_open(const int *fd)
{
	for (; fd && *fd >= 0; fd++)
		if (fcntl(*fd, F_SETFD, 0) < 0)
			return -errno;
	return 0;
}

/* What was sent to the group that it was forked in, as a second Ctrl-C, is not for one that has left it.
 * All signals are blocked; to ignore one drops it. */
static void forget_signals(void)
{
	static const int of_groups[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < vh_array_len(of_groups); i++) {
		struct sigaction before;

		sigaction(of_groups[i], &ignore, &before);
		sigaction(of_groups[i], &before, NULL);
	}
}

/* Between fork and exec: only what is safe in a child of a threaded process. */
static void __attribute__((noreturn)) child(const struct vh_spawn *spawn, const char *program, char **env,
					    struct child_fds fds, int error_fd, pid_t parent)
{
	sigset_t none;
	int e;

	if (spawn->new_session)
		setsid();
	else if (!spawn->inherit)
		setpgid(0, 0);
	if (spawn->new_session || !spawn->inherit)
		forget_signals();
	if ((spawn->cwd || spawn->confined) && chdir(spawn->cwd ? spawn->cwd : "/") < 0)
		goto fail;
	errno = -take_rights(spawn);
	if (errno)
		goto fail;
	/* What we started for ourselves ends with us, also after kill -9. */
	if (!spawn->new_session && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent))
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	errno = -keep_open(spawn->keep);
	if (errno || (fds.in >= 0 && dup2(fds.in, 0) < 0) || (fds.out >= 0 && dup2(fds.out, 1) < 0) ||
	    (fds.err >= 0 && dup2(fds.err, 2) < 0))
		goto fail;
	execve(program, spawn->argv, env);
fail:
	e = errno;
	if (write(error_fd, &e, sizeof(e)) < 0)
		_exit(126);
	_exit(127);
}

static int make_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
}

static void close_pair(int (*fds)[2])
{
	vh_close_fd(&(*fds)[0]);
	vh_close_fd(&(*fds)[1]);
}
#define autopipe(name) vh_cleanup(close_pair) int name[2] = { -1, -1 }

/* The child has all signals blocked, until it has left our group or not. */
static pid_t fork_masked(void)
{
	sigset_t all, before;
	pid_t pid;
	int e;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	e = errno;
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = e;
	return pid;
}

static int start(struct running *run, struct vh_err *err)
{
	const struct vh_spawn *spawn = run->spawn;
	vh_autofree char *program = NULL;
	vh_autostrv env = make_env(spawn->env);
	vh_autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	autopipe(in);
	autopipe(out);
	autopipe(errp);
	autopipe(fail);
	struct child_fds fds = { -1, -1, -1 };
	const pid_t self = getpid();
	int child_errno = 0, r = find_program(spawn->argv[0], &program);
	ssize_t n;

	if (r == -ENOENT)
		return not_found(spawn->argv[0], err);
	if (r < 0 || !env)
		return vh_err_nomem(err);
	r = make_pipe(fail);
	if (r == 0 && !spawn->inherit) {
		r = spawn->input ? make_pipe(in) : 0;
		r = r == 0 ? make_pipe(out) : r;
		r = r == 0 ? make_pipe(errp) : r;
		fds = (struct child_fds){ spawn->input ? in[0] : spawn->in_fd ? spawn->in_fd : null,
					  spawn->out_fd ? spawn->out_fd : out[1], spawn->err_fd ? spawn->err_fd : errp[1] };
	}
	if (r < 0)
		return vh_err_set(err, -r, "%s: cannot make a pipe: %s", spawn->argv[0], strerror(-r));
	run->pid = fork_masked();
	if (run->pid < 0)
		return vh_err_set(err, errno, "%s: cannot fork: %s", spawn->argv[0], strerror(errno));
	if (run->pid == 0)
		child(spawn, program, env, fds, fail[1], self);
	close(fail[1]);
	fail[1] = -1;
	do
		n = read(fail[0], &child_errno, sizeof(child_errno));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(child_errno)) {
		waitpid(run->pid, NULL, 0);
		return vh_err_set(err, child_errno, "%s: %s", program, strerror(child_errno));
	}
	run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pidfd < 0) {
		int e = errno;

		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
		return vh_err_set(err, e, "%s: pidfd: %s", spawn->argv[0], strerror(e));
	}
	run->in_fd = vh_steal_fd(&in[1]);
	run->out.fd = vh_steal_fd(&out[0]);
	run->err.fd = vh_steal_fd(&errp[0]);
	if (run->in_fd >= 0)
		fcntl(run->in_fd, F_SETFL, O_NONBLOCK);
	return 0;
}

static void tell_lines(const struct vh_spawn *spawn, struct stream *s, bool last)
{
	char *nl;

	if (!spawn->on_line || !s->buf)
		return;
	while ((nl = memchr(s->buf + s->line, '\n', s->len - s->line))) {
		*nl = 0;
		spawn->on_line(spawn->arg, s->buf + s->line);
		*nl = '\n';
		s->line = (size_t)(nl - s->buf) + 1;
	}
	if (last && s->line < s->len) {
		spawn->on_line(spawn->arg, s->buf + s->line);
		s->line = s->len;
	}
}

static void read_stream(const struct vh_spawn *spawn, struct stream *s)
{
	char drop[4096];
	ssize_t n;

	if (s->len + 4096 >= s->room && s->room < CAPTURE_MAX) {
		size_t room = s->room ? 2 * s->room : 8192;
		char *grown = realloc(s->buf, room);

		if (grown) {
			grown[s->len] = 0;
			s->buf = grown;
			s->room = room;
		}
	}
	if (s->len + 1 < s->room)
		n = read(s->fd, s->buf + s->len, s->room - s->len - 1);
	else
		n = read(s->fd, drop, sizeof(drop));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && s->len + 1 < s->room) {
		s->len += (size_t)n;
		s->buf[s->len] = 0;
		tell_lines(spawn, s, false);
	}
	if (n <= 0) {
		vh_close_fd(&s->fd);
		s->fd = -1;
	}
}

static void write_input(struct running *run)
{
	const struct vh_spawn *spawn = run->spawn;
	size_t left = spawn->input_len - run->written;
	ssize_t n = 0;

	/* A pipe takes no more than this; valgrind looks at all that is offered, each time. */
	if (left > 0)
		n = write(run->in_fd, spawn->input + run->written, left < WRITE_MAX ? left : WRITE_MAX);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		run->written += (size_t)n;
	if (n < 0 || run->written == spawn->input_len) {
		vh_close_fd(&run->in_fd);
		run->in_fd = -1;
	}
}

static void signal_group(const struct running *run, int sig)
{
	/* A child with our own terminal shares our group: it alone is signalled then. */
	kill(run->spawn->inherit && !run->spawn->new_session ? run->pid : -run->pid, sig);
}

static bool stopped(const struct vh_spawn *spawn)
{
	return spawn->stop && *spawn->stop;
}

/* Serves the pipes until the program has ended; true when the deadline passed. */
static bool serve(struct running *run)
{
	int64_t deadline = run->spawn->deadline_ms ? now_ms() + run->spawn->deadline_ms : INT64_MAX;
	bool timed_out = false, ended = false;

	while (!ended || run->out.fd >= 0 || run->err.fd >= 0) {
		struct pollfd p[] = {
			{ .fd = ended ? -1 : run->pidfd, .events = POLLIN },
			{ .fd = run->out.fd, .events = POLLIN },
			{ .fd = run->err.fd, .events = POLLIN },
			{ .fd = run->in_fd, .events = POLLOUT },
		};
		if (stopped(run->spawn) && !timed_out && !ended)
			deadline = 0;
		int64_t left = deadline - now_ms();
		/* A grandchild that keeps a pipe open, or talks on, does not hold us once the program has ended. */
		int most = run->spawn->stop ? 200 : 60000;
		int wait = ended ? 100 : left > most ? most : left > 0 ? (int)left : 0;
		int n = poll(p, vh_array_len(p), wait);

		if (n < 0 && errno == EINTR)
			continue;
		if (ended && (n == 0 || left <= 0))
			break;
		/* Asked whatever came: one that never stops talking has its deadline too. */
		if (!ended && left <= 0) {
			signal_group(run, timed_out ? SIGKILL : SIGTERM);
			timed_out = true;
			deadline = now_ms() + GRACE_MS;
		}
		if (p[0].revents) {
			ended = true;
			deadline = now_ms() + GRACE_MS;
		}
		if (p[1].revents)
			read_stream(run->spawn, &run->out);
		if (p[2].revents)
			read_stream(run->spawn, &run->err);
		if (p[3].revents)
			write_input(run);
	}
	if (timed_out)
		signal_group(run, SIGKILL);
	return timed_out;
}

int vh_spawn_run(const struct vh_spawn *spawn, struct vh_output *ret, struct vh_err *err)
{
	vh_cleanup(running_clear) struct running run = {
		.spawn = spawn, .pidfd = -1, .in_fd = -1, .out.fd = -1, .err.fd = -1
	};
	bool timed_out;
	int status = 0, r = start(&run, err);

	if (r < 0)
		return r;
	timed_out = serve(&run);
	while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR)
		;
	tell_lines(spawn, &run.out, true);
	tell_lines(spawn, &run.err, true);
	*ret = (struct vh_output){
		.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		.timed_out = timed_out,
		.out_len = run.out.len,
		.err_len = run.err.len,
		.out = run.out.buf ? vh_steal(&run.out.buf) : strdup(""),
		.err = run.err.buf ? vh_steal(&run.err.buf) : strdup(""),
	};
	if (ret->out && ret->err)
		return 0;
	vh_output_clear(ret);
	return vh_err_nomem(err);
}

/* The last line that says something; empty text when there is none. Cuts in place. */
static const char *last_line(char *text)
{
	size_t n = strlen(text);
	char *nl;

	while (n > 0 && strchr("\r\n\t ", text[n - 1]))
		text[--n] = 0;
	nl = strrchr(text, '\n');
	return nl ? nl + 1 : text;
}

int vh_spawn_ok(const struct vh_spawn *spawn, struct vh_output *ret, struct vh_err *err)
{
	vh_autooutput out = { 0 };
	const char *said;
	int r = vh_spawn_run(spawn, &out, err);

	if (r < 0)
		return r;
	if (out.timed_out && stopped(spawn))
		return vh_err_set(err, EINTR, "%s: interrupted", spawn->argv[0]);
	if (out.timed_out)
		return vh_err_set(err, ETIMEDOUT, "%s: not done within %d s", spawn->argv[0],
				  spawn->deadline_ms / 1000);
	if (out.status) {
		said = last_line(out.err);
		return vh_err_set(err, EIO, "%s: exit status %d%s%s", spawn->argv[0], out.status,
				  *said ? ": " : "", said);
	}
	if (ret) {
		*ret = out;
		out = (struct vh_output){ 0 };
	}
	return 0;
}

int vh_spawn_exec(char *const *argv, struct vh_err *err)
{
	vh_autofree char *program = NULL;
	int r = find_program(argv[0], &program);

	if (r == -ENOENT)
		return not_found(argv[0], err);
	if (r < 0)
		return vh_err_nomem(err);
	signal(SIGPIPE, SIG_DFL);
	execv(program, argv);
	return vh_err_set(err, errno, "%s: %s", program, strerror(errno));
}
