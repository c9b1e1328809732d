// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/wire/wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 5, READ = 32768 };

const int vh_frame_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, 0 };

bool vh_frame_is_signal(int number)
{
	for (const int *s = vh_frame_signals; *s; s++)
		if (*s == number)
			return true;
	return false;
}

/* Room for more bytes behind end; what was used up in front is given up first. */
static int make_room(char **buf, size_t *begin, size_t *end, size_t *room, size_t more)
{
	size_t want;
	char *grown;

	if (*begin > 0) {
		memmove(*buf, *buf + *begin, *end - *begin);
		*end -= *begin;
		*begin = 0;
	}
	if (*end + more <= *room)
		return 0;
	want = *end + more > 2 * *room ? *end + more : 2 * *room;
	grown = realloc(*buf, want);
	if (!grown)
		return -ENOMEM;
	*buf = grown;
	*room = want;
	return 0;
}

/* --- in */

long vh_frame_read(struct vh_frame_in *in)
{
	ssize_t n;

	if (make_room(&in->buf, &in->begin, &in->end, &in->room, READ) < 0)
		return -ENOMEM;
	n = read(in->fd, in->buf + in->end, in->room - in->end);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	in->end += (size_t)n;
	return n;
}

/* How long a frame of that type may be; 0: there is none such on this way. */
static size_t longest(char type, bool to_head)
{
	if (!strchr(to_head ? "jis" : "toexf", type) || !type)
		return 0;
	return type == VH_FRAME_JOB ? VH_FRAME_JOB_MAX : type == VH_FRAME_SIGNAL ? 1 : type == VH_FRAME_EXIT ? 2 :
	       type == VH_FRAME_TAKEN ? 4 : VH_FRAME_DATA;
}

static bool is_fixed(char type)
{
	return type == VH_FRAME_SIGNAL || type == VH_FRAME_EXIT || type == VH_FRAME_TAKEN;
}

int vh_frame_next(struct vh_frame_in *in, struct vh_frame *ret)
{
	const size_t have = in->end - in->begin;
	char *at = in->buf + in->begin;
	uint32_t len;
	size_t most;

	if (have < 1)
		return 0;
	most = longest(*at, in->head);
	if (most == 0)
		return -EBADMSG;
	if (have < HEADER)
		return 0;
	memcpy(&len, at + 1, sizeof(len));
	if (len > most || (is_fixed(*at) && len != most))
		return -EBADMSG;
	if (have - HEADER < len)
		return 0;
	*ret = (struct vh_frame){ *at, at + HEADER, len };
	in->begin += HEADER + len;
	return 1;
}

void vh_frame_in_clear(struct vh_frame_in *in)
{
	free(in->buf);
	*in = (struct vh_frame_in){ .fd = -1 };
}

/* --- out */

int vh_bytes_put(struct vh_frame_out *out, const void *data, size_t len)
{
	if (make_room(&out->buf, &out->begin, &out->end, &out->room, len) < 0)
		return -ENOMEM;
	if (len)
		memcpy(out->buf + out->end, data, len);
	out->end += len;
	return 0;
}

int vh_frame_put(struct vh_frame_out *out, enum vh_frame_type type, const void *data, size_t len)
{
	const uint32_t n = (uint32_t)len;
	char header[HEADER] = { (char)type };

	memcpy(header + 1, &n, sizeof(n));
	if (make_room(&out->buf, &out->begin, &out->end, &out->room, HEADER + len) < 0)
		return -ENOMEM;
	vh_bytes_put(out, header, HEADER);	/* there is room */
	return vh_bytes_put(out, data, len);
}

/* In pieces that a pipe which polls as writable takes at once, for not every descriptor may be made non-blocking:
 * a terminal's is the shell's too. */
int vh_frame_flush(struct vh_frame_out *out)
{
	enum { PIECE = 4096 };
	const size_t left = out->end - out->begin;
	ssize_t n;

	if (left == 0)
		return 0;
	n = write(out->fd, out->buf + out->begin, left < PIECE ? left : PIECE);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	out->begin += (size_t)n;
	return 0;
}

void vh_frame_out_clear(struct vh_frame_out *out)
{
	free(out->buf);
	*out = (struct vh_frame_out){ .fd = -1 };
}
