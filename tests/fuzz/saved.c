// SPDX-License-Identifier: Apache-2.0
/* A plan that was saved. */
#include "lib/json.h"
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autojson doc = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	vh_autoerr err = VH_ERR_NONE;
	autosaved s = { 0 };

	if (saved_from_json("fuzz", doc, &s, &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED && !s.plan && !s.manifest);
		return 0;
	}
	FUZZ_ASSERT(vh_is_hostname(s.manifest->name) && json_is_object(s.plan) && json_is_array(s.steps) && json_is_object(s.data));
	return 0;
}
