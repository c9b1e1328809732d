// SPDX-License-Identifier: Apache-2.0
/* Documents read back from the JSON that vh_doc_json makes of them. */
#include <errno.h>
#include <string.h>
#include "lib/doc/doc.h"
#include "lib/strv.h"

static int mismatch(const struct vh_key *key, struct vh_err *err)
{
	return vh_err_set(err, EBADMSG, "%s: not the value that belongs there", key->name);
}

static int read_text(const struct vh_key *key, const json_t *j, char **out, struct vh_err *err)
{
	const char *text = json_string_value(j);

	if (!text || (key->check && key->check(text, err) < 0) || (key->check_key && key->check_key(key->name, text, err) < 0))
		return mismatch(key, err);
	*out = strdup(text);
	return *out ? 0 : vh_err_nomem(err);
}

static int read_number(const struct vh_key *key, const json_t *j, uint64_t *out, struct vh_err *err)
{
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		return mismatch(key, err);
	*out = (uint64_t)json_integer_value(j);
	return 0;
}

static int read_bool(const struct vh_key *key, const json_t *j, bool *out, struct vh_err *err)
{
	if (!json_is_boolean(j))
		return mismatch(key, err);
	*out = json_is_true(j);
	return 0;
}

static int read_choice(const struct vh_key *key, const json_t *j, int *out, struct vh_err *err)
{
	const char *text = json_string_value(j);

	for (int i = 0; text && key->choices[i]; i++)
		if (!strcmp(text, key->choices[i])) {
			*out = i;
			return 0;
		}
	return mismatch(key, err);
}

static int read_texts(const struct vh_key *key, const json_t *j, char ***out, struct vh_err *err)
{
	const json_t *text;
	size_t i;

	if (!json_is_array(j))
		return mismatch(key, err);
	json_array_foreach(j, i, text) {
		if (!json_is_string(text))
			return mismatch(key, err);
		if (vh_strv_push(out, json_string_value(text)) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

static int read_list(const struct vh_key *key, const json_t *j, struct vh_doc_list *out, struct vh_err *err)
{
	size_t n = json_array_size(j);
	int r = 0;

	if (!json_is_array(j))
		return mismatch(key, err);
	out->items = calloc(n + 1, key->item_size);
	if (!out->items)
		return vh_err_nomem(err);
	for (; r == 0 && out->n < n; out->n++)
		r = vh_doc_from_json(key->keys, json_array_get(j, out->n), (char *)out->items + out->n * key->item_size, err);
	return r;
}

static int read_value(const struct vh_key *key, const json_t *j, void *out, struct vh_err *err)
{
	switch (key->type) {
	case VH_KEY_STR:
		return read_text(key, j, out, err);
	case VH_KEY_UINT:
	case VH_KEY_SIZE:
		return read_number(key, j, out, err);
	case VH_KEY_BOOL:
		return read_bool(key, j, out, err);
	case VH_KEY_ENUM:
		return read_choice(key, j, out, err);
	case VH_KEY_STRV:
	case VH_KEY_STRMAP:
		return read_texts(key, j, out, err);
	case VH_KEY_MAP:
		return vh_doc_from_json(key->keys, j, out, err);
	case VH_KEY_LIST:
		return read_list(key, j, out, err);
	}
	return mismatch(key, err);
}

int vh_doc_from_json(const struct vh_key *keys, const json_t *doc, void *out, struct vh_err *err)
{
	uint64_t given = 0;
	int r = json_is_object(doc) ? 0 : vh_err_set(err, EBADMSG, "not the object that belongs there");

	for (const struct vh_key *key = keys; r == 0 && key->name; key++) {
		const json_t *j = json_object_get(doc, key->name);

		if (!j || json_is_null(j))
			continue;
		vh_doc_empty(key, out);
		r = read_value(key, j, (char *)out + key->offset, err);
		given |= 1ULL << (key - keys);
	}
	if (r == 0 && vh_doc_close("JSON", keys, out, given, err) < 0)
		r = err->num == ENOMEM ? -ENOMEM : vh_err_set(err, EBADMSG, "what has to be there is absent");
	if (r < 0)
		vh_doc_free(keys, out);
	return r;
}
