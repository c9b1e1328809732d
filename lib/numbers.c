// SPDX-License-Identifier: Apache-2.0
#include "lib/numbers.h"

#include <string.h>

#include "lib/cleanup.h"
#include "lib/values.h"

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
