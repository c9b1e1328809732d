// SPDX-License-Identifier: Apache-2.0
/* NULL-terminated vectors of strings (argv and the like), owned by the caller. */
#ifndef VH_STRV_H
#define VH_STRV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include "lib/cleanup.h"

/* Appends a copy (or the formatted text). 0 or -ENOMEM; *v is NULL when empty. */
int vh_strv_push(char ***v, const char *s);
int vh_strv_pushf(char ***v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t vh_strv_len(char *const *v);
bool vh_strv_has(char *const *v, const char *s);
void vh_strv_sort(char **v);
/* The value of NAME in an environment of NAME=VALUE, or NULL; env may be NULL. */
const char *vh_env_get(char *const *env, const char *name);
void vh_strv_free(char **v);
static inline void vh_strv_freep(char ***v) { vh_strv_free(*v); }
#define vh_autostrv vh_cleanup(vh_strv_freep) char **

/* The candidate nearest to word by edit distance, when it is near enough to be a
 * slip of the hand (at most a third of its letters differ), else NULL. */
const char *vh_nearest(const char *word, const char *const *candidates, size_t n);

/* asprintf and vasprintf that return NULL on failure. */
char *vh_strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *vh_vstrf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
