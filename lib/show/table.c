// SPDX-License-Identifier: Apache-2.0
#include "lib/show/table.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

enum { MAX_COLS = 16 };

/* The member that a dotted key names. */
static const json_t *member(const json_t *row, const char *key)
{
	while (row && *key) {
		size_t n = strcspn(key, ".");
		vh_autofree char *name = strndup(key, n);

		row = name ? json_object_get(row, name) : NULL;
		key += n + (key[n] == '.');
	}
	return row;
}

static char *number_text(const struct vh_col *col, const json_t *v)
{
	char buf[16];

	if (col->kind == VH_COL_SIZE)
		return strdup(vh_size_format(buf, sizeof(buf), (uint64_t)json_integer_value(v)));
	if (json_is_integer(v))
		return vh_strf("%lld", (long long)json_integer_value(v));
	return vh_strf("%.6g", json_real_value(v));
}

static char *scalar_text(const struct vh_col *col, const json_t *v)
{
	if (json_is_string(v))
		return strdup(json_string_value(v));
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "yes" : "no");
	if (json_is_number(v))
		return number_text(col, v);
	return strdup("-");
}

static char *list_text(const struct vh_col *col, const json_t *v)
{
	char *text = NULL;
	size_t len, i;
	const json_t *item;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	json_array_foreach(v, i, item) {
		vh_autofree char *s = scalar_text(col, item);

		fprintf(f, "%s%s", i ? "," : "", s ? s : "?");
	}
	fclose(f);
	return text;
}

/* What stands in a cell; names may come from guests and files, so no control characters. */
static char *cell_text(const struct vh_col *col, const json_t *row)
{
	const json_t *v = member(row, col->key);

	return vh_plain(json_is_array(v) && json_array_size(v) ? list_text(col, v) : scalar_text(col, v));
}

static size_t width(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return n;
}

static void print_cell(FILE *f, const char *text, size_t room, bool right, bool last)
{
	int pad = (int)(room - width(text));

	if (right)
		fprintf(f, "%*s%s", pad, "", text);
	else
		fprintf(f, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", f);
}

void vh_table_print(FILE *f, const struct vh_col *cols, const json_t *rows)
{
	size_t n_cols = 0, n_rows = json_array_size(rows), widths[MAX_COLS] = { 0 };
	vh_autostrv cells = NULL;
	char **cell;

	while (cols[n_cols].head && n_cols < MAX_COLS) {
		widths[n_cols] = width(cols[n_cols].head);
		n_cols++;
	}
	cell = cells = calloc(n_rows * n_cols + 1, sizeof(*cells));
	if (!cells)
		return;
	for (size_t i = 0; i < n_rows; i++)
		for (size_t c = 0; c < n_cols; c++, cell++) {
			*cell = cell_text(&cols[c], json_array_get(rows, i));
			if (!*cell)
				return;
			if (width(*cell) > widths[c])
				widths[c] = width(*cell);
		}
	for (size_t c = 0; c < n_cols; c++)
		print_cell(f, cols[c].head, widths[c], cols[c].kind == VH_COL_RIGHT || cols[c].kind == VH_COL_SIZE,
			   c + 1 == n_cols);
	for (size_t i = 0; i < n_rows * n_cols; i++) {
		const struct vh_col *col = &cols[i % n_cols];

		print_cell(f, cells[i], widths[i % n_cols],
			   col->kind == VH_COL_RIGHT || col->kind == VH_COL_SIZE, (i + 1) % n_cols == 0);
	}
}

int vh_listing(const struct vh_cli *cli, const char *schema, const char *name,
	       const struct vh_col *cols, json_t *rows, struct vh_err *err)
{
	vh_autojson stolen = rows;

	if (cli->json)
		return vh_json_print(schema, json_pack("{s:O}", name, stolen), err);
	if (json_array_size(stolen) == 0) {
		if (!cli->quiet)
			fprintf(stderr, "%s: no %s\n", cli->prog, name);
		return 0;
	}
	vh_table_print(stdout, cols, stolen);
	return 0;
}
