// SPDX-License-Identifier: Apache-2.0
/* The partition table (GPT, UEFI 2.10 chapter 5) of a disk with 512-byte sectors: made by
 * the builder on the host, grown with the disk by the init of the image. Pure: memory in,
 * memory out. */
#ifndef VH_GPT_H
#define VH_GPT_H

#include <stddef.h>
#include <stdint.h>

enum {
	VH_GPT_SECTOR = 512,
	VH_GPT_ALIGN = 2048,			/* sectors: partitions start on a MiB */
	VH_GPT_HEAD = 34 * VH_GPT_SECTOR,	/* bytes: protective MBR, header, 128 entries */
	VH_GPT_TAIL = 33 * VH_GPT_SECTOR,	/* bytes: entries, header; the last of the disk */
};

enum vh_gpt_type { VH_GPT_ESP, VH_GPT_LINUX_ROOT };

struct vh_gpt_part {
	enum vh_gpt_type type;
	const char *uuid;		/* "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" */
	const char *name;		/* ASCII, at most 35 */
	uint64_t first, sectors;
};

/* Both copies of a table; sectors is the disk's size. Without overflow checks: the caller's
 * partitions lie within the disk. */
void vh_gpt_make(uint64_t sectors, const char *disk_uuid, const struct vh_gpt_part *parts, size_t n,
		 uint8_t head[VH_GPT_HEAD], uint8_t tail[VH_GPT_TAIL]);

struct vh_gpt_grown {
	unsigned number;		/* of the partition, from 1 */
	uint64_t first, sectors;	/* as it is now */
};

/* The disk has become larger: the table's end goes to its end, and its last partition takes
 * what lies behind it. 1: head and tail are to be written, the tail first; 0: there is
 * nothing to grow; -1: head is no sound table. head is untrusted. */
int vh_gpt_grow(uint64_t sectors, uint8_t head[VH_GPT_HEAD], uint8_t tail[VH_GPT_TAIL],
		struct vh_gpt_grown *ret);

#endif
