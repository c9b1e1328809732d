// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/copy/sums.h"

#include <errno.h>
#include <string.h>

enum { FILES_MAX = 1 << 22 };

void sums_clear(struct sums *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].path);
	free(s->v);
	*s = (struct sums){ 0 };
}

int sums_add(struct sums *s, const char *path, SHA256_CTX *sha, struct vh_err *err)
{
	if (s->n == FILES_MAX)
		return vh_err_refuse(err, E2BIG, "more than %d files at once", FILES_MAX);
	if (s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 64;
		struct sum *grown = reallocarray(s->v, room, sizeof(*grown));

		if (!grown)
			return vh_err_nomem(err);
		s->v = grown;
		s->room = room;
	}
	s->v[s->n].path = strdup(path);
	if (!s->v[s->n].path)
		return vh_err_nomem(err);
	SHA256_End(sha, s->v[s->n++].hex);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct sum *)a)->path, ((const struct sum *)b)->path);
}

void sums_digest(struct sums *s, char ret[SUM_LEN])
{
	SHA256_CTX sha;

	if (s->n)
		qsort(s->v, s->n, sizeof(*s->v), by_path);
	SHA256Init(&sha);
	for (size_t i = 0; i < s->n; i++) {
		SHA256Update(&sha, (const uint8_t *)s->v[i].hex, SUM_LEN - 1);
		SHA256Update(&sha, (const uint8_t *)"  ", 2);
		SHA256Update(&sha, (const uint8_t *)s->v[i].path, strlen(s->v[i].path) + 1);
	}
	SHA256_End(&sha, ret);
}
