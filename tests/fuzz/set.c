// SPDX-License-Identifier: Apache-2.0
/* The beginning of an image that is to be a set of data: the input's bytes each at the place that two before them say. */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/cluster/volume/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t head[SOURCE_HEAD];
	uint64_t len = 0;
	bool any;

	if (size < sizeof(len))
		return 0;
	memcpy(&len, data, sizeof(len));
	memset(head, 0, sizeof(head));
	for (data += sizeof(len), size -= sizeof(len); size >= 3; data += 3, size -= 3)
		head[data[0] | data[1] << 8] = data[2];
	any = !memcmp(head, "hsqs", 4) || !memcmp(head + 1080, "\x53\xef", 2) || !memcmp(head + 32769, "CD001", 5);
	/* Whatever is taken is one of these, and is there as a whole. */
	FUZZ_ASSERT(source_objection(head, len) || (any && len));
	FUZZ_ASSERT(source_objection(head, 0));
	return 0;
}
