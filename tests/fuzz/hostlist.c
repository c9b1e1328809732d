// SPDX-License-Identifier: Apache-2.0
/* Host lists, as a user, Slurm or a file brings them: what comes out are names, and the list of them the same. */
#include "lib/hostlist.h"
#include "lib/strv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autofree char *text = fuzz_text(data, size), *back = NULL;
	vh_autostrv v = NULL;
	vh_autostrv again = NULL;
	vh_autoerr err = VH_ERR_NONE;

	if (vh_hostlist_parse(text, &v, &err) < 0) {
		FUZZ_ASSERT(err.text && !v && !strchr(err.text, '\n'));
		return 0;
	}
	back = vh_hostlist_format(v);
	FUZZ_ASSERT(back && vh_hostlist_parse(back, &again, &err) == 0 && vh_strv_len(v) == vh_strv_len(again));
	for (size_t i = 0; v && v[i]; i++)
		FUZZ_ASSERT(!strcmp(v[i], again[i]) && *v[i] && *v[i] != '-' && !strpbrk(v[i], " \t\n/'\""));
	return 0;
}
