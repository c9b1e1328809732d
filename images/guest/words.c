// SPDX-License-Identifier: Apache-2.0
#include "images/guest/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ssh_key.h"

#define KEY_HEAD "-----BEGIN OPENSSH PRIVATE KEY-----\n"

enum { DIGITS_MAX = 10 };

bool vh_word_number(const char *s, unsigned min, unsigned max, unsigned *ret)
{
	size_t n = strlen(s);

	if (n == 0 || n > DIGITS_MAX || strspn(s, "0123456789") != n)
		return false;
	unsigned long v = strtoul(s, NULL, 10);
	if (v < min || v > max)
		return false;
	*ret = (unsigned)v;
	return true;
}

const char *vh_word_private(char **key, size_t *len, const char *text)
{
	size_t n = strlen(text);

	if (*key)
		return "a second private key of this kind";
	if (n > VH_SSH_KEY_MAX || !vh_base64_decode(text, n, key, len))
		return "private key is not base64";
	if (strlen(*key) != *len || strncmp(*key, KEY_HEAD, strlen(KEY_HEAD)))
		return "not an OpenSSH private key";
	return NULL;
}

const char *vh_word_public(char **key, const char *text)
{
	if (*key)
		return "a second public key of this kind";
	if (!vh_is_ssh_key(text))
		return "not an OpenSSH public key";
	*key = strdup(text);
	return *key ? NULL : "out of memory";
}

const char *vh_word_key(char ***keys, size_t *n, size_t max, const char *text)
{
	char *key = NULL;
	const char *why = vh_word_public(&key, text);

	if (!why)
		why = vh_word_append((void **)keys, n, max, sizeof(key), &key);
	if (why)
		free(key);
	return why;
}

const char *vh_word_append(void **array, size_t *n, size_t max, size_t size, const void *item)
{
	if (*n == max)
		return "too many lines of this kind";
	if ((*n & (*n - 1)) == 0) {
		void *p = realloc(*array, (*n ? *n * 2 : 1) * size);

		if (!p)
			return "out of memory";
		*array = p;
	}
	memcpy((char *)*array + *n * size, item, size);
	++*n;
	return NULL;
}
