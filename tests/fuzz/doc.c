// SPDX-License-Identifier: Apache-2.0
/* Documents, by a table with a key of every type. */
#include "lib/doc/doc.h"
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"

struct item { char *name; uint64_t size; char **words; };
struct doc {
	char *name;
	uint64_t count, size;
	bool yes;
	int choice;
	char **words, **env;
	struct vh_doc_list items;
	struct item inner;
};

static const char *const choices[] = { "dedicated", "shared", NULL };

static const struct vh_key item_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct item, name), .required = true, .check = vh_hostname_check },
	{ .name = "size", .type = VH_KEY_SIZE, .offset = offsetof(struct item, size), .dflt = "1G" },
	{ .name = "words", .type = VH_KEY_STRV, .offset = offsetof(struct item, words), .min = 1, .max = 4 },
	{ 0 }
};
static const struct vh_key keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct doc, name), .dflt = "a" },
	{ .name = "count", .type = VH_KEY_UINT, .offset = offsetof(struct doc, count), .min = 1, .max = 64, .dflt = "2" },
	{ .name = "size", .type = VH_KEY_SIZE, .offset = offsetof(struct doc, size) },
	{ .name = "yes", .type = VH_KEY_BOOL, .offset = offsetof(struct doc, yes) },
	{ .name = "choice", .type = VH_KEY_ENUM, .offset = offsetof(struct doc, choice), .choices = choices },
	{ .name = "words", .type = VH_KEY_STRV, .offset = offsetof(struct doc, words), .dflt = "[a, b]" },
	{ .name = "env", .type = VH_KEY_STRMAP, .offset = offsetof(struct doc, env) },
	{ .name = "items", .type = VH_KEY_LIST, .offset = offsetof(struct doc, items), .keys = item_keys,
	  .item_size = sizeof(struct item) },
	{ .name = "inner", .type = VH_KEY_MAP, .offset = offsetof(struct doc, inner), .keys = item_keys },
	{ 0 }
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autoerr err = VH_ERR_NONE;
	struct doc d = { 0 };

	if (vh_doc_parse("fuzz", (const char *)data, size, keys, &d, &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED);
		FUZZ_ASSERT(!strncmp(err.text, "fuzz:", 5) && !strchr(err.text, '\n'));
		FUZZ_ASSERT(!d.name && !d.words && !d.env && !d.items.items && !d.inner.name);
		return 0;
	}
	FUZZ_ASSERT(d.name && d.count >= 1 && d.count <= 64 && d.choice >= 0 && d.choice < 2);
	for (size_t i = 0; i < d.items.n; i++)
		FUZZ_ASSERT(vh_is_hostname(((struct item *)d.items.items)[i].name));
	vh_doc_free(keys, &d);
	return 0;
}
