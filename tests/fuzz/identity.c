// SPDX-License-Identifier: Apache-2.0
/* A node's identity, as the program in the image reads it. */
#include "images/guest/identity_parse.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vh_identity id = { 0 };
	char why[200] = "";

	if (vh_identity_parse((const char *)data, size, &id, why, sizeof(why)) < 0) {
		FUZZ_ASSERT(*why && !id.nics && !id.hosts && !id.authorized && !id.hostkey);
		return 0;
	}
	FUZZ_ASSERT(*id.hostname && id.n_nics <= VH_ID_NICS_MAX && id.n_authorized <= VH_ID_KEYS_MAX);
	for (size_t i = 0; i < id.n_nics; i++)
		FUZZ_ASSERT(id.nics[i].prefix >= 1 && id.nics[i].prefix <= 32 && !strpbrk(id.nics[i].name, "/ \n"));
	for (size_t i = 0; i < id.n_authorized; i++)
		FUZZ_ASSERT(!strchr(id.authorized[i], '\n'));
	vh_identity_clear(&id);
	return 0;
}
