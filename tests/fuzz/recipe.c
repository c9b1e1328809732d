// SPDX-License-Identifier: Apache-2.0
/* The image recipe, and the package list made of it. */
#include "images/recipe/recipe.h"
#include "lib/strv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autorecipe recipe = { 0 };
	vh_autoroot host = NULL;
	vh_autostrv packages = NULL;
	json_t *json;

	if (vh_root_open(&host, NULL, &err) < 0 ||
	    vh_recipe_parse("fuzz", (const char *)data, size, host, &recipe, &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	FUZZ_ASSERT(recipe.suite != VH_SUITE_HOST);
	packages = vh_recipe_packages(&recipe);
	for (char **p = packages; p && *p; p++)
		FUZZ_ASSERT(**p && **p != '-' && !strpbrk(*p, " \n\t/'\"$"));
	json = vh_recipe_json(&recipe);
	FUZZ_ASSERT(json);
	json_decref(json);
	return 0;
}
