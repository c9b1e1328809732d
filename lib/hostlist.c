// SPDX-License-Identifier: Apache-2.0
#include "lib/hostlist.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/strv.h"

#define DIGITS "0123456789"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-_."

enum { MAX_DIGITS = 9 };	/* of a number in a bracket: fits an unsigned */

struct names { char **v; size_t n, room; };

static void names_clear(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->v[i]);
	free(names->v);
}

static int add_name(struct names *names, const char *name, struct vh_err *err)
{
	char **grown;

	if (names->n == VH_HOSTLIST_MAX) {
		vh_err_set(err, E2BIG, "host list: more than %d hosts", VH_HOSTLIST_MAX);
		err->exit = VH_EXIT_USAGE;
		return -E2BIG;
	}
	if (names->n + 1 >= names->room) {
		names->room = names->room ? 2 * names->room : 16;
		grown = reallocarray(names->v, names->room, sizeof(*grown));
		if (!grown)
			return vh_err_nomem(err);
		names->v = grown;
	}
	names->v[names->n] = strdup(name);
	if (!names->v[names->n])
		return vh_err_nomem(err);
	names->v[++names->n] = NULL;
	return 0;
}

struct reading { const char *text; struct names *names; struct vh_err *err; };

static int bad(const struct reading *r, const char *at, const char *what)
{
	return vh_err_usage(r->err, "host list '%.200s': at %td: %s", r->text, at - r->text + 1, what);
}

static int expand(const struct reading *r, const char *done, const char *rest, const char *end);

/* "3" or "01-16" at *at; *at moves behind it. */
static int read_range(const struct reading *r, const char **at, unsigned *low, unsigned *high, int *width)
{
	size_t n = strspn(*at, DIGITS), m;

	if (n == 0 || n > MAX_DIGITS)
		return bad(r, *at, "a number of at most 9 digits is wanted");
	*width = (int)n;
	*low = *high = (unsigned)strtoul(*at, NULL, 10);
	*at += n;
	if (**at != '-')
		return 0;
	m = strspn(*at + 1, DIGITS);
	if (m == 0 || m > MAX_DIGITS)
		return bad(r, *at + 1, "a number of at most 9 digits is wanted");
	*high = (unsigned)strtoul(*at + 1, NULL, 10);
	if (*high < *low)
		return bad(r, *at + 1, "the range runs backwards");
	if (*high - *low >= VH_HOSTLIST_MAX)
		return bad(r, *at + 1, "the range has too many hosts");
	*at += 1 + m;
	return 0;
}

/* done, then the bracket at rest[0], then what follows it up to end. */
static int expand_bracket(const struct reading *r, const char *done, const char *rest, const char *end)
{
	const char *close = memchr(rest, ']', (size_t)(end - rest)), *at = rest + 1;
	unsigned low = 0, high = 0;
	int width = 0, e = 0;

	if (!close)
		return bad(r, rest, "the bracket is not closed");
	do {
		e = read_range(r, &at, &low, &high, &width);
		for (unsigned i = low; e == 0 && i <= high; i++) {
			vh_autofree char *so_far = vh_strf("%s%0*u", done, width, i);

			e = so_far ? expand(r, so_far, close + 1, end) : vh_err_nomem(r->err);
		}
		if (e == 0 && at != close && *at != ',')
			e = bad(r, at, "a comma or the bracket's end is wanted");
	} while (e == 0 && at++ != close);
	return e;
}

static int expand(const struct reading *r, const char *done, const char *rest, const char *end)
{
	size_t n = strspn(rest, NAME_CHARS);
	vh_autofree char *so_far = NULL;

	n = n > (size_t)(end - rest) ? (size_t)(end - rest) : n;
	so_far = vh_strf("%s%.*s", done, (int)n, rest);
	if (!so_far)
		return vh_err_nomem(r->err);
	if (strlen(so_far) > VH_HOSTNAME_MAX)
		return bad(r, rest, "the name is longer than 255 characters");
	if (rest + n == end)
		return *so_far ? add_name(r->names, so_far, r->err) : bad(r, rest, "a name is missing");
	if (rest[n] != '[')
		return bad(r, rest + n, "no character of a host's name");
	return expand_bracket(r, so_far, rest + n, end);
}

