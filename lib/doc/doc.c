// SPDX-License-Identifier: Apache-2.0
#include "lib/doc/doc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "lib/strv.h"
#include "lib/values.h"
#include "lib/doc/read.h"
#include "lib/doc/yaml.h"

struct doc {
	const char *name;
	struct vh_err *err;
	const struct vh_yaml *top;
	bool foreign;		/* not ours: what the table lacks, or has no value, is passed over */
};

static void *at(void *out, const struct vh_key *key)
{
	return (char *)out + key->offset;
}

static const char *source_of(const struct doc *d, const struct vh_yaml *node)
{
	return node->source ? node->source : d->name;
}

static int refuse(const struct doc *d, const struct vh_yaml *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(const struct doc *d, const struct vh_yaml *node, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vh_vstrf(fmt, ap);
	va_end(ap);
	if (!text)
		return vh_err_nomem(d->err);
	return vh_err_refuse(d->err, EINVAL, "%s:%u:%u: %s", source_of(d, node), node->line, node->column, text);
}

/* An error of a check, told with its place. */
static int refuse_value(const struct doc *d, const struct vh_yaml *node, const struct vh_key *key)
{
	if (d->err->num == ENOMEM)
		return -ENOMEM;
	d->err->exit = VH_EXIT_REFUSED;
	/* Some checks name the key themselves. */
	if (!strncmp(d->err->text, key->name, strlen(key->name)) && d->err->text[strlen(key->name)] == ':')
		return vh_err_within(d->err, "%s:%u:%u", source_of(d, node), node->line, node->column);
	return vh_err_within(d->err, "%s:%u:%u: %s", source_of(d, node), node->line, node->column, key->name);
}

static int expect(const struct doc *d, const struct vh_yaml *node, const struct vh_key *key,
		  enum vh_yaml_type type)
{
	static const struct vh_yaml wanted[] = {
		[VH_YAML_SCALAR] = { .type = VH_YAML_SCALAR },
		[VH_YAML_LIST] = { .type = VH_YAML_LIST },
		[VH_YAML_MAP] = { .type = VH_YAML_MAP },
	};

	if (node->type == type && !node->null)
		return 0;
	return refuse(d, node, "%s: %s is expected, not %s", key->name,
		      vh_yaml_type_name(&wanted[type]), vh_yaml_type_name(node));
}

static int hint_nearest(const struct doc *d, const char *word, const char *const *known, size_t n)
{
	const char *near = vh_nearest(word, known, n);
	vh_autofree char *all = NULL;

	if (near)
		return vh_err_hint(d->err, "did you mean '%s'?", near);
	for (size_t i = 0; i < n; i++) {
		char *longer = vh_strf("%s%s%s", all ? all : "", all ? ", " : "", known[i]);

		if (!longer)
			return -d->err->num;
		free(all);
		all = longer;
	}
	return vh_err_hint(d->err, "known here: %s", all ? all : "nothing");
}

/* --- scalars */

/* What it names stands in that list, in whatever order both are written. */
static int check_named(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node)
{
	const struct vh_yaml *list = vh_yaml_get(d->top, key->names);
	const size_t n = list && list->type == VH_YAML_LIST ? list->n : 0;
	vh_autofree const char **known = calloc(n + 1, sizeof(*known));
	size_t found = 0;

	if (!known)
		return vh_err_nomem(d->err);
	for (size_t i = 0; i < n; i++) {
		const struct vh_yaml *name = list->items[i]->type == VH_YAML_MAP ? vh_yaml_get(list->items[i], "name") : NULL;

		if (name && name->type == VH_YAML_SCALAR)
			known[found++] = name->text;
		if (found && !strcmp(known[found - 1], node->text))
			return 0;
	}
	refuse(d, node, "%s: '%.60s' is none of %s", key->name, node->text, key->names);
	return hint_nearest(d, node->text, known, found);
}

static int read_str(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node, char **out)
{
	if ((key->check && key->check(node->text, d->err) < 0) ||
	    (key->check_key && key->check_key(key->name, node->text, d->err) < 0))
		return refuse_value(d, node, key);
	if (key->names && d->top && check_named(d, key, node) < 0)
		return -d->err->num;
	*out = strdup(node->text);
	return *out ? 0 : vh_err_nomem(d->err);
}

static void show(char buf[32], const struct vh_key *key, uint64_t v)
{
	if (key->type == VH_KEY_SIZE)
		vh_size_format(buf, 32, v);
	else
		snprintf(buf, 32, "%" PRIu64, v);
}

static int check_bounds(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node,
			uint64_t v)
{
	char is[32], bound[32];
	bool low = v < key->min, high = key->max && v > key->max;

	if (!low && !high)
		return 0;
	show(is, key, v);
	show(bound, key, low ? key->min : key->max);
	return refuse(d, node, "%s: %s is %s than %s", key->name, is, low ? "less" : "more", bound);
}

static int read_number(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node,
		       uint64_t *out)
{
	uint64_t v;
	int r = key->type == VH_KEY_SIZE ? vh_size_parse(node->text, &v, d->err)
					 : vh_uint_parse(node->text, UINT64_MAX, &v, d->err);

	if (r == 0 && key->check)
		r = key->check(node->text, d->err);
	if (r < 0)
		return refuse_value(d, node, key);
	r = check_bounds(d, key, node, v);
	if (r < 0)
		return r;
	*out = v;
	return 0;
}

static int read_bool(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node, bool *out)
{
	bool yes = !strcmp(node->text, "true") || !strcmp(node->text, "yes");

	if (!yes && strcmp(node->text, "false") && strcmp(node->text, "no")) {
		refuse(d, node, "%s: '%.60s' is neither true nor false", key->name, node->text);
		return vh_err_hint(d->err, "true, false, yes or no");
	}
	*out = yes;
	return 0;
}

static int read_enum(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node, int *out)
{
	size_t n = 0;

	for (; key->choices[n]; n++)
		if (!strcmp(key->choices[n], node->text)) {
			*out = (int)n;
			return 0;
		}
	refuse(d, node, "%s: '%.60s' is none of its choices", key->name, node->text);
	return hint_nearest(d, node->text, key->choices, n);
}

/* --- collections */

static int read_map(const struct doc *d, const struct vh_key *keys, const struct vh_yaml *map,
		    const struct vh_yaml *under, void *out, uint64_t *given);

static int check_count(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node)
{
	if (node->n < key->min)
		return refuse(d, node, "%s: %zu given, at least %" PRIu64 " wanted", key->name,
			      node->n, key->min);
	if (key->max && node->n > key->max)
		return refuse(d, node, "%s: %zu given, at most %" PRIu64 " taken", key->name,
			      node->n, key->max);
	return 0;
}

static int read_strv(const struct doc *d, const struct vh_key *key, const struct vh_yaml *list, char ***out)
{
	int r = check_count(d, key, list);

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		vh_autofree char *item = NULL;

		r = expect(d, list->items[i], key, VH_YAML_SCALAR);
		if (r == 0)
			r = read_str(d, key, list->items[i], &item);
		if (r == 0 && vh_strv_push(out, item) < 0)
			r = vh_err_nomem(d->err);
	}
	return r;
}

