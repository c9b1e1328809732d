// SPDX-License-Identifier: Apache-2.0
/* A partition table of a disk that has grown, as the init of the image reads it: the input's bytes over a
 * sound one (two for where, then what), with checksums that hold. */
#include <stdbool.h>
#include "images/guest/gpt.h"
#include "tests/fuzz/fuzz.h"

enum { MIB = 2048, DISK = 64 * MIB, ENTRIES = 128 * 128, HEADER_CRC = 512 + 16, ENTRIES_CRC = 512 + 88 };

static const struct vh_gpt_part parts[] = {
	{ VH_GPT_ESP, "00112233-4455-6677-8899-aabbccddeeff", "esp", MIB, 8 * MIB },
	{ VH_GPT_LINUX_ROOT, "10112233-4455-6677-8899-aabbccddeeff", "root", 9 * MIB, 54 * MIB },
};

static void put_crc(uint8_t *to, const uint8_t *data, size_t len)
{
	static uint32_t table[256];
	uint32_t crc = ~0u;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
	crc = ~crc;
	memcpy(to, &crc, 4);
}

static void sum(uint8_t *head)
{
	uint32_t len;

	put_crc(head + ENTRIES_CRC, head + 1024, ENTRIES);
	memcpy(&len, head + 512 + 12, 4);
	memset(head + HEADER_CRC, 0, 4);
	put_crc(head + HEADER_CRC, head + 512, len >= 92 && len <= 512 ? len : 92);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t made[VH_GPT_HEAD], head[VH_GPT_HEAD], tail[VH_GPT_TAIL];
	struct vh_gpt_grown grown = { 0 };
	uint64_t sectors = 0;

	if (size < 6)
		return 0;
	memcpy(&sectors, data, 4);
	if (!*(made + 512))
		vh_gpt_make(DISK, "20112233-4455-6677-8899-aabbccddeeff", parts, 2, made, tail);
	memcpy(head, made, sizeof head);
	for (data += 4, size -= 4; size >= 3; data += 3, size -= 3) {
		uint16_t at;
		memcpy(&at, data, 2);
		head[512 + at % (VH_GPT_HEAD - 512)] = data[2];
	}
	sum(head);
	if (vh_gpt_grow(sectors, head, tail, &grown) == 1) {
		FUZZ_ASSERT(grown.number >= 1 && grown.number <= 128 && grown.sectors);
		FUZZ_ASSERT(grown.first < sectors && grown.sectors <= sectors - grown.first);
		FUZZ_ASSERT(vh_gpt_grow(sectors, head, tail, &grown) == 0);
	}
	return 0;
}
