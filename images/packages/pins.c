// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "images/cache/cache.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/files/read.h"
#include "images/packages/pins.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

static void pin_clear(struct vh_pin *p)
{
	free(p->name);
	free(p->version);
	free(p->arch);
	free(p->sha256);
	*p = (struct vh_pin){ 0 };
}

void vh_pins_clear(struct vh_pins *pins)
{
	for (size_t i = 0; i < pins->n; i++)
		pin_clear(&pins->items[i]);
	free(pins->items);
	free(pins->suite);
	free(pins->sources);
	*pins = (struct vh_pins){ 0 };
}

static bool made_of(const char *s, const char *chars)
{
	size_t n = strspn(s, chars);
	return n > 0 && n < 256 && !s[n];
}

/* They become arguments, and paths. */
static int check_pin(const char *name, const char *version, const char *arch, const char *sha256,
		     struct vh_err *err)
{
	if (!made_of(name, LOWER DIGIT "+-.") || !strchr(LOWER DIGIT, name[0]))
		return vh_err_refuse(err, EINVAL, "'%s' is not a package name", name);
	if (!made_of(version, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGIT ".+-:~") || !strchr(DIGIT, version[0]))
		return vh_err_refuse(err, EINVAL, "package %s: '%s' is not a version", name, version);
	if (!made_of(arch, LOWER DIGIT "-"))
		return vh_err_refuse(err, EINVAL, "package %s: '%s' is not an architecture", name, arch);
	if (!made_of(sha256, DIGIT "abcdef") || strlen(sha256) != VH_DIGEST_HEX - 1)
		return vh_err_refuse(err, EINVAL, "package %s: '%s' is not a SHA-256", name, sha256);
	return 0;
}

int vh_pins_add(struct vh_pins *pins, const char *name, const char *version, const char *arch,
		const char *sha256, uint64_t size, struct vh_err *err)
{
	int r = check_pin(name, version, arch, sha256, err);

	if (r < 0)
		return r;
	struct vh_pin *more = realloc(pins->items, (pins->n + 1) * sizeof *more);
	if (!more)
		return vh_err_nomem(err);
	pins->items = more;
	struct vh_pin *p = &more[pins->n++];
	*p = (struct vh_pin){ strdup(name), strdup(version), strdup(arch), strdup(sha256), size };
	return p->name && p->version && p->arch && p->sha256 ? 0 : vh_err_nomem(err);
}

static int compare(const void *a, const void *b)
{
	const struct vh_pin *x = a, *y = b;
	int c = strcmp(x->name, y->name);
	return c ? c : strcmp(x->arch, y->arch);
}

void vh_pins_sort(struct vh_pins *pins)
{
	if (pins->n > 1)
		qsort(pins->items, pins->n, sizeof *pins->items, compare);
}

const struct vh_pin *vh_pins_find(const struct vh_pins *pins, const char *name)
{
	for (size_t i = 0; i < pins->n; i++)
		if (!strcmp(pins->items[i].name, name))
			return &pins->items[i];
	return NULL;
}

void vh_pins_digest(const struct vh_pins *pins, SHA256_CTX *s)
{
	vh_digest_text(s, pins->suite);
	vh_digest_text(s, pins->sources);
	for (size_t i = 0; i < pins->n; i++) {
		vh_digest_text(s, pins->items[i].name);
		vh_digest_text(s, pins->items[i].version);
		vh_digest_text(s, pins->items[i].sha256);
	}
}

json_t *vh_pins_json(const struct vh_pins *pins)
{
	json_t *list = json_array();

	for (size_t i = 0; i < pins->n; i++) {
		const struct vh_pin *p = &pins->items[i];
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:s}", "name", p->name, "version",
						      p->version, "architecture", p->arch, "size",
						      (json_int_t)p->size, "sha256", p->sha256));
	}
	return json_pack("{s:s, s:s, s:s, s:o}", "schema", VH_LOCK_SCHEMA, "suite", pins->suite,
			 "sources", pins->sources, "packages", list);
}

static int parse_item(const json_t *item, struct vh_pins *pins, struct vh_err *err)
{
	const char *name, *version, *arch, *sha256;
	json_int_t size;

	if (json_unpack((json_t *)item, "{s:s, s:s, s:s, s:I, s:s}", "name", &name, "version", &version,
			"architecture", &arch, "size", &size, "sha256", &sha256) < 0 || size < 0)
		return vh_err_refuse(err, EBADMSG, "a package lacks name, version, architecture, size or sha256");
	if (vh_pins_find(pins, name))
		return vh_err_refuse(err, EBADMSG, "package %s stands there twice", name);
	return vh_pins_add(pins, name, version, arch, sha256, (uint64_t)size, err);
}

static int parse(const json_t *doc, struct vh_pins *pins, struct vh_err *err)
{
	const char *schema = "", *suite, *sources;
	const json_t *list, *item;
	size_t i;
	int r = 0;

	if (json_unpack((json_t *)doc, "{s:s, s:s, s:s, s:o}", "schema", &schema, "suite", &suite, "sources",
			&sources, "packages", &list) < 0 || strcmp(schema, VH_LOCK_SCHEMA) || !json_is_array(list))
		return vh_err_refuse(err, EBADMSG, "is no lock of schema " VH_LOCK_SCHEMA);
	pins->suite = strdup(suite);
	pins->sources = strdup(sources);
	if (!pins->suite || !pins->sources)
		return vh_err_nomem(err);
	json_array_foreach(list, i, item)
		if ((r = parse_item(item, pins, err)) < 0)
			return r;
	if (!pins->n)
		return vh_err_refuse(err, EBADMSG, "names no package");
	vh_pins_sort(pins);
	return 0;
}

int vh_pins_parse(const char *name, const char *text, size_t len, struct vh_pins *ret, struct vh_err *err)
{
	json_error_t bad;
	vh_autojson doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, &bad);
	vh_autopins pins = { 0 };

	if (!doc)
		return vh_err_refuse(err, EBADMSG, "%s:%d: %s", name, bad.line, bad.text);
	if (parse(doc, &pins, err) < 0)
		return vh_err_within(err, "%s", name);
	*ret = pins;
	pins = (struct vh_pins){ 0 };
	return 0;
}

int vh_pins_load(const char *path, struct vh_pins *ret, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return -ENOENT;
	int r = vh_host_file(path, &text, &len, err);
	return r < 0 ? r : vh_pins_parse(path, text, len, ret, err);
}

int vh_pins_save(const struct vh_pins *pins, const char *path, struct vh_err *err)
{
	vh_autojson doc = vh_pins_json(pins);
	vh_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;

	return text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}
