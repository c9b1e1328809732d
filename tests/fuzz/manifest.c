// SPDX-License-Identifier: Apache-2.0
/* The cluster manifest. */
#include <string.h>

#include "lib/values.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/want/want.h"

/* They become words of a shell, of fstab and of paths. */
static void check_volumes(const struct manifest *m)
{
	const struct volume *v = m->volumes.items;

	for (size_t i = 0; i < m->volumes.n; i++) {
		FUZZ_ASSERT(vh_is_hostname(v[i].name) && strlen(v[i].name) <= 16 && !v[i].size == (v[i].kind == VOLUME_DATA));
		FUZZ_ASSERT(!v[i].from == (v[i].kind != VOLUME_DATA) && (!v[i].from || (*v[i].from == '/' && !strstr(v[i].from, "/../"))));
		FUZZ_ASSERT(*v[i].mount == '/' && !strpbrk(v[i].mount, " \t\n\\\"'#;&|$`,:*?(){}<>!~") && !strstr(v[i].mount, "/."));
	}
}

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
	check_volumes(&m);
	manifest_clear(&m);
	return 0;
}
