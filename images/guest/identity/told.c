// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/told.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/guest/files.h"
#include "images/guest/guest.h"

/* The length of the credential in a line, the credential, and what was told. */
#define TOLD "etc/vhpc/told"
enum { LINE_MAX = 16 };

static void wipe(char *text, size_t len)
{
	if (text)
		explicit_bzero(text, len);
	free(text);
}

int vh_told_keep(int root, const char *text, size_t len)
{
	size_t n, head, all;
	char *credential = vh_guest_read(root, VH_CREDENTIAL, VH_ID_TEXT_MAX, &n), *both;
	int r;

	if (!credential)
		return errno == ENOENT ? 0 : vh_guest_complain(VH_CREDENTIAL, strerror(errno));
	both = malloc(LINE_MAX + n + len);
	if (!both) {
		wipe(credential, n);
		return vh_guest_complain(TOLD, "out of memory");
	}
	head = (size_t)snprintf(both, LINE_MAX, "%zu\n", n);
	memcpy(both + head, credential, n);
	memcpy(both + head + n, text, len);
	all = head + n + len;
	r = vh_guest_directory(root, "etc/vhpc", 0755, 0, 0);
	if (r == 0)
		r = vh_guest_put(root, &(struct vh_guest_file){ TOLD, both, all, 0600, 0, 0 });
	wipe(credential, n);
	wipe(both, all);
	return r;
}

char *vh_told_since(int root, const char *credential, size_t len, size_t *ret_len)
{
	size_t all, n;
	char *both = vh_guest_read(root, TOLD, LINE_MAX + 2 * VH_ID_TEXT_MAX, &all), *end = both, *text = NULL;

	if (!both)
		return NULL;
	n = strtoul(both, &end, 10);
	if (*end == '\n' && n == len && (size_t)(++end - both) + n < all && !memcmp(end, credential, n)) {
		*ret_len = all - (size_t)(end - both) - n;
		text = malloc(*ret_len);
		if (text)
			memcpy(text, end + n, *ret_len);
	}
	wipe(both, all);
	return text;
}
