// SPDX-License-Identifier: Apache-2.0
/* The cluster manifest. */
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autoerr err = VH_ERR_NONE;
	struct manifest m = { 0 };

	if (vh_doc_parse("fuzz", (const char *)data, size, manifest_keys, &m, &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	FUZZ_ASSERT(vh_is_hostname(m.name) && m.pool.count && m.pool.vcpus && m.pool.memory);
	manifest_clear(&m);
	return 0;
}
