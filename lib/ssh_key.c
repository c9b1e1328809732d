// SPDX-License-Identifier: Apache-2.0
#include "lib/ssh_key.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 4, BLOB_MIN = 32 };

static int base64_digit(char c)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(set, c) : NULL;

	return p ? (int)(p - set) : -1;
}

bool vh_base64_decode(const char *text, size_t n, char **ret, size_t *ret_len)
{
	size_t pad = n && text[n - 1] == '=' ? (n > 1 && text[n - 2] == '=' ? 2 : 1) : 0, len = 0;
	unsigned char *out = n && n % 4 == 0 ? malloc(n / 4 * 3 + 1) : NULL;
	unsigned acc = 0;

	for (size_t i = 0; out && i < n; i++) {
		int d = i < n - pad ? base64_digit(text[i]) : 0;

		if (d < 0) {
			free(out);
			return false;
		}
		acc = acc << 6 | (unsigned)d;
		if (i % 4 != 3)
			continue;
		out[len++] = acc >> 16 & 255;
		out[len++] = acc >> 8 & 255;
		out[len++] = acc & 255;
	}
	if (!out)
		return false;
	len -= pad;
	out[len] = 0;
	*ret = (char *)out;
	*ret_len = len;
	return true;
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* A key begins with its type's length, in four bytes, and its type. */
static bool is_of_type(const char *blob, size_t len, const char *type, size_t n)
{
	return len >= BLOB_MIN && len > LENGTH_BYTES + n && !memcmp(blob, (char[]){ 0, 0, 0, (char)n }, LENGTH_BYTES) &&
	       !memcmp(blob + LENGTH_BYTES, type, n);
}

bool vh_is_ssh_key(const char *text)
{
	static const char *const types[] = {
		"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
		"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", NULL,
	};
	const size_t n = strcspn(text, " ");
	const char *const *t = types;
	char *blob = NULL;
	size_t len = 0, m;

	while (*t && (strlen(*t) != n || strncmp(*t, text, n)))
		t++;
	if (!*t || !text[n] || !is_printable(text))
		return false;
	m = strcspn(text + n + 1, " ");
	bool ok = m <= VH_SSH_KEY_MAX && vh_base64_decode(text + n + 1, m, &blob, &len) && is_of_type(blob, len, *t, n);
	free(blob);
	return ok;
}