static int read_strmap(const struct doc *d, const struct vh_key *key, const struct vh_yaml *map, char ***out)
{
	for (size_t i = 0; i < map->n; i += 2) {
		const struct vh_yaml *name = map->items[i], *value = map->items[i + 1];
		int r = expect(d, value, key, VH_YAML_SCALAR);

		if (r < 0)
			return r;
		if (strchr(name->text, '='))
			return refuse(d, name, "%s: a name has no '='", key->name);
		if (vh_strv_pushf(out, "%s=%s", name->text, value->text) < 0)
			return vh_err_nomem(d->err);
	}
	return 0;
}

static bool go_together(const struct vh_key *key, const void *a, const void *b)
{
	const char *x = key->type == VH_KEY_UINT ? NULL : *(char *const *)a, *y = key->type == VH_KEY_UINT ? NULL : *(char *const *)b;

	if (key->type == VH_KEY_UINT)
		return *(const uint64_t *)a != *(const uint64_t *)b;
	return !x || !y || (key->apart ? key->apart(x, y) : strcmp(x, y) != 0);
}

/* The last item read, beside those before it. */
static int check_unique(const struct doc *d, const struct vh_key *list_key, const struct vh_yaml *list,
			const struct vh_doc_list *out)
{
	const size_t size = list_key->item_size, last = out->n - 1;

	for (const struct vh_key *key = list_key->keys; key->name; key++) {
		const struct vh_yaml *value = vh_yaml_get(list->items[last], key->name), *other;

		for (size_t i = 0; key->unique && value && i < last; i++) {
			const char *is = (const char *)out->items + last * size + key->offset;

			if (go_together(key, is, (const char *)out->items + i * size + key->offset))
				continue;
			other = vh_yaml_get(list->items[i], key->name);
			if (other && strcmp(other->text, value->text))
				refuse(d, value, "%s: '%.60s' does not go beside '%.60s'", key->name, value->text, other->text);
			else
				refuse(d, value, "%s: '%.60s' is there already", key->name, value->text);
			return vh_err_hint(d->err, "the other stands at %s:%u:%u", source_of(d, other ? other : list),
					   other ? other->line : list->line, other ? other->column : list->column);
		}
	}
	return 0;
}

