// SPDX-License-Identifier: Apache-2.0
/* libmd's SHA-256 over texts. */
#ifndef VH_DIGEST_H
#define VH_DIGEST_H

#include <sha256.h>
#include <string.h>

enum { VH_DIGEST_HEX = SHA256_DIGEST_STRING_LENGTH };	/* with NUL */

/* Bytes as they are. */
static inline void vh_digest_add(SHA256_CTX *s, const void *data, size_t len)
{
	SHA256_Update(s, data, len);
}

/* With its NUL, so that no two lists of texts look alike. */
static inline void vh_digest_text(SHA256_CTX *s, const char *text)
{
	SHA256_Update(s, (const uint8_t *)text, strlen(text) + 1);
}

#endif
