// SPDX-License-Identifier: Apache-2.0
/* What the guest said, line by line. */
#include <stdlib.h>
#include <string.h>
#include "images/verify/keys.h"
#include "lib/strv.h"

char *vh_answer_next(const char *text, const char *what, const char **at)
{
	size_t n = strlen(what);
	const char *l = *at ? strchr(*at, '\n') : text;

	if (*at && l)
		l++;
	for (; l && *l; l = strchr(l, '\n'), l += l != NULL)
		if (*l == '@' && !strncmp(l + 1, what, n) && l[n + 1] == ' ') {
			size_t len = strcspn(l + n + 2, "\n");
			while (len > 0 && l[n + 1 + len] == ' ')
				len--;
			*at = l;
			return strndup(l + n + 2, len);
		}
	return NULL;
}

char *vh_answer(const char *text, const char *what)
{
	const char *at = NULL;
	return vh_answer_next(text, what, &at);
}

bool vh_has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text; n && (at = strstr(at, word)); at++)
		if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

bool vh_quotable(const char *s)
{
	for (const char *c = s; c && *c; c++)
		if (*c == '\'' || (unsigned char)*c < ' ')
			return false;
	return s && *s;
}

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