static int settle(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node, const void *item)
{
	int r = key->settled ? key->settled(item, d->err) : 0;

	return r < 0 ? refuse_value(d, node, key) : 0;
}

static int read_list(const struct doc *d, const struct vh_key *key, const struct vh_yaml *list,
		     struct vh_doc_list *out)
{
	const struct vh_yaml *under = key->under && d->top ? vh_yaml_get(d->top, key->under) : NULL;
	int r = check_count(d, key, list);

	if (r < 0 || !list->n)
		return r;
	out->items = calloc(list->n, key->item_size);
	if (!out->items)
		return vh_err_nomem(d->err);
	for (size_t i = 0; r == 0 && i < list->n; i++) {
		/* Counted first, so that a half-read item is freed too. */
		out->n++;
		r = expect(d, list->items[i], key, VH_YAML_MAP);
		if (r == 0)
			r = read_map(d, key->keys, list->items[i], under, (char *)out->items + i * key->item_size, NULL);
		if (r == 0)
			r = check_unique(d, key, list, out);
		if (r == 0)
			r = settle(d, key, list->items[i], (const char *)out->items + i * key->item_size);
	}
	return r;
}

static enum vh_yaml_type yaml_type(enum vh_key_type type)
{
	switch (type) {
	case VH_KEY_STRV:
	case VH_KEY_LIST:
		return VH_YAML_LIST;
	case VH_KEY_MAP:
	case VH_KEY_STRMAP:
		return VH_YAML_MAP;
	default:
		return VH_YAML_SCALAR;
	}
}

static int read_value(const struct doc *d, const struct vh_key *key, const struct vh_yaml *node, void *out)
{
	int r = expect(d, node, key, yaml_type(key->type));

	if (r < 0)
		return r;
	switch (key->type) {
	case VH_KEY_STR:
		return read_str(d, key, node, out);
	case VH_KEY_UINT:
	case VH_KEY_SIZE:
		return read_number(d, key, node, out);
	case VH_KEY_BOOL:
		return read_bool(d, key, node, out);
	case VH_KEY_ENUM:
		return read_enum(d, key, node, out);
	case VH_KEY_STRV:
		return read_strv(d, key, node, out);
	case VH_KEY_MAP:
		return read_map(d, key->keys, node, NULL, out, NULL);
	case VH_KEY_LIST:
		return read_list(d, key, node, out);
	case VH_KEY_STRMAP:
		return read_strmap(d, key, node, out);
	}
	return vh_err_set(d->err, EINVAL, "%s: a key of no known type", key->name);
}

/* --- maps, and what they leave out */

static int refuse_unknown(const struct doc *d, const struct vh_key *keys, const struct vh_yaml *name)
{
	vh_autofree const char **known = NULL;
	size_t n = 0;

	while (keys[n].name)
		n++;
	known = calloc(n + 1, sizeof(*known));
	if (!known)
		return vh_err_nomem(d->err);
	for (size_t i = 0; i < n; i++)
		known[i] = keys[i].name;
	refuse(d, name, "unknown key '%.60s'", name->text);
	return hint_nearest(d, name->text, known, n);
}

static int check_known(const struct doc *d, const struct vh_key *keys, const struct vh_yaml *map)
{
	for (size_t i = 0; i < map->n; i += 2) {
		const struct vh_key *key = keys;

		while (key->name && strcmp(key->name, map->items[i]->text))
			key++;
		if (!key->name)
			return refuse_unknown(d, keys, map->items[i]);
	}
	return 0;
}

/* A default is written as in a document, and read as one. */
static int read_default(const struct doc *d, const struct vh_key *key, void *out)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *node = NULL;
	struct doc builtin = { .name = "default", .err = d->err };
	int r;

	if (key->type == VH_KEY_MAP) {
		for (const struct vh_key *k = key->keys; k->name; k++) {
			r = read_default(d, k, at(out, k));
			if (r < 0)
				return r;
		}
		return 0;
	}
	if (!key->dflt)
		return 0;
	r = vh_yaml_parse(builtin.name, key->dflt, strlen(key->dflt), &node, d->err);
	return r < 0 ? r : read_value(&builtin, key, node, out);
}

