// SPDX-License-Identifier: Apache-2.0
/* What the fuzz targets share. A target aborts where a parser breaks its word. */
#ifndef VH_FUZZ_H
#define VH_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

/* The input as text; bytes behind a NUL do not count. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	return strndup((const char *)data, size);
}

/* A directory with that one in it, below TMPDIR, which tests/fuzz/run removes; dir: 128 bytes. */
static inline void fuzz_directory(char *dir, const char *below)
{
	const char *tmp = getenv("TMPDIR");
	char path[256];

	snprintf(dir, 128, "%s/vhpc-fuzz.XXXXXX", tmp ? tmp : "/tmp");
	FUZZ_ASSERT(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/%s", dir, below);
	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		mkdir(path, 0700);
	}
	FUZZ_ASSERT(mkdir(path, 0700) == 0);
}

#endif
