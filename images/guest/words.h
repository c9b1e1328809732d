// SPDX-License-Identifier: Apache-2.0
/* What lines of an identity are made of. Functions that return a text return NULL when all is well, else why not. */
#ifndef VH_GUEST_WORDS_H
#define VH_GUEST_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Digits alone, within the bounds. */
bool vh_word_number(const char *s, unsigned min, unsigned max, unsigned *ret);
/* A private key file's text, in base64, into *key (malloc'd); one of a kind. */
const char *vh_word_private(char **key, size_t *len, const char *text);
/* A public key, into *key (malloc'd); one of a kind. */
const char *vh_word_public(char **key, const char *text);
/* One more of at most max public keys; *keys and each of them are malloc'd. */
const char *vh_word_key(char ***keys, size_t *n, size_t max, const char *text);
/* Puts a copy of the item, of size bytes, behind the *n of *array (malloc'd), which are at most max. */
const char *vh_word_append(void **array, size_t *n, size_t max, size_t size, const void *item);

#endif
