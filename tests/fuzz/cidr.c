// SPDX-License-Identifier: Apache-2.0
/* IPv4 networks. */
#include "lib/cidr.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), back[19], host[16];
	vh_autoerr err = VH_ERR_NONE;
	struct vh_cidr net, again;

	if (vh_cidr_parse(text, &net, &err) == 0) {
		FUZZ_ASSERT(net.prefix >= 8 && net.prefix <= 30);
		FUZZ_ASSERT(vh_cidr_parse(vh_cidr_format(&net, back), &again, &err) == 0);
		FUZZ_ASSERT(again.base == net.base && again.prefix == net.prefix);
		FUZZ_ASSERT(vh_cidr_overlap(&net, &again) && vh_cidr_hosts(&net) >= 2);
		FUZZ_ASSERT(strlen(vh_cidr_host(&net, vh_cidr_hosts(&net), host)) >= 7);
	}
	free(text);
	return 0;
}
