// SPDX-License-Identifier: Apache-2.0
/* The cluster manifest. */
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/want/want.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autoerr err = VH_ERR_NONE;
	struct manifest m = { 0 };
	size_t n;

	if (manifest_parse("fuzz", (const char *)data, size, &m, &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	const struct pool *pools = manifest_pools(&m, &n);
	FUZZ_ASSERT(vh_is_hostname(m.name) && manifest_nodes(&m) <= POOL_NODES_MAX);
	for (size_t i = 0; i < n; i++) {
		struct vh_want want;

		FUZZ_ASSERT(pools[i].image && pools[i].count && !pools[i].name == !m.groups.n);
		FUZZ_ASSERT(pool_want(&pools[i], "n", &want, &err) == 0 && want.vcpus && want.memory);
	}
	manifest_clear(&m);
	return 0;
}
