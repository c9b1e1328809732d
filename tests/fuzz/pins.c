// SPDX-License-Identifier: Apache-2.0
/* A lock: what becomes names of files and arguments of apt. */
#include <string.h>
#include "images/packages/pins.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autopins pins = { 0 }, again = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	if (vh_pins_parse("lock", (const char *)data, size, &pins, &err) < 0) {
		FUZZ_ASSERT(err.text && err.exit == VH_EXIT_REFUSED && !pins.n);
		return 0;
	}
	for (size_t i = 0; i < pins.n; i++) {
		const struct vh_pin *p = &pins.items[i];
		FUZZ_ASSERT(!strpbrk(p->name, "/ \n=") && *p->name != '-' && *p->name != '.' && strlen(p->sha256) == 64);
		FUZZ_ASSERT(!strpbrk(p->version, "/ \n") && !strpbrk(p->arch, "/ \n"));
	}
	vh_autojson doc = vh_pins_json(&pins);
	vh_autofree char *text = doc ? json_dumps(doc, 0) : NULL;
	FUZZ_ASSERT(text && vh_pins_parse("lock", text, strlen(text), &again, &err) == 0 && again.n == pins.n);
	return 0;
}
