// SPDX-License-Identifier: Apache-2.0
/* Sizes, counts, host names and CPU lists. */
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"

static void cpus(const char *text)
{
	unsigned *v = NULL, *again = NULL;
	size_t n = 0, n_again = 0;
	char *back;

	if (vh_cpulist_parse(text, &v, &n) < 0)
		return;
	back = vh_cpulist_format(v, n);
	FUZZ_ASSERT(back && vh_cpulist_parse(back, &again, &n_again) == 0);
	FUZZ_ASSERT(n == n_again && (n == 0 || !memcmp(v, again, n * sizeof(*v))));
	free(back);
	free(again);
	free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), buf[16];
	vh_autoerr err = VH_ERR_NONE;
	uint64_t v = 0;

	if (vh_size_parse(text, &v, &err) == 0)
		FUZZ_ASSERT(v <= INT64_MAX && strlen(vh_size_format(buf, sizeof(buf), v)) < sizeof(buf) - 1);
	if (vh_uint_parse(text, 1000, &v, &err) == 0)
		FUZZ_ASSERT(v <= 1000);
	if (vh_is_hostname(text))
		FUZZ_ASSERT(strlen(text) <= 63 && !strpbrk(text, "/. \n") && vh_hostname_check(text, &err) == 0);
	cpus(text);
	free(text);
	return 0;
}
