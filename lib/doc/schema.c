// SPDX-License-Identifier: Apache-2.0
/* A table as a JSON Schema, as which editors know documents. Values are YAML's there: 2 is a number and
 * 2G a text, and our texts may look like numbers too. */
#include <string.h>

#include "lib/doc/doc.h"

static const char size_pattern[] = "^[0-9]+(\\.[0-9]{1,3})?([KMGTkmgt](iB|B)?|B)?$";

static json_t *keys_schema(const struct vh_key *keys, const struct vh_key *under);

static json_t *text_schema(void)
{
	return json_pack("{s:[s,s]}", "type", "string", "number");
}

static json_t *number_schema(const struct vh_key *key)
{
	json_t *s = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)key->min);

	if (key->max)
		json_object_set_new(s, "maximum", json_integer((json_int_t)key->max));
	return s;
}

static json_t *choice_schema(const struct vh_key *key)
{
	json_t *names = json_array();

	for (const char *const *c = key->choices; *c; c++)
		json_array_append_new(names, json_string(*c));
	return json_pack("{s:o}", "enum", names);
}

static json_t *list_schema(const struct vh_key *key, json_t *items)
{
	json_t *s = json_pack("{s:s, s:o}", "type", "array", "items", items);

	if (key->min)
		json_object_set_new(s, "minItems", json_integer((json_int_t)key->min));
	if (key->max)
		json_object_set_new(s, "maxItems", json_integer((json_int_t)key->max));
	return s;
}

static const struct vh_key *key_named(const struct vh_key *keys, const char *name)
{
	while (keys && keys->name && (!name || strcmp(keys->name, name)))
		keys++;
	return keys && keys->name ? keys : NULL;
}

/* top: the table that a list's items may be completed from. */
static json_t *value_schema(const struct vh_key *key, const struct vh_key *top)
{
	const struct vh_key *under = key->under ? key_named(top, key->under) : NULL;

	switch (key->type) {
	case VH_KEY_STR:
		return text_schema();
	case VH_KEY_UINT:
		return number_schema(key);
	case VH_KEY_SIZE:
		return json_pack("{s:[s,s], s:s}", "type", "string", "integer", "pattern", size_pattern);
	case VH_KEY_BOOL:
		return json_pack("{s:[b,b,s,s]}", "enum", 1, 0, "yes", "no");
	case VH_KEY_ENUM:
		return choice_schema(key);
	case VH_KEY_STRV:
		return list_schema(key, text_schema());
	case VH_KEY_MAP:
		return keys_schema(key->keys, NULL);
	case VH_KEY_LIST:
		return list_schema(key, keys_schema(key->keys, under ? under->keys : NULL));
	case VH_KEY_STRMAP:
		return json_pack("{s:s, s:{s:[s,s,s]}}", "type", "object", "additionalProperties", "type", "string", "number",
				 "boolean");
	}
	return NULL;
}

/* What under has may be said there instead. */
static json_t *keys_schema(const struct vh_key *keys, const struct vh_key *under)
{
	json_t *properties = json_object(), *required = json_array();

	for (const struct vh_key *key = keys; key->name; key++) {
		json_t *s = value_schema(key, keys);

		if (key->help)
			json_object_set_new(s, "description", json_string(key->help));
		if (key->dflt)
			json_object_set_new(s, "default", json_string(key->dflt));
		json_object_set_new(properties, key->name, s);
		if (key->required && !key_named(under, key->name))
			json_array_append_new(required, json_string(key->name));
	}
	return json_pack("{s:s, s:b, s:o, s:o}", "type", "object", "additionalProperties", 0, "required", required,
			 "properties", properties);
}

json_t *vh_doc_schema(const struct vh_key *keys)
{
	json_t *s = json_pack("{s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema"), *all = keys_schema(keys, NULL);

	if (s && all && json_object_update(s, all) == 0) {
		json_decref(all);
		return s;
	}
	json_decref(s);
	json_decref(all);
	return NULL;
}
