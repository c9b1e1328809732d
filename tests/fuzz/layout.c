// SPDX-License-Identifier: Apache-2.0
/* A plan file's VM; of what is accepted domain, PCI tree and the guest's topologies are made. */
#include <errno.h>

#include "lib/json.h"
#include "tests/fuzz/fuzz.h"
#include "vmm/domain/domain.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

static void make(const struct vh_layout *layout, bool kvm)
{
	const struct vh_domain domain = { .name = "fuzz", .kernel = "/kernel", .kvm = kvm, .layout = layout };
	vh_autofree char *xml = NULL;
	vh_autoerr err = VH_ERR_NONE;

	FUZZ_ASSERT(vh_domain_xml(&domain, &xml, &err) == 0 || err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_cleanup(vh_layout_clear) struct vh_layout layout = { 0 };
	vh_autojson doc = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	vh_autofree char *hwloc = NULL, *nccl = NULL;
	vh_autoerr err = VH_ERR_NONE;

	if (!doc)
		return 0;
	if (vh_layout_from_json(doc, &layout, &err) < 0) {
		FUZZ_ASSERT(err.text);
		return 0;
	}
	make(&layout, true);
	make(&layout, false);
	FUZZ_ASSERT(vh_guest_hwloc(&layout, &hwloc) == 0 || !hwloc);
	FUZZ_ASSERT(vh_guest_nccl(&layout, &nccl) == 0 || !nccl);
	return 0;
}
