// SPDX-License-Identifier: Apache-2.0
#include "lib/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CPU = 1 << 16 };

int vh_uint_parse(const char *text, uint64_t max, uint64_t *ret, struct vh_err *err)
{
	uint64_t v = 0;

	if (!*text)
		return vh_err_set(err, EINVAL, "a number is missing");
	for (const char *p = text; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return vh_err_set(err, EINVAL, "'%.40s' is not a whole number", text);
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *p - '0', &v) || v > max)
			return vh_err_set(err, ERANGE, "%.40s is more than %" PRIu64, text, max);
	}
	*ret = v;
	return 0;
}

/* The unit's power of two; -1 when it is none. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *at;

	if (!*unit || !strcmp(unit, "B"))
		return 0;
	at = strchr(letters, toupper((unsigned char)*unit));
	if (!at || (unit[1] && strcmp(unit + 1, "iB") && strcmp(unit + 1, "B")))
		return -1;
	return 10 * (int)(at - letters + 1);
}

/* "1.5G": digits, at most three after a point, then a unit. */
int vh_size_parse(const char *text, uint64_t *ret_bytes, struct vh_err *err)
{
	const char *p = text;
	uint64_t whole = 0, frac = 0, frac_unit = 1, bytes;
	int shift;

	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
			return vh_err_set(err, ERANGE, "size '%.40s' is too large", text);
	if (p > text && *p == '.')
		for (p++; isdigit((unsigned char)*p) && frac_unit < 1000; p++, frac_unit *= 10)
			frac = frac * 10 + (uint64_t)(*p - '0');
	shift = p > text ? unit_shift(p) : -1;
	if (shift < 0 || (frac_unit > 1 && shift == 0)) {
		vh_err_set(err, EINVAL, "'%.40s' is not a size", text);
		return vh_err_hint(err, "a number and K, M, G or T, such as 512M or 2G");
	}
	if (whole > (uint64_t)INT64_MAX >> shift)
		return vh_err_set(err, ERANGE, "size '%.40s' is too large", text);
	bytes = whole << shift;
	if (frac_unit > 1)
		bytes += (frac << shift) / frac_unit;
	*ret_bytes = bytes;
	return 0;
}

const char *vh_size_format(char *buf, size_t len, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1023.95 && u + 1 < vh_array_len(units)) {
		v /= 1024;
		u++;
	}
	snprintf(buf, len, u == 0 || v == (double)(uint64_t)v ? "%.0f %s" : "%.1f %s", v, units[u]);
	return buf;
}

bool vh_is_hostname(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (; *s; s++)
		if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != '-')
			return false;
	return true;
}

int vh_hostname_check(const char *s, struct vh_err *err)
{
	if (vh_is_hostname(s))
		return 0;
	vh_err_refuse(err, EINVAL, "'%.80s' is no host name", s);
	return vh_err_hint(err, "lower-case letters, digits and inner hyphens, at most 63 (RFC 1123)");
}

bool vh_is_login(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n <= 32 && !s[n] && *s != '-' && (*s < '0' || *s > '9');
}

int vh_login_check(const char *s, struct vh_err *err)
{
	return vh_is_login(s) ? 0 : vh_err_refuse(err, EINVAL, "'%.80s' is no login", s);
}

static int parse_cpu(const char **p, unsigned *ret)
{
	unsigned v = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (unsigned)(**p - '0');
		if (v > MAX_CPU)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int vh_cpulist_parse(const char *text, unsigned **ret, size_t *ret_n)
{
	vh_autofree unsigned *v = NULL;
	size_t n = 0;
	int r;

	for (const char *p = text; *p;) {
		unsigned first, last, *grown;

		r = parse_cpu(&p, &first);
		if (r < 0)
			return r;
		last = first;
		if (*p == '-') {
			p++;
			r = parse_cpu(&p, &last);
			if (r < 0 || last < first)
				return -EINVAL;
		}
		if (*p == ',' && p[1])
			p++;
		else if (*p)
			return -EINVAL;
		if (n + (last - first) >= MAX_CPU)
			return -ERANGE;
		grown = reallocarray(v, n + (last - first) + 1, sizeof(*v));
		if (!grown)
			return -ENOMEM;
		v = grown;
		for (unsigned c = first; c <= last; c++)
			v[n++] = c;
	}
	*ret = vh_steal(&v);
	*ret_n = n;
	return 0;
}

char *vh_cpulist_format(const unsigned *v, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t first = i;

		while (i + 1 < n && v[i + 1] == v[i] + 1)
			i++;
		fprintf(f, "%s%u", first ? "," : "", v[first]);
		if (i > first)
			fprintf(f, "-%u", v[i]);
	}
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

char *vh_version_upstream(const char *version)
{
	const char *colon = strchr(version, ':'), *really = strstr(version, "+really"), *dash, *end;

	if (really)	/* an older release than before, under a number that is newer */
		version = really + strlen("+really");
	else if (colon)
		version = colon + 1;
	dash = strrchr(version, '-');
	end = strchr(version, '+');
	if (!end || (dash && dash < end))
		end = dash;
	return end ? strndup(version, (size_t)(end - version)) : strdup(version);
}

bool vh_is_pci_address(const char *s)
{
	unsigned domain, bus, slot, function;
	char again[20];

	if (strlen(s) < 12 || sscanf(s, "%8x:%2x:%2x.%1x", &domain, &bus, &slot, &function) != 4 || slot > 31 || function > 7)
		return false;
	snprintf(again, sizeof(again), "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return !strcmp(s, again);
}

bool vh_is_mac(const char *mac)
{
	if (strlen(mac) != 17)
		return false;
	for (int i = 0; i < 17; i++)
		if (i % 3 == 2 ? mac[i] != ':' : !strchr("0123456789abcdef", mac[i]))
			return false;
	return true;
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

void vh_sort_unsigned(unsigned *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(*v), by_value);
}

char *vh_cpu_list(const unsigned *v, size_t n)
{
	vh_autofree unsigned *sorted = malloc((n + 1) * sizeof(*v));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < n; i++)
		sorted[i] = v[i];
	vh_sort_unsigned(sorted, n);
	return vh_cpulist_format(sorted, n);
}
