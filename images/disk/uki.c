// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "images/disk/uki.h"
#include "lib/cleanup.h"

/* Offsets of the PE format (Microsoft's specification), from the PE signature on. */
enum {
	LFANEW = 0x3c, MACHINE = 4, N_SECTIONS = 6, OPTIONAL_SIZE = 20, OPTIONAL = 24,
	/* in the optional header, PE32+ */
	INIT_SIZE = 8, SECTION_ALIGN = 32, FILE_ALIGN = 36, IMAGE_SIZE = 56, HEADERS_SIZE = 60, OPTIONAL_MIN = 112,
	/* of a section */
	SECTION_HEADER = 40, VIRTUAL_SIZE = 8, ADDRESS = 12, RAW_SIZE = 16, RAW_AT = 20, FLAGS = 36,
	READ_DATA = 0x40000040,	/* initialised, readable */
};
#define PE32_PLUS 0x20b
#define X86_64 0x8664

/* Kernel, initrd and command line. */
enum { UKI_SECTIONS = 3, FILE_ALIGN_MAX = 1 << 16, SECTION_ALIGN_MAX = 1 << 21, IMAGE_MAX = 1 << 30 };

struct pe {
	char *data;
	size_t len;
	size_t pe, table;	/* where signature and section table begin */
	uint32_t file_align, section_align;
};

static uint16_t get16(const char *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static uint32_t get32(const char *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static void put16(char *p, uint16_t v) { memcpy(p, &v, 2); }
static void put32(char *p, uint32_t v) { memcpy(p, &v, 4); }

static uint64_t align(uint64_t v, uint32_t to) { return (v + to - 1) / to * to; }

static bool is_alignment(uint32_t v, uint32_t most) { return v && v <= most && !(v & (v - 1)); }

static int open_stub(const char *stub, size_t len, struct pe *ret)
{
	const char *optional;

	if (len < 0x40 || memcmp(stub, "MZ", 2))
		return -EBADMSG;
	ret->pe = get32(stub + LFANEW);
	if (ret->pe > len || len - ret->pe < OPTIONAL + OPTIONAL_MIN || memcmp(stub + ret->pe, "PE\0\0", 4))
		return -EBADMSG;
	optional = stub + ret->pe + OPTIONAL;
	if (get16(stub + ret->pe + MACHINE) != X86_64 || get16(optional) != PE32_PLUS ||
	    get16(stub + ret->pe + OPTIONAL_SIZE) < OPTIONAL_MIN)
		return -EBADMSG;
	ret->table = ret->pe + OPTIONAL + get16(stub + ret->pe + OPTIONAL_SIZE);
	ret->section_align = get32(optional + SECTION_ALIGN);
	ret->file_align = get32(optional + FILE_ALIGN);
	return is_alignment(ret->section_align, SECTION_ALIGN_MAX) && is_alignment(ret->file_align, FILE_ALIGN_MAX) &&
	       get32(optional + IMAGE_SIZE) <= IMAGE_MAX ? 0 : -EBADMSG;
}

/* The headers of all sections lie in the file, where headers may, and before the first one's contents. */
static bool has_room(const struct pe *pe, const char *stub, size_t len, size_t more)
{
	size_t n = get16(stub + pe->pe + N_SECTIONS), end = pe->table + (n + more) * SECTION_HEADER;

	if (n + more > UINT16_MAX || end > len || end > get32(stub + pe->pe + OPTIONAL + HEADERS_SIZE))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *header = stub + pe->table + i * SECTION_HEADER;
		uint64_t at = get32(header + RAW_AT), size = get32(header + RAW_SIZE);
		if (size && (at < end || at + size > align(len, pe->file_align)))
			return false;
	}
	return true;
}

bool vh_uki_is_stub(const void *stub, size_t stub_len)
{
	struct pe pe = { 0 };

	return open_stub(stub, stub_len, &pe) == 0 && has_room(&pe, stub, stub_len, UKI_SECTIONS);
}

static void add_section(struct pe *pe, const struct vh_uki_section *s)
{
	char *optional = pe->data + pe->pe + OPTIONAL, *count = pe->data + pe->pe + N_SECTIONS;
	char *header = pe->data + pe->table + get16(count) * SECTION_HEADER;
	uint64_t raw = align(s->len, pe->file_align), address = align(get32(optional + IMAGE_SIZE), pe->section_align);

	memset(header, 0, SECTION_HEADER);
	memcpy(header, s->name, strnlen(s->name, 8));
	put32(header + VIRTUAL_SIZE, (uint32_t)s->len);
	put32(header + ADDRESS, (uint32_t)address);
	put32(header + RAW_SIZE, (uint32_t)raw);
	put32(header + RAW_AT, (uint32_t)pe->len);
	put32(header + FLAGS, READ_DATA);
	memcpy(pe->data + pe->len, s->data, s->len);
	pe->len += raw;
	put16(count, (uint16_t)(get16(count) + 1));
	put32(optional + IMAGE_SIZE, (uint32_t)align(address + s->len, pe->section_align));
	put32(optional + INIT_SIZE, get32(optional + INIT_SIZE) + (uint32_t)raw);
}

int vh_uki_make(const void *stub, size_t stub_len, const struct vh_uki_section *sections, size_t n,
		char **ret, size_t *ret_len, struct vh_err *err)
{
	struct pe pe = { 0 };

	if (open_stub(stub, stub_len, &pe) < 0 || !has_room(&pe, stub, stub_len, n))
		return vh_err_set(err, EBADMSG, "EFI stub: is no PE file for x86-64 with room for %zu sections", n);
	uint64_t total = align(stub_len, pe.file_align);
	for (size_t i = 0; i < n && total <= INT32_MAX; i++)
		total += align(sections[i].len, pe.file_align);
	if (total > INT32_MAX)
		return vh_err_set(err, EFBIG, "kernel and initrd: are too large for one EFI program");
	pe.data = calloc(1, total);
	if (!pe.data)
		return vh_err_nomem(err);
	memcpy(pe.data, stub, stub_len);
	pe.len = align(stub_len, pe.file_align);
	for (size_t i = 0; i < n; i++)
		add_section(&pe, &sections[i]);
	*ret = pe.data;
	*ret_len = pe.len;
	return 0;
}
