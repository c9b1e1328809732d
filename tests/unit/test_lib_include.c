// SPDX-License-Identifier: Apache-2.0
/* Documents of several files, lists whose items are completed from elsewhere, and a table's JSON Schema. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/doc/doc.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

struct part { char *name, *image; uint64_t id, size; };
struct whole { char *name; char **include; struct part defaults; struct vh_doc_list parts; };

#define PART(k, t, ...) { .name = #k, .type = t, .offset = offsetof(struct part, k), __VA_ARGS__ }
static const struct vh_key part_keys[] = {
	PART(name, VH_KEY_STR, .required = true, .unique = true),
	PART(id, VH_KEY_UINT, .unique = true),
	PART(image, VH_KEY_STR, .required = true),
	PART(size, VH_KEY_SIZE, .dflt = "1G", .help = "Bytes."),
	{ 0 }
};
static const struct vh_key default_keys[] = {
	PART(image, VH_KEY_STR), PART(size, VH_KEY_SIZE), { 0 }
};
static int settled(const void *item, struct vh_err *err)
{
	const struct part *p = item;

	return p->size >= p->id ? 0 : vh_err_set(err, ERANGE, "%s is too small", p->name);
}

static const struct vh_key keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct whole, name), .required = true },
	{ .name = "include", .type = VH_KEY_STRV, .offset = offsetof(struct whole, include), .includes = true },
	{ .name = "defaults", .type = VH_KEY_MAP, .offset = offsetof(struct whole, defaults), .keys = default_keys },
	{ .name = "parts", .type = VH_KEY_LIST, .offset = offsetof(struct whole, parts), .keys = part_keys, .max = 4,
	  .item_size = sizeof(struct part), .under = "defaults", .settled = settled },
	{ 0 }
};

static const struct part *part(const struct whole *w, size_t i)
{
	return (const struct part *)w->parts.items + i;
}

static void parsed(const char *text, struct whole *w)
{
	vh_autoerr err = VH_ERR_NONE;

	*w = (struct whole){ 0 };
	ck_assert_msg(vh_doc_parse("w.yaml", text, strlen(text), keys, w, &err) == 0, "%s", err.text);
}

static void refused(const char *text, const char *want, const char *hint)
{
	struct whole w = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_lt(vh_doc_parse("w.yaml", text, strlen(text), keys, &w, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, want, hint);
}

START_TEST(items_take_what_they_leave_out_from_the_defaults)
{
	struct whole w;

	parsed("name: a\nparts: [{name: x}, {name: y, image: own}]\ndefaults: {image: mpi, size: 2G}\n", &w);
	ck_assert_str_eq(part(&w, 0)->image, "mpi");
	ck_assert_str_eq(part(&w, 1)->image, "own");
	ck_assert_uint_eq(part(&w, 1)->size, 2ull << 30);
	vh_doc_free(keys, &w);
	parsed("name: a\nparts: [{name: x, image: own}]\n", &w);
	ck_assert_uint_eq(part(&w, 0)->size, 1 << 30);
	vh_doc_free(keys, &w);
	refused("name: a\ndefaults: {size: 2G}\nparts:\n- {name: x}\n", "w.yaml:4:3: key 'image' is missing", NULL);
	refused("name: a\nparts:\n- {name: x, image: i}\n- {name: y, image: i, id: 9, size: 8}\n", "w.yaml:4:3: parts: y is too small", NULL);
	refused("name: a\ndefaults: {name: b}\n", "w.yaml:2:12: unknown key 'name'", "known here: image, size");
}
END_TEST

START_TEST(what_is_unique_is_there_once)
{
	struct whole w;

	parsed("name: a\nparts: [{name: x, image: i, id: 1}, {name: y, image: i, id: 2}, {name: z, image: i}]\n", &w);
	vh_doc_free(keys, &w);
	refused("name: a\nparts:\n- {name: x, image: i}\n- {name: y, image: i}\n- {name: x, image: i}\n",
		"w.yaml:5:10: name: 'x' is there already", "the other stands at w.yaml:3:10");
	refused("name: a\nparts:\n- {name: x, image: i, id: 7}\n- {name: y, image: i, id: 7}\n",
		"w.yaml:4:27: id: '7' is there already", "the other stands at w.yaml:3:27");
}
END_TEST

static int load(const char *dir, struct whole *w, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/main.yaml", dir);

	*w = (struct whole){ 0 };
	return vh_doc_load(path, keys, w, err);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	free(unit_file(dir, name, text));
}

START_TEST(what_is_included_comes_under)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autoerr err = VH_ERR_NONE;
	struct whole w;

	write_file(dir, "main.yaml", "include: [site/a.yaml, site/b.yaml]\nname: main\ndefaults: {size: 3G}\nparts: [{name: own}]\n");
	write_file(dir, "site/a.yaml", "name: a\ndefaults: {image: from-a, size: 1G}\nparts: [{name: a}]\n");
	write_file(dir, "site/b.yaml", "include: [deep.yaml]\nparts: [{name: b}]\n");
	write_file(dir, "site/deep.yaml", "defaults: {image: from-deep}\n");
	ck_assert_msg(load(dir, &w, &err) == 0, "%s", err.text);
	ck_assert_str_eq(w.name, "main");
	ck_assert_uint_eq(w.parts.n, 3);
	ck_assert_str_eq(part(&w, 0)->name, "a");
	ck_assert_str_eq(part(&w, 1)->name, "b");
	ck_assert_str_eq(part(&w, 2)->name, "own");
	ck_assert_str_eq(part(&w, 2)->image, "from-deep");
	ck_assert_uint_eq(part(&w, 0)->size, 3ull << 30);
	vh_doc_free(keys, &w);
}
END_TEST

static void load_refused(const char *dir, const char *says)
{
	vh_autoerr err = VH_ERR_NONE;
	struct whole w;

	ck_assert_int_lt(load(dir, &w, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, says) != NULL, "%s", err.text);
}

static void load_hinted(const char *dir, const char *hint)
{
	vh_autoerr err = VH_ERR_NONE;
	struct whole w;

	ck_assert_int_lt(load(dir, &w, &err), 0);
	ck_assert_str_eq(err.hint ? err.hint : "", hint);
}

START_TEST(includes_that_cannot_be_are_refused)
{
	vh_autofree char *dir = unit_tmpdir(), *pipe = vh_strf("%s/pipe", dir);

	write_file(dir, "main.yaml", "name: a\ninclude: [b.yaml]\nparts: []\n");
	load_refused(dir, "main.yaml:2:11: include: ");
	write_file(dir, "b.yaml", "include: [./main.yaml]\n");
	load_refused(dir, "/./main.yaml: includes itself");
	load_hinted(dir, "take one include of these out");
	write_file(dir, "b.yaml", "include:\n- b.yaml\n");
	load_refused(dir, "/b.yaml:2:3: include: ");
	write_file(dir, "b.yaml", "include: [c.yaml, c.yaml]\n");
	write_file(dir, "c.yaml", "include: [d.yaml, d.yaml, d.yaml, d.yaml, d.yaml, d.yaml]\n");
	write_file(dir, "d.yaml", "include: [e.yaml, e.yaml, e.yaml]\n");
	write_file(dir, "e.yaml", "name: e\n");
	load_refused(dir, "more than 32 files are included");
	write_file(dir, "b.yaml", "name: b\nsise: 1\n");
	load_refused(dir, "/b.yaml:2:1: unknown key 'sise'");
	write_file(dir, "b.yaml", "parts:\n- {name: x, image: i, id: -1}\n");
	load_refused(dir, "/b.yaml:2:27: id: ");
	write_file(dir, "b.yaml", "include: c.yaml\n");
	load_refused(dir, "/b.yaml:1:10: include: a list is expected, not a value");
	write_file(dir, "b.yaml", "name: b\ninclude: [{a: b}]\n");
	load_refused(dir, "/b.yaml:2:11: include: a value is expected, not a map");
	write_file(dir, "b.yaml", "include: [pipe]\n");
	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	load_refused(dir, "/pipe: is no regular file");
	write_file(dir, "b.yaml", "- a\n");
	load_refused(dir, "/b.yaml:1:1: a document of keys is expected, not a list");
	write_file(dir, "main.yaml", "name: a\ninclude: b.yaml\n");
	load_refused(dir, "main.yaml:2:10: include: a list is expected, not a value");
	write_file(dir, "main.yaml", "name: a\ninclude: [[b.yaml]]\n");
	load_refused(dir, "main.yaml:2:11: include: a value is expected, not a list");
}
END_TEST

/* All files together are as large as one may be: each is compared with those before it. */
START_TEST(many_files_are_no_larger_than_one)
{
	vh_autofree char *dir = unit_tmpdir(), *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	for (unsigned i = 0; i < 6000; i++)
		fprintf(f, "k%u: 1\n", i);
	fclose(f);
	write_file(dir, "main.yaml", "name: a\ninclude: [b.yaml, c.yaml]\n");
	write_file(dir, "b.yaml", text);
	write_file(dir, "c.yaml", text);
	load_refused(dir, "more than 20000 values, with what includes it");
}
END_TEST

START_TEST(schema_says_what_the_table_says)
{
	vh_autojson s = vh_doc_schema(keys);
	json_t *parts, *item;

	ck_assert_ptr_nonnull(s);
	ck_assert_str_eq(json_string_value(json_object_get(s, "$schema")), "https://json-schema.org/draft/2020-12/schema");
	ck_assert(json_is_false(json_object_get(s, "additionalProperties")));
	parts = json_object_get(json_object_get(s, "properties"), "parts");
	ck_assert_int_eq(json_integer_value(json_object_get(parts, "maxItems")), 4);
	item = json_object_get(parts, "items");
	/* image may stand in defaults. */
	ck_assert_uint_eq(json_array_size(json_object_get(item, "required")), 1);
	item = json_object_get(json_object_get(item, "properties"), "size");
	ck_assert_str_eq(json_string_value(json_object_get(item, "default")), "1G");
	ck_assert_str_eq(json_string_value(json_object_get(item, "description")), "Bytes.");
}
END_TEST

UNIT_SUITE(lib_include, items_take_what_they_leave_out_from_the_defaults, what_is_unique_is_there_once, what_is_included_comes_under,
	   includes_that_cannot_be_are_refused, many_files_are_no_larger_than_one, schema_says_what_the_table_says)
