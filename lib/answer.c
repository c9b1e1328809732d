// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "lib/answer.h"

char *vh_answer_next(const char *text, const char *what, const char **at)
{
	size_t n = strlen(what);
	const char *l = *at ? strchr(*at, '\n') : text;

	if (*at && l)
		l++;
	for (; l && *l; l = strchr(l, '\n'), l = l ? l + 1 : NULL)
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
