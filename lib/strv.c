// SPDX-License-Identifier: Apache-2.0
#include "lib/strv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

size_t vh_strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

static int push_owned(char ***v, char *s)
{
	size_t n = vh_strv_len(*v);
	char **grown;

	if (!s)
		return -ENOMEM;
	/* Grown to powers of two, so that long lists stay cheap. */
	if (!*v || (n + 1 >= 4 && ((n + 1) & n) == 0) || n < 3) {
		size_t room = n + 1 < 4 ? 4 : 2 * (n + 1);

		grown = reallocarray(*v, room, sizeof(*grown));
		if (!grown) {
			free(s);
			return -ENOMEM;
		}
		*v = grown;
	}
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
	return 0;
}

int vh_strv_push(char ***v, const char *s)
{
	return push_owned(v, strdup(s));
}

int vh_strv_pushf(char ***v, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vh_vstrf(fmt, ap);
	va_end(ap);
	return push_owned(v, s);
}

bool vh_strv_has(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (!strcmp(*v, s))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void vh_strv_sort(char **v)
{
	if (v)
		qsort(v, vh_strv_len(v), sizeof(*v), by_text);
}

void vh_strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
}

char *vh_vstrf(const char *fmt, va_list ap)
{
	char *s = NULL;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

char *vh_strf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vh_vstrf(fmt, ap);
	va_end(ap);
	return s;
}

enum { LONGEST_WORD = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance with one row; UINT_MAX for words too long to be keywords. */
static unsigned distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[LONGEST_WORD + 1];

	if (la > LONGEST_WORD || lb > LONGEST_WORD)
		return UINT32_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

const char *vh_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	unsigned best_distance = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		unsigned d = distance(word, candidates[i]);
		size_t longer = strlen(word) > strlen(candidates[i]) ? strlen(word) : strlen(candidates[i]);

		if (d < best_distance && d <= (longer + 2) / 3) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}

const char *vh_env_get(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}
