// SPDX-License-Identifier: Apache-2.0
/* Every package of an image with version and hash (docs/formats/lock.md): what `vhpc image
 * lock` prints, and what a build takes its packages by. */
#ifndef VH_PINS_H
#define VH_PINS_H

#include <jansson.h>
#include <sha256.h>
#include <stdint.h>
#include "lib/err.h"

#define VH_LOCK_SCHEMA "vhpc.lock/1"

struct vh_pin {
	char *name, *version, *arch;
	char *sha256;		/* hexadecimal, of the .deb */
	uint64_t size;		/* bytes of it */
};

struct vh_pins {
	char *suite;
	char *sources;		/* the image's sources.list */
	struct vh_pin *items;	/* by name, then architecture */
	size_t n;
};

/* Frees what it holds, not itself. */
void vh_pins_clear(struct vh_pins *pins);
#define vh_autopins vh_cleanup(vh_pins_clear) struct vh_pins

/* Takes copies; -EINVAL for what is no name, version, architecture or hash. */
int vh_pins_add(struct vh_pins *pins, const char *name, const char *version, const char *arch,
		const char *sha256, uint64_t size, struct vh_err *err);
void vh_pins_sort(struct vh_pins *pins);
/* NULL when there is none of that name. */
const struct vh_pin *vh_pins_find(const struct vh_pins *pins, const char *name);
void vh_pins_digest(const struct vh_pins *pins, SHA256_CTX *s);

/* As docs/formats/lock.md has it; NULL without memory. */
json_t *vh_pins_json(const struct vh_pins *pins);
/* -ENOENT without error text when there is no such file. */
int vh_pins_load(const char *path, struct vh_pins *ret, struct vh_err *err);
int vh_pins_parse(const char *name, const char *text, size_t len, struct vh_pins *ret, struct vh_err *err);
int vh_pins_save(const struct vh_pins *pins, const char *path, struct vh_err *err);

#endif
