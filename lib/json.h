// SPDX-License-Identifier: Apache-2.0
/* JSON documents by jansson: their end, texts of strangers in them, and printing them. */
#ifndef VH_JSON_H
#define VH_JSON_H

#include <jansson.h>
#include "lib/err.h"

/* Prints a JSON document on stdout with "schema" put first; steals doc. */
int vh_json_print(const char *schema, json_t *doc, struct vh_err *err);

/* A text of whatever bytes as a JSON string: where it is not UTF-8, what is not ASCII in it
 * becomes "?". NULL gives null. */
json_t *vh_json_text(const char *text);

static inline void vh_json_freep(json_t **j) { json_decref(*j); }
#define vh_autojson vh_cleanup(vh_json_freep) json_t *

#endif
