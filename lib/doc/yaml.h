// SPDX-License-Identifier: Apache-2.0
/* Untrusted YAML as a tree of nodes with their places; under lib/doc. */
#ifndef VH_YAML_H
#define VH_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

enum { VH_YAML_MAX_BYTES = 1 << 20, VH_YAML_MAX_DEPTH = 32, VH_YAML_MAX_NODES = 20000 };

enum vh_yaml_type { VH_YAML_SCALAR, VH_YAML_LIST, VH_YAML_MAP };

struct vh_yaml {
	enum vh_yaml_type type;
	unsigned line, column;	/* from 1 */
	const char *source;	/* borrowed: the file that it was included from; NULL: the document's own */
	char *text;		/* scalar: valid UTF-8 without control characters but tab and newline */
	bool null;		/* scalar: nothing, ~ or null, unquoted */
	struct vh_yaml **items;	/* list: its nodes; map: key and value in turn */
	size_t n;
};

/* Reads one document; an empty one gives a null scalar. name stands for the file in errors. */
int vh_yaml_parse(const char *name, const char *text, size_t len, struct vh_yaml **ret,
		  struct vh_err *err);
void vh_yaml_free(struct vh_yaml *node);
static inline void vh_yaml_freep(struct vh_yaml **n) { vh_yaml_free(*n); }

/* The value of that key of a map, or NULL. */
const struct vh_yaml *vh_yaml_get(const struct vh_yaml *map, const char *name);

const char *vh_yaml_type_name(const struct vh_yaml *node);

#endif
