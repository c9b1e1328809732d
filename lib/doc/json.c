// SPDX-License-Identifier: Apache-2.0
#include "lib/doc/doc.h"

static json_t *texts(char *const *v)
{
	json_t *list = json_array();
	for (; v && *v; v++)
		json_array_append_new(list, json_string(*v));
	return list;
}

static json_t *items(const struct vh_key *key, const struct vh_doc_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(array, vh_doc_json(key->keys, (const char *)list->items + i * key->item_size));
	return array;
}

static json_t *value(const struct vh_key *key, const void *p)
{
	const char *text;

	switch (key->type) {
	case VH_KEY_STR:
		text = *(char *const *)p;
		return text ? json_string(text) : json_null();
	case VH_KEY_UINT:
	case VH_KEY_SIZE:
		return json_integer((json_int_t)*(const uint64_t *)p);
	case VH_KEY_BOOL:
		return json_boolean(*(const bool *)p);
	case VH_KEY_ENUM:
		return json_string(key->choices[*(const int *)p]);
	case VH_KEY_STRV:
	case VH_KEY_STRMAP:
		return texts(*(char *const *const *)p);
	case VH_KEY_MAP:
		return vh_doc_json(key->keys, p);
	case VH_KEY_LIST:
		return items(key, p);
	}
	return NULL;
}

json_t *vh_doc_json(const struct vh_key *keys, const void *out)
{
	json_t *doc = json_object();

	for (const struct vh_key *key = keys; doc && key->name; key++)
		if (json_object_set_new(doc, key->name, value(key, (const char *)out + key->offset)) < 0) {
			json_decref(doc);
			return NULL;
		}
	return doc;
}
