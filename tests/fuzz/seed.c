// SPDX-License-Identifier: Apache-2.0
/* Seeds and disk labels, as the program in the image reads them: the files of a seed divided
 * by form feeds. What comes out is an identity that the parser takes, or refuses by a reason. */
#include <stdlib.h>
#include <string.h>
#include "images/guest/identity_parse.h"
#include "images/guest/seed.h"
#include "images/guest/seed_find.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text)
{
	struct vh_identity id;
	char why[200] = "";

	FUZZ_ASSERT(text && !strncmp(text + strlen(text) - 1, "\n", 1));
	if (vh_identity_parse(text, strlen(text), &id, why, sizeof(why)) == 0)
		vh_identity_clear(&id);
	else
		FUZZ_ASSERT(*why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = calloc(1, size + 1), *part[5] = { 0 }, *save = NULL, *text = NULL, *skipped = NULL, why[200] = "";
	const char *type;
	size_t n = 0;

	vh_seed_label(data, size, &type);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	for (char *p = strtok_r(copy, "\f", &save); p && n < 5; p = strtok_r(NULL, "\f", &save))
		part[n++] = p;
	for (int drive = 0; drive < 2; drive++) {
		const struct vh_seed seed = { .meta_data = drive ? NULL : part[0], .user_data = part[1], .network_config = part[2],
					      .meta_data_json = drive ? part[0] : NULL, .network_data_json = part[2] };
		if (vh_seed_text(&seed, &text, &skipped, why, sizeof(why)) < 0) {
			FUZZ_ASSERT(*why);
			continue;
		}
		check_text(text);
		free(text);
		free(skipped);
	}
	free(copy);
	return 0;
}
