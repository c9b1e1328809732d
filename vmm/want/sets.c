// SPDX-License-Identifier: Apache-2.0
#include "vmm/want/sets.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"

static int read_range(const char *text, size_t len, unsigned max, unsigned *ret_first, unsigned *ret_last)
{
	unsigned long first, last;
	char *end;

	if (!len || !isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	first = last = strtoul(text, &end, 10);
	if (*end == '-' && isdigit((unsigned char)end[1]))
		last = strtoul(end + 1, &end, 10);
	if (end != text + len || first > last)
		return -EINVAL;
	if (errno || last >= max)
		return -ERANGE;
	*ret_first = (unsigned)first;
	*ret_last = (unsigned)last;
	return 0;
}

int vh_vcpus_parse(const char *text, char sep, unsigned max, bool *in)
{
	bool out[VH_VCPUS_MAX] = { false };
	const char seps[] = { sep, 0 };

	/* A set of exceptions alone is taken from all vCPUs. */
	memset(in, 0, VH_VCPUS_MAX * sizeof(*in));
	if (text[strspn(text, " ")] == '^')
		memset(in, 1, max * sizeof(*in));
	for (size_t len;; text += len + 1) {
		const char *one = text + strspn(text, " ");
		bool not = *one == '^';
		unsigned first, last;
		size_t used;
		int r;

		len = strcspn(text, seps);
		one += not;
		used = one < text + len ? (size_t)(text + len - one) : 0;
		while (used && one[used - 1] == ' ')
			used--;
		r = read_range(one, used, max, &first, &last);
		if (r < 0)
			return r;
		for (unsigned i = first; i <= last; i++)
			(not ? out : in)[i] = true;
		if (!text[len])
			break;
	}
	for (unsigned i = 0; i < max; i++)
		in[i] = in[i] && !out[i];
	return 0;
}

char *vh_vcpus_format(const bool *in, char sep)
{
	vh_autofree char *text = strdup("");

	for (unsigned i = 0; text && i < VH_VCPUS_MAX; i++) {
		vh_autofree char *before = NULL;
		unsigned last = i;

		if (!in[i])
			continue;
		while (last + 1 < VH_VCPUS_MAX && in[last + 1])
			last++;
		before = vh_steal(&text);
		text = *before ? vh_strf("%s%c%u-%u", before, sep, i, last) : vh_strf("%u-%u", i, last);
		i = last;
	}
	return vh_steal(&text);
}

void vh_want_number(struct vh_want *want, const struct vh_vcpu_sets *sets)
{
	size_t cells = want->n_cells ? want->n_cells : 1;
	unsigned n = 0;

	want->dedicated = 0;
	want->numbered = false;
	for (size_t c = 0; c < want->n_cells; c++)
		want->cells[c].dedicated = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t c = 0; c < cells; c++)
			for (unsigned i = 0; i < want->vcpus && i < VH_VCPUS_MAX; i++) {
				bool own = want->policy == VH_WANT_DEDICATED || (want->policy == VH_WANT_MIXED && sets->own[i]);

				if (own != (pass == 0) || (want->n_cells && sets->cell[i] != c))
					continue;
				want->dedicated += own;
				want->cells[c].dedicated += own && want->n_cells;
				want->numbered |= n != i;
				want->number[n++] = (uint16_t)i;
			}
}
