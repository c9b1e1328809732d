// SPDX-License-Identifier: Apache-2.0
/* The lease in a domain's XML, as the libvirt hook reads it. */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "vmm/domain/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vh_domain_lease lease = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	int r = vh_domain_lease_parse((const char *)data, size, &lease, &err);

	if (r < 0) {
		FUZZ_ASSERT(r == -ENODATA ? !err.text : err.text != NULL);
		return 0;
	}
	FUZZ_ASSERT(lease.holder && !lease.n_cpus == !lease.cpus);
	vh_domain_lease_clear(&lease);
	return 0;
}
