// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"

void unit_capture_begin(struct unit_output *o)
{
	*o = (struct unit_output){ 0 };
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		o->saved[i] = dup(i + 1);
		o->fds[i] = memfd_create("output", MFD_CLOEXEC);
		ck_assert(o->saved[i] >= 0 && o->fds[i] >= 0 && dup2(o->fds[i], i + 1) >= 0);
	}
}

static char *read_back(int fd)
{
	struct stat st;
	char *text;

	ck_assert_int_eq(fstat(fd, &st), 0);
	text = calloc(1, (size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(pread(fd, text, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	return text;
}

void unit_capture_end(struct unit_output *o)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(o->saved[i], i + 1);
		close(o->saved[i]);
	}
	o->out = read_back(o->fds[0]);
	o->err = read_back(o->fds[1]);
}

void unit_output_clear(struct unit_output *o)
{
	free(o->out);
	free(o->err);
}
