// SPDX-License-Identifier: Apache-2.0
/* The table in docs/formats/manifest.md is the one that manifests are read by
 * (VHPC_REFRESH=1 writes it anew, up to the next empty line). */
#include <stdlib.h>
#include <string.h>

#include "lib/files/files.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"

static const char page_path[] = "docs/formats/manifest.md";

static char *read_page(void)
{
	vh_autofclose FILE *f = fopen(page_path, "re");
	char *text = calloc(1, 65536);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_lt(fread(text, 1, 65535, f), 65535);
	return text;
}

static void write_anew(const char *page, const char *table)
{
	const char *from = strstr(page, "| key | type | default |"), *to = from ? strstr(from, "\n\n") : NULL;
	vh_autofree char *text = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(from);
	fprintf(f, "%.*s%s%s", (int)(from - page), page, table, to ? to + 1 : "");
	fclose(f);
	ck_assert_int_eq(vh_write_file(page_path, text, len, 0644, &err), 0);
}

START_TEST(page_has_the_table)
{
	vh_autofree char *page = read_page(), *table = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&table, &len);

	vh_doc_reference(f, manifest_keys);
	fclose(f);
	if (getenv("VHPC_REFRESH"))
		write_anew(page, table);
	else
		ck_assert_msg(strstr(page, table) != NULL, "%s: VHPC_REFRESH=1 writes it anew:\n%s", page_path, table);
}
END_TEST

UNIT_SUITE(tools_manifest, page_has_the_table)
