// SPDX-License-Identifier: Apache-2.0
/* SHA-256 (FIPS 180-4). */
#ifndef VH_SHA256_H
#define VH_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct vh_sha256 {
	uint32_t state[8];
	uint64_t len;
	uint8_t block[64];
};

void vh_sha256_init(struct vh_sha256 *s);
void vh_sha256_add(struct vh_sha256 *s, const void *data, size_t len);
/* Hexadecimal, lower case, with NUL. */
void vh_sha256_end(struct vh_sha256 *s, char hex[65]);

#endif
