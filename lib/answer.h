// SPDX-License-Identifier: Apache-2.0
/* What a script on another machine said: lines "@WHAT VALUE" among others. The text is untrusted. */
#ifndef VH_ANSWER_H
#define VH_ANSWER_H

#include <stdbool.h>

/* The rest of the first line "@WHAT ..." without blanks at its end; malloc'd, NULL when there is none. */
char *vh_answer(const char *text, const char *what);
/* Each such line in turn: *at is NULL at first. malloc'd. */
char *vh_answer_next(const char *text, const char *what, const char **at);
/* As a whole word among blanks. */
bool vh_has_word(const char *text, const char *word);
/* Can stand between the shell's single quotes. */
bool vh_quotable(const char *s);

#endif
