// SPDX-License-Identifier: Apache-2.0
/* The XML of a domain that somebody else made, as vhpc cluster import reads it. */
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"
#include "vmm/domain/domain.h"

static const unsigned cpus[] = { 0, 1, 5, 9 }, nodes[] = { 0, 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t n_nodes = 1; n_nodes <= 2; n_nodes++) {
		const struct vh_foreign_host host = { cpus, nodes, 4, n_nodes };
		struct vh_foreign f = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		if (vh_foreign_parse((const char *)data, size, &host, &f, &err) < 0) {
			FUZZ_ASSERT(err.text != NULL && !f.name);
			continue;
		}
		FUZZ_ASSERT(f.layout && f.uuid && vh_is_hostname(f.name));
		vh_foreign_clear(&f);
	}
	return 0;
}
