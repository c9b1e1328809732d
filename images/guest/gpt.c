// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "images/guest/gpt.h"

#define SIGNATURE 0x5452415020494645ULL		/* "EFI PART" */

enum { HEADER = VH_GPT_SECTOR, ENTRIES = 2 * VH_GPT_SECTOR, N_ENTRIES = 128, ENTRY_SIZE = 128, HEADER_SIZE = 92,
       TABLE_SIZE = N_ENTRIES * ENTRY_SIZE, TAIL_SECTORS = VH_GPT_TAIL / VH_GPT_SECTOR, NAME_MAX_UNITS = 36 };

struct header {
	uint64_t signature;
	uint32_t revision, size, crc, reserved;
	uint64_t own, other, first_usable, last_usable;
	uint8_t disk[16];
	uint64_t entries;
	uint32_t n_entries, entry_size, entries_crc;
} __attribute__((packed));

struct entry {
	uint8_t type[16], id[16];
	uint64_t first, last, attributes;
	uint16_t name[NAME_MAX_UNITS];
} __attribute__((packed));

/* CRC-32 as zlib has it. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* The first three groups of a GUID are stored with the lowest byte first. */
static void put_guid(uint8_t to[16], const char *uuid)
{
	static const uint8_t place[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	char hex[3] = "";

	for (int i = 0; i < 16 && uuid[0] && uuid[1]; uuid += 2) {
		if (*uuid == '-')
			uuid++;
		memcpy(hex, uuid, 2);
		to[place[i++]] = (uint8_t)strtoul(hex, NULL, 16);
	}
}

static void put_entry(struct entry *e, const struct vh_gpt_part *part)
{
	static const char *const types[] = {
		[VH_GPT_ESP] = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
		[VH_GPT_LINUX_ROOT] = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",	/* x86-64 */
	};

	put_guid(e->type, types[part->type]);
	put_guid(e->id, part->uuid);
	e->first = htole64(part->first);
	e->last = htole64(part->first + part->sectors - 1);
	for (size_t i = 0; part->name[i] && i < NAME_MAX_UNITS - 1; i++)
		e->name[i] = htole16((uint8_t)part->name[i]);
}

/* One partition that covers the disk, so that tools without GPT keep off. */
static void put_mbr(uint8_t *mbr, uint64_t sectors)
{
	uint32_t first = htole32(1), size = htole32(sectors - 1 > UINT32_MAX ? UINT32_MAX : (uint32_t)(sectors - 1));
	uint8_t *part = mbr + 446;

	memcpy(part, "\0\0\2\0\xee\xff\xff\xff", 8);
	memcpy(part + 8, &first, 4);
	memcpy(part + 12, &size, 4);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
}

static void seal(struct header *h)
{
	h->crc = 0;
	h->crc = htole32(crc32((const uint8_t *)h, HEADER_SIZE));
}

/* Both headers for a disk of this size; entries and disk id stand in head. */
static void put_headers(uint64_t sectors, uint8_t *head, uint8_t *tail)
{
	struct header *h = (struct header *)(head + HEADER), *backup = (struct header *)(tail + TABLE_SIZE);

	h->own = htole64(1);
	h->other = htole64(sectors - 1);
	h->last_usable = htole64(sectors - TAIL_SECTORS - 1);
	h->entries = htole64(2);
	h->entries_crc = htole32(crc32(head + ENTRIES, TABLE_SIZE));
	memset(tail, 0, VH_GPT_TAIL);
	memcpy(tail, head + ENTRIES, TABLE_SIZE);
	*backup = *h;
	backup->own = h->other;
	backup->other = h->own;
	backup->entries = htole64(sectors - TAIL_SECTORS);
	seal(h);
	seal(backup);
}

void vh_gpt_make(uint64_t sectors, const char *disk_uuid, const struct vh_gpt_part *parts, size_t n,
		 uint8_t head[VH_GPT_HEAD], uint8_t tail[VH_GPT_TAIL])
{
	struct header *h = (struct header *)(head + HEADER);

	memset(head, 0, VH_GPT_HEAD);
	put_mbr(head, sectors);
	h->signature = htole64(SIGNATURE);
	h->revision = htole32(0x10000);
	h->size = htole32(HEADER_SIZE);
	h->first_usable = htole64(VH_GPT_HEAD / VH_GPT_SECTOR);
	h->n_entries = htole32(N_ENTRIES);
	h->entry_size = htole32(ENTRY_SIZE);
	put_guid(h->disk, disk_uuid);
	for (size_t i = 0; i < n; i++)
		put_entry((struct entry *)(head + ENTRIES) + i, &parts[i]);
	put_headers(sectors, head, tail);
}

/* Only tables of the usual layout are touched. */
static bool sound(const uint8_t *head)
{
	struct header h;

	memcpy(&h, head + HEADER, sizeof h);
	uint32_t crc = le32toh(h.crc);
	if (le64toh(h.signature) != SIGNATURE || le32toh(h.size) != HEADER_SIZE || le64toh(h.own) != 1 ||
	    le64toh(h.entries) != 2 || le32toh(h.n_entries) != N_ENTRIES || le32toh(h.entry_size) != ENTRY_SIZE)
		return false;
	h.crc = 0;
	return crc32((const uint8_t *)&h, HEADER_SIZE) == crc &&
	       crc32(head + ENTRIES, TABLE_SIZE) == le32toh(h.entries_crc);
}

static struct entry *last_partition(uint8_t *head)
{
	static const uint8_t unused[16];
	struct entry *e = (struct entry *)(head + ENTRIES), *last = NULL;

	for (int i = 0; i < N_ENTRIES; i++)
		if (memcmp(e[i].type, unused, sizeof unused) && (!last || le64toh(e[i].first) > le64toh(last->first)))
			last = &e[i];
	return last;
}

int vh_gpt_grow(uint64_t sectors, uint8_t head[VH_GPT_HEAD], uint8_t tail[VH_GPT_TAIL], struct vh_gpt_grown *ret)
{
	const struct header *h = (const struct header *)(head + HEADER);
	struct entry *last;

	if (!sound(head) || sectors < 2 * VH_GPT_ALIGN)
		return -1;
	last = last_partition(head);
	/* The end of the last whole MiB that leaves the table its place. */
	uint64_t end = (sectors - TAIL_SECTORS) / VH_GPT_ALIGN * VH_GPT_ALIGN;
	if (!last || le64toh(h->other) >= sectors - 1 || le64toh(last->last) >= end || le64toh(last->first) >= end ||
	    le64toh(last->last) < le64toh(last->first))
		return 0;
	last->last = htole64(end - 1);
	put_mbr(head, sectors);
	put_headers(sectors, head, tail);
	ret->number = (unsigned)(last - (struct entry *)(head + ENTRIES)) + 1;
	ret->first = le64toh(last->first);
	ret->sectors = end - ret->first;
	return 1;
}
