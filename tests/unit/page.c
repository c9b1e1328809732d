// SPDX-License-Identifier: Apache-2.0
/* Reference pages beside the tables that documents are read by. */
#include <stdlib.h>
#include <string.h>

#include "lib/doc/doc.h"
#include "lib/files/files.h"
#include "tests/unit/unit.h"

enum { PAGE_MAX = 65536 };

static char *read_page(const char *path)
{
	vh_autofclose FILE *f = fopen(path, "re");
	char *text = calloc(1, PAGE_MAX);

	ck_assert_msg(f != NULL, "%s: cannot be opened", path);
	ck_assert_uint_lt(fread(text, 1, PAGE_MAX - 1, f), PAGE_MAX - 1);
	return text;
}

/* The table goes from its head to the next empty line. */
static void write_anew(const char *path, const char *page, const char *table)
{
	const char *from = strstr(page, "| key | type | default |"), *to = from ? strstr(from, "\n\n") : NULL;
	vh_autofree char *text = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(from);
	fprintf(f, "%.*s%s%s", (int)(from - page), page, table, to ? to + 1 : "");
	fclose(f);
	ck_assert_int_eq(vh_write_file(path, text, len, 0644, &err), 0);
}

void unit_check_page(const char *path, const struct vh_key *keys)
{
	vh_autofree char *page = read_page(path), *table = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&table, &len);

	vh_doc_reference(f, keys);
	fclose(f);
	if (getenv("VHPC_REFRESH"))
		write_anew(path, page, table);
	else
		ck_assert_msg(strstr(page, table) != NULL, "%s: VHPC_REFRESH=1 writes it anew:\n%s", path, table);
}
