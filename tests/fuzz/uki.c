// SPDX-License-Identifier: Apache-2.0
/* An EFI stub, as a stranger's image brings it, and the unified kernel image made of it. */
#include "images/disk/uki.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct vh_uki_section sections[] = { { ".cmdline", "root=/dev/vda", 13 }, { ".linux", "kernel", 6 }, { ".initrd", "", 0 } };
	vh_autofree char *uki = NULL, *again = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len = 0, more = 0;
	bool stub = vh_uki_is_stub(data, size);
	int r = vh_uki_make(data, size, sections, 3, &uki, &len, &err);

	FUZZ_ASSERT(stub == (r == 0));
	FUZZ_ASSERT(r == 0 ? len >= size && !memcmp(uki, data, 0x3c) : err.text != NULL);
	/* What was made may be one again; reading it stays inside too. */
	if (r == 0 && vh_uki_make(uki, len, sections, 1, &again, &more, &err) == 0)
		FUZZ_ASSERT(more > len);
	return 0;
}
