// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <termios.h>

#include "vmm/virt/private.h"

enum { LOOK_MS = 200, ESCAPE = 0x1d };

struct output {
	virStreamPtr stream;
	int fd;
	_Atomic bool ended;
};

static bool write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Ends with the guest, or when the other thread aborts the stream. */
static void *copy_out(void *arg)
{
	struct output *out = arg;
	char buf[4096];
	int n;

	while ((n = virStreamRecv(out->stream, buf, sizeof(buf))) > 0)
		if (!write_all(out->fd, buf, (size_t)n))
			break;
	out->ended = true;
	return NULL;
}

static bool send_all(virStreamPtr stream, const char *p, size_t len)
{
	while (len > 0) {
		int n = virStreamSend(stream, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Returns at Ctrl-], at *stop, or when the output has ended. */
static void copy_in(struct output *out, int in_fd, const volatile sig_atomic_t *stop)
{
	struct pollfd in = { .fd = in_fd, .events = POLLIN };

	while (!out->ended && !*stop) {
		char buf[256];
		const char *escape;
		ssize_t n;

		if (poll(&in, 1, LOOK_MS) <= 0)
			continue;
		n = read(in_fd, buf, sizeof(buf));
		if (n <= 0) {
			in.fd = -1;
			continue;
		}
		escape = memchr(buf, ESCAPE, (size_t)n);
		if (!send_all(out->stream, buf, escape ? (size_t)(escape - buf) : (size_t)n) || escape)
			return;
	}
}

static int run_console(virStreamPtr stream, int in_fd, int out_fd, const volatile sig_atomic_t *stop,
		       struct vh_err *err)
{
	struct output out = { .stream = stream, .fd = out_fd };
	struct termios was, raw;
	bool terminal = in_fd >= 0 && tcgetattr(in_fd, &was) == 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, copy_out, &out) != 0)
		return vh_err_nomem(err);
	if (terminal) {
		raw = was;
		cfmakeraw(&raw);
		tcsetattr(in_fd, TCSANOW, &raw);
	}
	copy_in(&out, in_fd, stop);
	if (terminal)
		tcsetattr(in_fd, TCSANOW, &was);
	virStreamAbort(stream);
	pthread_join(thread, NULL);
	return 0;
}

int vh_virt_console(struct vh_virt *v, const char *name, int in_fd, int out_fd,
		    const volatile sig_atomic_t *stop, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	virStreamPtr stream;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (!domain)
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM on %s", name, v->uri);
	if (virDomainIsActive(domain) != 1)
		return vh_err_refuse(err, ENOTCONN, "VM %s: does not run", name);
	stream = virStreamNew(v->conn, 0);
	if (!stream)
		return vh_virt_err(err, "VM %s: console", name);
	if (virDomainOpenConsole(domain, NULL, stream, 0) < 0)
		r = vh_virt_err(err, "VM %s: console", name);
	else
		r = run_console(stream, in_fd, out_fd, stop, err);
	virStreamFree(stream);
	return r;
}
