// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include "images/node/judge.h"
#include "lib/answer.h"
#include "lib/strv.h"

const json_t *vh_judge_recipe(const json_t *image, const char *key)
{
	return json_object_get(json_object_get(image, "recipe"), key);
}

const char *vh_judge_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

int vh_judge_add(const struct vh_judge *j, const char *check, const char *wanted, const char *found, bool holds)
{
	const struct vh_finding finding = { .object = j->object, .check = check, .verdict = holds ? VH_OK : VH_WRONG,
					    .found = found, .wanted = wanted, .stops = true };

	return vh_finding_add(j->findings, &finding) ? 0 : vh_err_nomem(j->err);
}

int vh_judge_equal(const struct vh_judge *j, const char *check, const char *what, const char *wanted)
{
	vh_autofree char *found = vh_answer(j->text, what);
	return vh_judge_add(j, check, wanted, found, found && !strcmp(found, wanted));
}

int vh_judge_each(const struct vh_judge *j, const json_t *list,
		  int (*judge)(const struct vh_judge *j, const json_t *item))
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(list, i, item)
		if (r == 0)
			r = judge(j, item);
	return r;
}

/* There are many: only what is wrong is named. */
int vh_judge_all(const struct vh_judge *j, const json_t *list, const char *check,
		 bool (*holds)(const char *text, const char *name))
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
	return vh_judge_add(j, check, wanted, bad ? others : wanted, bad == 0);
}
