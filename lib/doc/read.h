// SPDX-License-Identifier: Apache-2.0
/* A document read from its tree; under lib/doc. */
#ifndef VH_DOC_READ_H
#define VH_DOC_READ_H

#include "lib/doc/doc.h"

/* As vh_doc_parse, and with given as vh_doc_layer. */
int vh_doc_read(const char *name, const struct vh_yaml *root, const struct vh_key *keys, void *out, uint64_t *given,
		struct vh_err *err);

#endif
