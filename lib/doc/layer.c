// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "lib/doc/doc.h"
#include "lib/strv.h"

/* A text that is there stays where it is; so does a free name, with the later value. */
static int lay_text(char ***under, const char *text, bool named)
{
	size_t n = named ? strcspn(text, "=") + 1 : strlen(text) + 1;

	for (char **u = *under; u && *u; u++) {
		if (strncmp(*u, text, n))
			continue;
		char *copy = strdup(text);
		if (!copy)
			return -ENOMEM;
		free(*u);
		*u = copy;
		return 0;
	}
	return vh_strv_push(under, text);
}

static int lay_strv(char ***under, char *const *over, bool named, struct vh_err *err)
{
	for (; over && *over; over++)
		if (lay_text(under, *over, named) < 0)
			return vh_err_nomem(err);
	return 0;
}

static int lay_list(const struct vh_key *key, struct vh_doc_list *under, struct vh_doc_list *over,
		    struct vh_err *err)
{
	size_t size = key->item_size;

	if (!over->n)
		return 0;
	char *items = realloc(under->items, (under->n + over->n) * size);
	if (!items)
		return vh_err_nomem(err);
	memcpy(items + under->n * size, over->items, over->n * size);
	under->items = items;
	under->n += over->n;
	free(over->items);
	*over = (struct vh_doc_list){ 0 };
	return 0;
}

static size_t scalar_size(enum vh_key_type type)
{
	switch (type) {
	case VH_KEY_BOOL:
		return sizeof(bool);
	case VH_KEY_ENUM:
		return sizeof(int);
	default:
		return sizeof(uint64_t);
	}
}

static int lay(const struct vh_key *key, void *under, void *over, struct vh_err *err)
{
	void *u = (char *)under + key->offset, *o = (char *)over + key->offset;

	switch (key->type) {
	case VH_KEY_STR:
		vh_doc_empty(key, under);
		*(char **)u = *(char **)o;
		*(char **)o = NULL;
		return 0;
	case VH_KEY_STRV:
	case VH_KEY_STRMAP:
		return lay_strv(u, *(char ***)o, key->type == VH_KEY_STRMAP, err);
	case VH_KEY_LIST:
		return lay_list(key, u, o, err);
	case VH_KEY_MAP:
		return vh_err_set(err, EINVAL, "%s: a map cannot be laid over another", key->name);
	default:
		memcpy(u, o, scalar_size(key->type));
		return 0;
	}
}

int vh_doc_lay(const struct vh_key *keys, void *under, void *over, uint64_t given, struct vh_err *err)
{
	int r = 0;

	for (const struct vh_key *key = keys; r == 0 && key->name; key++)
		if (given & 1ULL << (key - keys))
			r = lay(key, under, over, err);
	vh_doc_free(keys, over);
	return r;
}
