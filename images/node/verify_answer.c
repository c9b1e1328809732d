// SPDX-License-Identifier: Apache-2.0
/* The rows of a verdict. */
#include <stdlib.h>
#include <string.h>
#include "images/verify/keys.h"
#include "lib/strv.h"

const json_t *vh_verify_recipe(const json_t *image, const char *key)
{
	return json_object_get(json_object_get(image, "recipe"), key);
}

const char *vh_verify_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

int vh_judge_equal(const struct vh_judge *j, const char *check, const char *what, const char *wanted)
{
	vh_autofree char *found = vh_answer(j->text, what);
	return vh_verify_add(j->to, check, wanted, found, found && !strcmp(found, wanted), j->err);
}

/* There are many: only what is wrong is named. */
int vh_judge_all(const struct vh_judge *j, const json_t *list, const char *check, bool (*holds)(const char *text, const char *name))
{
	vh_autofree char *wanted = vh_strf("all %zu", json_array_size(list)), *others = NULL;
	const json_t *item;
	size_t i, len = 0, bad = 0;
	FILE *f = open_memstream(&others, &len);

	if (!f || !wanted)
		return vh_err_nomem(j->err);
	json_array_foreach(list, i, item)
		if (!json_string_value(item) || !holds(j->text, json_string_value(item)))
			fprintf(f, "%s%s", bad++ ? " " : "not ", json_string_value(item) ? json_string_value(item) : "?");
	fclose(f);
	if (json_array_size(list) == 0)
		return 0;
	return vh_verify_add(j->to, check, wanted, bad ? others : wanted, bad == 0, j->err);
}
