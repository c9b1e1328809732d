// SPDX-License-Identifier: Apache-2.0
/* What the fuzz targets share. A target aborts where a parser breaks its word. */
#ifndef VH_FUZZ_H
#define VH_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#endif
