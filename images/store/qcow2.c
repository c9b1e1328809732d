// SPDX-License-Identifier: Apache-2.0
#include "images/store/qcow2.h"

/* Offsets in the header. */
enum {
	MAGIC = 0, VERSION = 4, BACKING_AT = 8, BACKING_LEN = 16, CLUSTER_BITS = 20, SIZE = 24, CRYPT = 32, SNAPSHOTS = 60,
	INCOMPATIBLE = 72, AUTOCLEAR = 88, HEADER_LEN = 100, LEAST = 104,
};

/* Kinds of extensions behind it: their end, and names of features, for messages. */
#define END 0u
#define FEATURE_NAMES 0x6803f857u
#define QFI 0x514649fbu

/* The one feature: compressed by zstd. */
enum { COMPRESSION = 1 << 3, LEAST_BITS = 9, MOST_BITS = 21 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* Those that we know say nothing of where data are. */
static const char *judge_extensions(const uint8_t *head, size_t len)
{
	size_t at = get32(head + HEADER_LEN);

	if (at < LEAST || at % 8)
		return "has a damaged header";
	while (at <= len && len - at >= 8) {
		uint32_t type = get32(head + at), n = get32(head + at + 4);

		if (type == END)
			return NULL;
		if (type != FEATURE_NAMES)
			return "has an extension that a published disk has not";
		at += 8 + ((size_t)n + 7) / 8 * 8;
	}
	return "has a damaged header";
}

const char *vh_qcow2_objection(const uint8_t *head, size_t len, uint64_t size)
{
	if (len < LEAST || get32(head + MAGIC) != QFI)
		return "is no qcow2";
	if (get32(head + VERSION) != 3)
		return "is of another version of qcow2";
	if (get64(head + BACKING_AT) || get32(head + BACKING_LEN))
		return "has a backing file";
	if (get32(head + CRYPT))
		return "is encrypted";
	if (get32(head + SNAPSHOTS))
		return "has snapshots";
	if ((get64(head + INCOMPATIBLE) & ~(uint64_t)COMPRESSION) || get64(head + AUTOCLEAR))
		return "is not of plain clusters (an external data file, or another feature)";
	if (get32(head + CLUSTER_BITS) < LEAST_BITS || get32(head + CLUSTER_BITS) > MOST_BITS)
		return "has a damaged header";
	if (get64(head + SIZE) != size)
		return "is not of the size that image.json says";
	return judge_extensions(head, len);
}
