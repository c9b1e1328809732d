// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/missing.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"

#define TEXT(member, ...) { .name = #member, .type = VH_KEY_STR, .offset = offsetof(struct missing, member), __VA_ARGS__ }
#define NUMBER(member, ...) { .name = #member, .type = VH_KEY_UINT, .offset = offsetof(struct missing, member), __VA_ARGS__ }
/* Earlier releases had no numbers of it. */
const struct vh_key missing_keys[] = {
	TEXT(name, .required = true), TEXT(group), TEXT(why, .required = true),
	NUMBER(sockets, .dflt = "1", .min = 1, .max = UINT16_MAX), NUMBER(cores, .dflt = "1", .min = 1, .max = UINT16_MAX),
	NUMBER(threads, .dflt = "1", .min = 1, .max = UINT16_MAX), NUMBER(memory, .dflt = "0"), NUMBER(gpus, .dflt = "0", .max = UINT16_MAX),
	{ .name = NULL },
};
#undef NUMBER
#undef TEXT

/* A guest's console and ssh have their say in it: any bytes. malloc'd. */
static char *plain(const char *why)
{
	char *text = strdup(why);

	for (char *s = text; s && *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
	return text;
}

static void one_clear(struct missing *m)
{
	free(m->name);
	free(m->group);
	free(m->why);
}

int missing_add(struct vh_doc_list *l, const struct missing *m)
{
	struct missing *items = reallocarray(l->items, l->n + 1, sizeof(*items));
	struct missing copy = *m;

	copy.name = strdup(m->name);
	copy.group = m->group ? strdup(m->group) : NULL;
	copy.why = plain(m->why);
	if (items)
		l->items = items;
	if (!items || !copy.name || !copy.why || !m->group != !copy.group) {
		one_clear(&copy);
		return -ENOMEM;
	}
	items[l->n++] = copy;
	return 0;
}

int missing_copy(const struct vh_doc_list *l, struct vh_doc_list *ret, struct vh_err *err)
{
	const struct missing *m = l->items;
	struct vh_doc_list copy = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = missing_add(&copy, &m[i]);
	if (r == 0)
		*ret = copy;
	else
		missing_clear(&copy);
	return r < 0 ? vh_err_nomem(err) : 0;
}

void missing_clear(struct vh_doc_list *l)
{
	struct missing *m = l->items;

	for (size_t i = 0; i < l->n; i++)
		one_clear(&m[i]);
	free(l->items);
	*l = (struct vh_doc_list){ 0 };
}

bool missing_has(const struct vh_doc_list *l, const char *name)
{
	const struct missing *m = l->items;
	size_t i = 0;

	while (i < l->n && strcmp(m[i].name, name))
		i++;
	return i < l->n;
}

char *missing_names(const struct vh_doc_list *l)
{
	const struct missing *m = l->items;
	vh_autofree char *all = strdup("");

	for (size_t i = 0; all && i < l->n; i++) {
		char *more = vh_strf("%s%s%s", all, i ? ", " : "", m[i].name);

		free(all);
		all = more;
	}
	return vh_steal(&all);
}
