// SPDX-License-Identifier: Apache-2.0
/* What may stand in an image.json, whoever wrote it. */
#ifndef VH_MEMBERS_H
#define VH_MEMBERS_H

#include <jansson.h>
#include "lib/err.h"

/* An image.json from memory, once every member of it is what the store writes itself: its kind, its length and
 * its characters. shown: its name in errors. -EBADMSG, refused: the member is named. */
int vh_members_parse(const char *shown, const char *text, size_t len, json_t **ret, struct vh_err *err);

#endif
