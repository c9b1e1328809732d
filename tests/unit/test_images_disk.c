// SPDX-License-Identifier: Apache-2.0
/* Partition tables made and grown, and unified kernel images. */
#include <errno.h>
#include <string.h>
#include "images/guest/gpt.h"
#include "images/disk/uki.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

enum { MIB_SECTORS = 2048, DISK = 64 * MIB_SECTORS };

static const struct vh_gpt_part parts[] = {
	{ VH_GPT_ESP, "00112233-4455-6677-8899-aabbccddeeff", "esp", MIB_SECTORS, 8 * MIB_SECTORS },
	{ VH_GPT_LINUX_ROOT, "10112233-4455-6677-8899-aabbccddeeff", "root", 9 * MIB_SECTORS, 54 * MIB_SECTORS },
};

static void make(uint8_t *head, uint8_t *tail)
{
	vh_gpt_make(DISK, "20112233-4455-6677-8899-aabbccddeeff", parts, 2, head, tail);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
	return v;
}

START_TEST(table_is_as_the_standard_has_it)
{
	static uint8_t head[VH_GPT_HEAD], tail[VH_GPT_TAIL];
	static const uint8_t esp[] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };

	make(head, tail);
	ck_assert_mem_eq(head + 512, "EFI PART", 8);
	ck_assert_mem_eq(head + 510, "\x55\xaa", 2);
	ck_assert_uint_eq(head[446 + 4], 0xee);
	ck_assert_mem_eq(head + 1024, esp, sizeof esp);
	ck_assert_mem_eq(head + 1024 + 16, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99", 10);
	ck_assert_uint_eq(get64(head + 1024 + 128 + 32), 9 * MIB_SECTORS);
	ck_assert_uint_eq(get64(head + 1024 + 128 + 40), 63 * MIB_SECTORS - 1);
	ck_assert_uint_eq(get64(head + 512 + 32), DISK - 1);
	ck_assert_uint_eq(get64(tail + VH_GPT_TAIL - 512 + 24), DISK - 1);
	ck_assert_uint_eq(get64(tail + VH_GPT_TAIL - 512 + 72), DISK - 33);
	ck_assert_mem_eq(head + 1024, tail, 256);
}
END_TEST

START_TEST(last_partition_grows_with_the_disk)
{
	static uint8_t head[VH_GPT_HEAD], tail[VH_GPT_TAIL], made[VH_GPT_HEAD];
	struct vh_gpt_grown grown = { 0 };

	make(head, tail);
	memcpy(made, head, sizeof made);
	ck_assert_int_eq(vh_gpt_grow(DISK, head, tail, &grown), 0);
	ck_assert_int_eq(vh_gpt_grow(DISK / 2, head, tail, &grown), 0);
	ck_assert_mem_eq(head, made, sizeof made);
	ck_assert_int_eq(vh_gpt_grow(2 * DISK + 7, head, tail, &grown), 1);
	ck_assert_uint_eq(grown.number, 2);
	ck_assert_uint_eq(grown.first, 9 * MIB_SECTORS);
	ck_assert_uint_eq(grown.first + grown.sectors, 127 * MIB_SECTORS);
	ck_assert_uint_eq(get64(head + 512 + 32), 2 * DISK + 6);
	ck_assert_mem_eq(head + 1024, made + 1024, 128);
	ck_assert_int_eq(vh_gpt_grow(2 * DISK + 7, head, tail, &grown), 0);
}
END_TEST

START_TEST(what_is_no_table_is_left_alone)
{
	static uint8_t head[VH_GPT_HEAD], tail[VH_GPT_TAIL], made[VH_GPT_HEAD];
	struct vh_gpt_grown grown = { 0 };

	ck_assert_int_eq(vh_gpt_grow(2 * DISK, head, tail, &grown), -1);
	make(head, tail);
	/* Any byte of header or entries that differs. */
	for (size_t at = 512; at < VH_GPT_HEAD; at += at < 604 ? 1 : 97) {
		if (at >= 604 && at < 1024)
			continue;
		memcpy(made, head, sizeof made);
		made[at] ^= 1;
		ck_assert_msg(vh_gpt_grow(2 * DISK, made, tail, &grown) == -1, "byte %zu", at);
	}
}
END_TEST

/* The headers of a PE32+ file with one section and room for two more. */
static size_t make_stub(char *stub)
{
	static const struct { size_t at; uint32_t v; } words[] = {
		{ 0x3c, 0x40 }, { 0x40, 0x4550 }, { 0x44, 0x8664 }, { 0x58 + 32, 0x1000 }, { 0x58 + 36, 0x200 },
		{ 0x58 + 56, 0x2000 }, { 0x58 + 60, 0x200 },
	};
	memset(stub, 0, 0x400);
	memcpy(stub, "MZ", 2);
	for (size_t i = 0; i < vh_array_len(words); i++)
		memcpy(stub + words[i].at, &words[i].v, 4);
	stub[0x46] = 8;
	stub[0x40 + 20] = (char)0xf0 - 64;
	memcpy(stub + 0x58, "\x0b\x02", 2);
	return 0x3f0;
}

START_TEST(sections_are_put_behind_those_of_the_stub)
{
	char stub[0x400];
	size_t n = make_stub(stub), len = 0;
	vh_autofree char *uki = NULL, *none = NULL;
	vh_autoerr err = VH_ERR_NONE;
	const struct vh_uki_section sections[] = { { ".cmdline", "root=/x", 7 } };
	uint32_t v;

	stub[0x46] = 1;
	ck_assert_msg(vh_uki_make(stub, n, sections, 1, &uki, &len, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(len, 0x600);
	ck_assert_int_eq(uki[0x46], 2);
	ck_assert_mem_eq(uki + 0x400, "root=/x", 8);
	size_t header = 0x58 + (unsigned char)stub[0x54] + 40;
	ck_assert_mem_eq(uki + header, ".cmdline", 8);
	memcpy(&v, uki + header + 12, 4);
	ck_assert_uint_eq(v, 0x2000);
	memcpy(&v, uki + 0x58 + 56, 4);
	ck_assert_uint_eq(v, 0x3000);
	stub[0x46] = 20;
	ck_assert_int_eq(vh_uki_make(stub, n, sections, 1, &none, &len, &err), -EBADMSG);
	ck_assert_int_eq(vh_uki_make("MZ", 2, sections, 1, &none, &len, &err), -EBADMSG);
	stub[0x3c] = 0x7f;
	ck_assert_int_eq(vh_uki_make(stub, n, sections, 1, &none, &len, &err), -EBADMSG);
}
END_TEST

UNIT_SUITE(images_disk, table_is_as_the_standard_has_it, last_partition_grows_with_the_disk,
	   what_is_no_table_is_left_alone, sections_are_put_behind_those_of_the_stub)