/* What a document leaves out: its default, unless it must be there. */
static int read_absent(const struct doc *d, const struct vh_key *key, const struct vh_yaml *map, void *out)
{
	if (key->required)
		return refuse(d, map, "key '%s' is missing", key->name);
	return read_default(d, key, at(out, key));
}

/* under: says what map does not; or NULL. given: NULL, or which keys were there, a bit each; then what is
 * left out stays as it is. */
static int read_map(const struct doc *d, const struct vh_key *keys, const struct vh_yaml *map,
		    const struct vh_yaml *under, void *out, uint64_t *given)
{
	int r = d->foreign ? 0 : check_known(d, keys, map);

	for (const struct vh_key *key = keys; r == 0 && key->name; key++) {
		const struct vh_yaml *value = vh_yaml_get(map, key->name);

		if (!value && under && under->type == VH_YAML_MAP)
			value = vh_yaml_get(under, key->name);
		if (value && value->null && d->foreign)
			value = NULL;
		if (value)
			r = read_value(d, key, value, at(out, key));
		else if (!given)
			r = read_absent(d, key, map, out);
		if (value && given)
			*given |= 1ULL << (key - keys);
	}
	return r;
}

int vh_doc_read(const char *name, const struct vh_yaml *root, const struct vh_key *keys, void *out, uint64_t *given,
		struct vh_err *err)
{
	const struct doc d = { .name = name, .err = err, .top = root };
	int r;

	if (root->type != VH_YAML_MAP)
		return refuse(&d, root, "a document of keys is expected, not %s", vh_yaml_type_name(root));
	r = read_map(&d, keys, root, NULL, out, given);
	if (r < 0)
		vh_doc_free(keys, out);
	return r;
}

static int parse(const char *name, const char *text, size_t len, const struct vh_key *keys,
		 void *out, uint64_t *given, struct vh_err *err)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *root = NULL;
	int r = vh_yaml_parse(name, text, len, &root, err);

	return r < 0 ? r : vh_doc_read(name, root, keys, out, given, err);
}

int vh_doc_parse(const char *name, const char *text, size_t len, const struct vh_key *keys,
		 void *out, struct vh_err *err)
{
	return parse(name, text, len, keys, out, NULL, err);
}

int vh_doc_layer(const char *name, const char *text, size_t len, const struct vh_key *keys,
		 void *out, uint64_t *given, struct vh_err *err)
{
	*given = 0;
	return parse(name, text, len, keys, out, given, err);
}

int vh_doc_pick(const char *name, const struct vh_yaml *map, const struct vh_key *keys, void *out,
		uint64_t *given, struct vh_err *err)
{
	const struct doc d = { .name = name, .err = err, .foreign = true };
	int r;

	*given = 0;
	if (map->type != VH_YAML_MAP)
		return refuse(&d, map, "a map of keys is expected, not %s", vh_yaml_type_name(map));
	r = read_map(&d, keys, map, NULL, out, given);
	if (r < 0)
		vh_doc_free(keys, out);
	return r;
}

int vh_doc_close(const char *name, const struct vh_key *keys, void *out, uint64_t given, struct vh_err *err)
{
	struct doc d = { .name = name, .err = err };
	const struct vh_yaml start = { .type = VH_YAML_MAP, .line = 1, .column = 1 };
	int r = 0;

	for (const struct vh_key *key = keys; r == 0 && key->name; key++)
		if (!(given & 1ULL << (key - keys)))
			r = read_absent(&d, key, &start, out);
	return r;
}

static void free_list(const struct vh_key *key, struct vh_doc_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		vh_doc_free(key->keys, (char *)list->items + i * key->item_size);
	free(list->items);
	*list = (struct vh_doc_list){ 0 };
}

void vh_doc_empty(const struct vh_key *key, void *out)
{
	void *p = at(out, key);

	switch (key->type) {
	case VH_KEY_STR:
		free(*(char **)p);
		*(char **)p = NULL;
		break;
	case VH_KEY_STRV:
	case VH_KEY_STRMAP:
		vh_strv_free(*(char ***)p);
		*(char ***)p = NULL;
		break;
	case VH_KEY_MAP:
		vh_doc_free(key->keys, p);
		break;
	case VH_KEY_LIST:
		free_list(key, p);
		break;
	default:
		break;
	}
}

void vh_doc_free(const struct vh_key *keys, void *out)
{
	for (const struct vh_key *key = keys; key->name; key++)
		vh_doc_empty(key, out);
}
