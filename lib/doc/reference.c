// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include "lib/doc/doc.h"
#include "lib/values.h"

static const char *const type_names[] = {
	[VH_KEY_STR] = "text", [VH_KEY_UINT] = "number", [VH_KEY_SIZE] = "size",
	[VH_KEY_BOOL] = "yes or no", [VH_KEY_ENUM] = "choice", [VH_KEY_STRV] = "list of texts",
	[VH_KEY_MAP] = "keys", [VH_KEY_LIST] = "list of keys", [VH_KEY_STRMAP] = "free names to texts",
};

static void print_choices(FILE *f, const struct vh_key *key)
{
	for (const char *const *c = key->choices; *c; c++)
		fprintf(f, "%s`%s`", c == key->choices ? "" : ", ", *c);
}

static void print_bound(FILE *f, const struct vh_key *key, uint64_t v)
{
	char buf[32];

	if (key->type == VH_KEY_SIZE)
		fputs(vh_size_format(buf, sizeof(buf), v), f);
	else
		fprintf(f, "%" PRIu64, v);
}

static void print_bounds(FILE *f, const struct vh_key *key)
{
	if (key->type == VH_KEY_ENUM) {
		print_choices(f, key);
		return;
	}
	if (key->min) {
		fputs("from ", f);
		print_bound(f, key, key->min);
	}
	if (key->max) {
		fputs(key->min ? " to " : "to ", f);
		print_bound(f, key, key->max);
	}
}

static void print_default(FILE *f, const struct vh_key *key)
{
	if (key->required)
		fputs("required", f);
	else if (key->dflt)
		fprintf(f, "`%s`", key->dflt);
}

static void print_keys(FILE *f, const struct vh_key *keys, const char *prefix)
{
	for (const struct vh_key *key = keys; key->name; key++) {
		char inner[256];

		fprintf(f, "| `%s%s` | %s | ", prefix, key->name, type_names[key->type]);
		print_default(f, key);
		fputs(" | ", f);
		print_bounds(f, key);
		fprintf(f, " | %s |\n", key->help ? key->help : "");
		if (!key->keys)
			continue;
		snprintf(inner, sizeof(inner), "%s%s%s.", prefix, key->name,
			 key->type == VH_KEY_LIST ? "[]" : "");
		print_keys(f, key->keys, inner);
	}
}

void vh_doc_reference(FILE *f, const struct vh_key *keys)
{
	fputs("| key | type | default | bounds | meaning |\n| --- | --- | --- | --- | --- |\n", f);
	print_keys(f, keys, "");
}