/* The comma behind this name, or the text's end; commas in brackets are inside it. */
static const char *name_end(const char *at)
{
	for (bool inside = false; *at && (inside || *at != ','); at++)
		inside = *at == '[' || (inside && *at != ']');
	return at;
}

int vh_hostlist_parse(const char *text, char ***ret, struct vh_err *err)
{
	vh_cleanup(names_clear) struct names names = { 0 };
	const struct reading r = { text, &names, err };
	const char *at = text;
	int e = 0;

	do {
		const char *end = name_end(at);

		if (*at == '-' || *at == '_' || *at == '.')
			return bad(&r, at, "a name begins with a letter or digit");
		e = expand(&r, "", at, end);
		at = *end ? end + 1 : NULL;
	} while (e == 0 && at);
	if (e < 0)
		return e;
	*ret = names.v;
	names = (struct names){ 0 };
	return 0;
}

/* --- writing */

/* A name as PREFIX NUMBER SUFFIX, around its last run of digits; width 0: there is none. */
struct split { int prefix, width; unsigned number; const char *suffix; };

static struct split split(const char *name)
{
	const char *end = name + strlen(name), *at;
	struct split s = { 0 };

	while (end > name && !strchr(DIGITS, end[-1]))
		end--;
	at = end;
	while (at > name && strchr(DIGITS, at[-1]) && end - at < MAX_DIGITS)
		at--;
	s.prefix = (int)(at - name);
	s.width = (int)(end - at);
	s.number = s.width ? (unsigned)strtoul(at, NULL, 10) : 0;
	s.suffix = end;
	return s;
}

static unsigned digits(unsigned number)
{
	unsigned n = 1;

	for (; number >= 10; number /= 10)
		n++;
	return n;
}

/* The same but for the number, which both write in one way. */
static bool alike(const char *a, const struct split *x, const char *b, const struct split *y)
{
	return x->width && y->width && x->prefix == y->prefix && !strncmp(a, b, (size_t)x->prefix) &&
	       !strcmp(x->suffix, y->suffix);
}

/* Whether y is written as a range that begins with x would write it. */
static bool follows(const struct split *x, const struct split *y, unsigned by)
{
	unsigned wants = digits(y->number);

	return y->number == x->number + by && y->width == (wants > (unsigned)x->width ? (int)wants : x->width);
}

/* Names from hosts[0] on that share a bracket; prints them. */
static size_t print_group(FILE *f, char *const *hosts)
{
	struct split first = split(hosts[0]);
	size_t n = 0;

	if (!first.width || !hosts[1]) {
		fputs(hosts[0], f);
		return 1;
	}
	struct split next = split(hosts[1]);
	if (!alike(hosts[0], &first, hosts[1], &next)) {
		fputs(hosts[0], f);
		return 1;
	}
	fprintf(f, "%.*s[", first.prefix, hosts[0]);
	while (hosts[n]) {
		struct split low = split(hosts[n]), at = low;
		unsigned run = 0;

		if (!alike(hosts[0], &first, hosts[n], &low))
			break;
		while (hosts[n + run + 1]) {
			at = split(hosts[n + run + 1]);
			if (!alike(hosts[0], &first, hosts[n + run + 1], &at) || !follows(&low, &at, run + 1))
				break;
			run++;
		}
		fprintf(f, "%s%0*u", n ? "," : "", low.width, low.number);
		if (run)
			fprintf(f, "-%0*u", low.width, low.number + run);
		n += run + 1;
	}
	fprintf(f, "]%s", first.suffix);
	return n;
}

char *vh_hostlist_format(char *const *hosts)
{
	vh_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (char *const *h = hosts; h && *h; ) {
		if (h != hosts)
			fputc(',', f);
		h += print_group(f, h);
	}
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}
