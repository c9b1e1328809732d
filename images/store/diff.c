// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include "images/store/diff.h"
#include "lib/cleanup.h"
#include "lib/json.h"

/* As one line: texts as they are, lists and numbers as JSON. */
static json_t *plain(const json_t *v)
{
	vh_autofree char *text = NULL;

	if (!v || json_is_null(v))
		return json_null();
	if (json_is_string(v))
		return json_string(json_string_value(v));
	text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	return json_string(text ? text : "");
}

static void add_difference(json_t *rows, const char *what, const char *name, const json_t *a, const json_t *b)
{
	json_array_append_new(rows, json_pack("{s:s, s:s, s:o, s:o}", "what", what, "name", name, "first",
					      plain(a), "second", plain(b)));
}

/* What list has and other has not. */
static json_t *only(const json_t *list, const json_t *other)
{
	json_t *rest = json_array(), *x, *y;
	size_t i, j;

	json_array_foreach(list, i, x) {
		bool both = false;
		json_array_foreach(other, j, y)
			both |= json_equal(x, y);
		if (!both)
			json_array_append(rest, x);
	}
	return rest;
}

static void add_lists(json_t *rows, const char *what, const char *name, const json_t *a, const json_t *b)
{
	vh_autojson first = only(a, b);
	vh_autojson second = only(b, a);

	/* The same items in another order. */
	if (!json_array_size(first) && !json_array_size(second))
		add_difference(rows, what, name, a, b);
	else
		add_difference(rows, what, name, first, second);
}

static void compare(json_t *rows, const char *what, const json_t *a, const json_t *b)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)a, name, v)
		if (json_is_array(v) && json_is_array(json_object_get(b, name)) && !json_equal(v, json_object_get(b, name)))
			add_lists(rows, what, name, v, json_object_get(b, name));
		else if (!json_equal(v, json_object_get(b, name)))
			add_difference(rows, what, name, v, json_object_get(b, name));
	json_object_foreach((json_t *)b, name, v)
		if (!json_object_get(a, name))
			add_difference(rows, what, name, NULL, v);
}

/* {name: version} */
static json_t *versions(const json_t *image)
{
	json_t *o = json_object(), *p;
	size_t i;

	json_array_foreach(json_object_get(image, "packages"), i, p)
		json_object_set(o, json_string_value(json_object_get(p, "name")), json_object_get(p, "version"));
	return o;
}

json_t *vh_image_differences(const json_t *first, const json_t *second)
{
	static const char *const own[] = { "suite", "kernel", "mpi", "cmdline", "user" };
	vh_autojson a = versions(first);
	vh_autojson b = versions(second);
	json_t *rows = json_array();

	if (!rows || !a || !b) {
		json_decref(rows);
		return NULL;
	}
	for (size_t i = 0; i < vh_array_len(own); i++)
		if (!json_equal(json_object_get(first, own[i]), json_object_get(second, own[i])))
			add_difference(rows, "image", own[i], json_object_get(first, own[i]),
				       json_object_get(second, own[i]));
	compare(rows, "recipe", json_object_get(first, "recipe"), json_object_get(second, "recipe"));
	compare(rows, "package", a, b);
	return rows;
}
