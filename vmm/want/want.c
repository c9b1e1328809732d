// SPDX-License-Identifier: Apache-2.0
#include "vmm/want/want.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"
#include "vmm/want/nova.h"
#include "vmm/want/read.h"

enum { DEFAULT_MEMORY = 1 << 30 };

#define KEY(member, kind, read, write, option, arg, short_help, more, x) \
	{ .name = #member, .type = VH_KEY_##kind, .offset = offsetof(struct vh_want_text, member), \
	  .check_key = vh_want_check_value, .help = more },
#define FILE_KEY(member, kind, more, x) \
	{ .name = #member, .type = VH_KEY_##kind, .offset = offsetof(struct vh_want_text, member), .help = more },

const struct vh_key vh_want_keys[] = { VH_WANT_KEYS(KEY, KEY, FILE_KEY, ) { 0 } };

int vh_want_load(const char *path, struct vh_want_text *ret, struct vh_err *err)
{
	return vh_doc_load(path, vh_want_keys, ret, err);
}

int vh_want_parse(const char *name, const char *text, size_t len, struct vh_want_text *ret, struct vh_err *err)
{
	return vh_doc_parse(name, text, len, vh_want_keys, ret, err);
}

void vh_want_text_free(struct vh_want_text *text)
{
	vh_doc_free(vh_want_keys, text);
}

/* What the key's member holds: a text, else a strv. */
static char **text_of(const struct vh_key *key, const struct vh_want_text *text)
{
	return (char **)((char *)text + key->offset);
}

static char ***list_of(const struct vh_key *key, const struct vh_want_text *text)
{
	return (char ***)((char *)text + key->offset);
}

static int overlay_list(char ***under, char *const *over)
{
	vh_autostrv copy = NULL;

	for (; *over; over++)
		if (vh_strv_push(&copy, *over) < 0)
			return -ENOMEM;
	vh_strv_free(*under);
	*under = vh_steal(&copy);
	return 0;
}

static int overlay_text(char **under, const char *over)
{
	char *copy = strdup(over);

	if (!copy)
		return -ENOMEM;
	free(*under);
	*under = copy;
	return 0;
}

int vh_want_overlay(struct vh_want_text *under, const struct vh_want_text *over, struct vh_err *err)
{
	int r = 0;

	for (const struct vh_key *key = vh_want_keys; r == 0 && key->name; key++)
		if (key->type == VH_KEY_STR)
			r = *text_of(key, over) ? overlay_text(text_of(key, under), *text_of(key, over)) : 0;
		else if (*list_of(key, over))
			r = overlay_list(list_of(key, under), *list_of(key, over));
	return r < 0 ? vh_err_nomem(err) : 0;
}

bool vh_want_says_more(const struct vh_want_text *text)
{
	bool more = false;

	for (const struct vh_key *key = vh_want_keys; key->name; key++)
		more |= key->offset != offsetof(struct vh_want_text, name) &&
			(key->type == VH_KEY_STR ? *text_of(key, text) != NULL : *list_of(key, text) != NULL);
	return more;
}

int vh_want_read(const struct vh_want_text *given, struct vh_want *ret, struct vh_err *err)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text text = { 0 };
	struct vh_want want = { .name = "vm", .vcpus = 1, .memory = DEFAULT_MEMORY, .page = VH_PAGE_SMALL, .vms = 1 };
	struct vh_want_reading in = { .text = &text, .want = &want };
	int r = vh_want_read_flavor(given, &text, err);

	memset(in.sets.cell, VH_WANT_NO_CELL, sizeof(in.sets.cell));
	if (r == 0)
		r = vh_want_overlay(&text, given, err);
	if (r == 0)
		r = vh_want_read_keys(&in, err);
	if (r == 0)
		r = vh_want_settle(&in, err);
	if (r == 0)
		r = vh_want_check(&want, err);
	if (r == 0)
		*ret = want;
	return r;
}
