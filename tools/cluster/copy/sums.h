// SPDX-License-Identifier: Apache-2.0
/* SHA-256 of many files as one. */
#ifndef VH_CLUSTER_COPY_SUMS_H
#define VH_CLUSTER_COPY_SUMS_H

#include <sha256.h>
#include <stddef.h>

#include "lib/err.h"

enum { SUM_LEN = SHA256_DIGEST_STRING_LENGTH };	/* 64 digits and a NUL */

struct sum { char *path; char hex[SUM_LEN]; };
struct sums { struct sum *v; size_t n, room; };

void sums_clear(struct sums *s);
#define autosums vh_cleanup(sums_clear) struct sums
/* Adds a file by its path below "."; ends sha. Refused where there are too many. */
int sums_add(struct sums *s, const char *path, SHA256_CTX *sha, struct vh_err *err);
/* What SUMS_COMMAND prints of the same files; sorts them. */
void sums_digest(struct sums *s, char ret[SUM_LEN]);

/* In a node's shell, behind a directory of that: its regular files' names and sums, in order, and the sum of these. */
#define SUMS_COMMAND " -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum -z -- | sha256sum | cut -c 1-64"

#endif
