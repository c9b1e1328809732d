// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/volume/qcow2.h"

#include <endian.h>
#include <string.h>

/* Of qcow2's header, QEMU's docs/interop/qcow2.txt; numbers are big-endian. */
struct header {
	char magic[4];
	uint32_t version;
	uint64_t backing_offset;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint8_t skipped[40];
	uint64_t incompatible;	/* of version 3 */
} __attribute__((packed));
_Static_assert(sizeof(struct header) == QCOW2_HEAD, "the header has no gaps");

/* Dirty and corrupt are QEMU's to mend. The others say that data are in another file, or in a form that we do not make. */
enum { BENIGN = 1 | 2 };

enum qcow2_is qcow2_judge(const uint8_t head[QCOW2_HEAD], uint64_t *ret_size)
{
	struct header h;

	memcpy(&h, head, sizeof(h));
	if (memcmp(h.magic, "QFI\xfb", sizeof(h.magic)) || be32toh(h.version) != 3)
		return QCOW2_NONE;
	*ret_size = be64toh(h.size);
	return h.backing_offset || be64toh(h.incompatible) & ~(uint64_t)BENIGN ? QCOW2_ELSEWHERE : QCOW2_PLAIN;
}
