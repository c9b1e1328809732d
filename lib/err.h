// SPDX-License-Identifier: Apache-2.0
/* Errors: what failed, why, and, where it is known, what to do.
 *
 * Functions return 0 or -errno and take a struct vh_err as last argument where
 * several causes exist. Libraries fill it and never print; a program prints once.
 * Outputs (ret_x) are untouched on failure. */
#ifndef VH_ERR_H
#define VH_ERR_H

#include <stdio.h>
#include "lib/cleanup.h"

/* Exit codes, the same for every program. */
enum vh_exit {
	VH_EXIT_DONE = 0,
	VH_EXIT_FAILED = 1,
	VH_EXIT_USAGE = 2,
	VH_EXIT_REFUSED = 3,	/* a check said no: nothing was changed */
	VH_EXIT_PARTIAL = 4,	/* the journal says what is done; run again or undo */
};

struct vh_err {
	int num;		/* errno value, positive; 0: no error */
	enum vh_exit exit;	/* what the program exits with */
	char *text;		/* "object: cause" */
	char *hint;		/* what to do, or NULL */
};

/* Text of users, files and guests as one line with nothing in it that a terminal obeys, the
 * C1 controls of UTF-8 included: blanks become ' ', the rest '?'. In place; returns text. */
char *vh_plain(char *text);

/* Set the error and return -num. An error already there is replaced. The text
 * names the object and the cause, without a newline. num must not be 0. With ENOSPC, EDQUOT and EROFS it has a
 * hint, which another replaces. */
int vh_err_set(struct vh_err *err, int num, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with exit code 3 (refused, nothing changed) and 2 (usage). */
int vh_err_refuse(struct vh_err *err, int num, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int vh_err_usage(struct vh_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Adds the hint; returns -err->num, so that a caller can return it. */
int vh_err_hint(struct vh_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of the text; returns -err->num. */
int vh_err_within(struct vh_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Changes what the program exits with, where the caller knows better: nothing was changed after
 * all, or some of it stays; returns -err->num. */
int vh_err_as(struct vh_err *err, enum vh_exit code);

/* Out of memory, in one line at every allocation. */
int vh_err_nomem(struct vh_err *err);

/* Empties the error; it can be set again. */
void vh_err_clear(struct vh_err *err);
/* Moves src into dst (cleared first), for errors that come out of threads. */
void vh_err_move(struct vh_err *dst, struct vh_err *src);

/* "prog: text (hint: hint)" on f. */
void vh_err_print(FILE *f, const char *prog, const struct vh_err *err);

#define VH_ERR_NONE { 0 }
#define vh_autoerr vh_cleanup(vh_err_clear) struct vh_err

#endif
