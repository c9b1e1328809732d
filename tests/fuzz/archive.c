// SPDX-License-Identifier: Apache-2.0
/* What a node hands over to be copied from it: however it lies, what is told of it is whole frames, and an end. */
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lib/strv.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/copy/frames.h"

/* Whether that is frames alone, of which the last is an end. */
static bool is_whole(const char *at, size_t left)
{
	struct frame f = { 0 };

	while (left > 0) {
		if (left < sizeof(f))
			return false;
		memcpy(&f, at, sizeof(f));
		at += sizeof(f);
		left -= sizeof(f);
		if (f.kind < FRAME_FILE || f.kind > FRAME_END || (f.size && f.kind != FRAME_FILE))
			return false;
		if (f.name_len > left || f.link_len > left - f.name_len || f.size > left - f.name_len - f.link_len)
			return false;
		at += f.name_len + f.link_len + f.size;
		left -= f.name_len + f.link_len + f.size;
	}
	return f.kind == FRAME_END || f.kind == FRAME_BAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A few bytes of an archive may stand for a file of any size: the rest finds no room, as with a reader who left. */
	static char said[1 << 20];
	vh_autoclose int fd = memfd_create("archive", MFD_CLOEXEC);
	FILE *out = fmemopen(said, sizeof(said), "w");

	FUZZ_ASSERT(out && write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	int r = frames_write(fd, out);
	bool all = fflush(out) == 0 && !ferror(out);
	long len = ftell(out);
	fclose(out);
	FUZZ_ASSERT(r >= 0 && (r > 0 || !all || is_whole(said, (size_t)len)));
	return 0;
}
