// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "images/store/convert.h"
#include "lib/confine.h"
#include "lib/spawn.h"

enum { CONVERT_MS = 30 * 60 * 1000 };

static int fail(const char *path, struct vh_err *err)
{
	return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
}

static int run(const struct vh_convert *c, int from, int to, struct vh_err *err)
{
	char in[32], out[32];
	const int keep[] = { from, to, -1 };
	const char *const raw[] = { "qemu-img", "convert", "-f", c->format, "-O", "raw", in, out, NULL };
	const char *const qcow2[] = { "qemu-img", "convert", "-f", c->format, "-O", "qcow2", "-c", "-o",
				      "compression_type=zstd,compat=1.1", in, out, NULL };

	snprintf(in, sizeof in, "/proc/self/fd/%d", from);
	snprintf(out, sizeof out, "/proc/self/fd/%d", to);
	return vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)(strcmp(c->to_format, "raw") ? qcow2 : raw),
			   .confined = true, .file_max = c->max, .keep = keep, .deadline_ms = CONVERT_MS, .stop = c->stop },
			   NULL, err);
}

int vh_convert(const struct vh_convert *c, struct vh_err *err)
{
	vh_autoclose int from = open(c->from, O_RDONLY | O_CLOEXEC);
	vh_autoclose int to = from < 0 ? -1 : open(c->to, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (from < 0)
		return fail(c->from, err);
	if (to < 0 || (errno = -vh_confine_lend(to)))
		return fail(c->to, err);
	r = run(c, from, to, err);
	errno = -vh_confine_take(to, 0644);
	if (r == 0 && (errno || fsync(to) < 0))
		r = fail(c->to, err);
	return r < 0 ? vh_err_within(err, "%s", c->to) : 0;
}
