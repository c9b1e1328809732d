// SPDX-License-Identifier: Apache-2.0
/* Listings: the same rows as an aligned table for people and as JSON for programs. */
#ifndef VH_TABLE_H
#define VH_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include "lib/cli.h"

struct vh_col {
	const char *head;	/* "NAME" */
	const char *key;	/* member of the row object; "a.b" reaches into objects */
	enum { VH_COL_TEXT, VH_COL_RIGHT, VH_COL_SIZE, VH_COL_BOOL } kind;	/* SIZE: bytes; BOOL: yes/no */
};

/* cols end with a NULL head; rows is an array of objects. An absent or null member
 * prints as "-", an array joined with ",". vh_plain makes control characters harmless. */
void vh_table_print(FILE *f, const struct vh_col *cols, const json_t *rows);

/* One listing on stdout: with --json {"schema": "vhpc.image.list/1", "images": [...]}
 * (name is the last key), else the table, or a line on stderr when there are no rows.
 * Steals rows. */
int vh_listing(const struct vh_cli *cli, const char *schema, const char *name,
	       const struct vh_col *cols, json_t *rows, struct vh_err *err);

#endif
