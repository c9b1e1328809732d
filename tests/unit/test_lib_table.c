// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "lib/json.h"
#include "lib/show/table.h"
#include "tests/unit/unit.h"

static const struct vh_col cols[] = {
	{ "NAME", "name", VH_COL_TEXT },
	{ "N", "n", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },
	{ "ON", "on", VH_COL_BOOL },
	{ "CPUS", "place.cpus", VH_COL_TEXT },
	{ 0 }
};

static json_t *rows_of(const char *text)
{
	json_t *rows = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(rows);
	return rows;
}

static char *table_of(const char *text)
{
	vh_autojson rows = rows_of(text);
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	vh_table_print(f, cols, rows);
	fclose(f);
	return out;
}

START_TEST(columns_are_aligned)
{
	vh_autofree char *out = table_of("[{\"name\": \"a\", \"n\": 7, \"memory\": 1073741824, \"on\": true,"
					 "  \"place\": {\"cpus\": [0, 1, 2]}},"
					 " {\"name\": \"longer\", \"n\": 1234, \"memory\": 512, \"on\": false,"
					 "  \"place\": {\"cpus\": []}}]");

	ck_assert_str_eq(out,
			 "NAME       N  MEMORY  ON   CPUS\n"
			 "a          7   1 GiB  yes  0,1,2\n"
			 "longer  1234   512 B  no   -\n");
}
END_TEST

START_TEST(absent_and_null_are_dashes)
{
	vh_autofree char *out = table_of("[{\"name\": null, \"place\": 5}]");

	ck_assert_str_eq(out,
			 "NAME  N  MEMORY  ON  CPUS\n"
			 "-     -       -  -   -\n");
}
END_TEST

START_TEST(control_characters_do_not_reach_the_terminal)
{
	vh_autofree char *out = table_of("[{\"name\": \"a\\u001b[31m\\nb\"}]");

	ck_assert_ptr_null(strchr(out, 0x1b));
	ck_assert_ptr_nonnull(strstr(out, "a?[31m b"));
}
END_TEST

static void check_text(const char *given, const char *wanted)
{
	vh_autojson j = vh_json_text(given);

	ck_assert_str_eq(json_string_value(j), wanted);
}

START_TEST(any_bytes_can_be_json)
{
	vh_autojson none = vh_json_text(NULL);

	ck_assert(json_is_null(none));
	check_text("", "");
	check_text("\303\274\nx", "\303\274\nx");
	check_text("\303\274 \303", "?? ?");
}
END_TEST

START_TEST(width_counts_letters_not_bytes)
{
	vh_autofree char *out = table_of("[{\"name\": \"Z\\u00fcrich\", \"n\": 1}, {\"name\": \"Genf\", \"n\": 2}]");

	ck_assert_ptr_nonnull(strstr(out, "Z\xc3\xbcrich  1 "));
	ck_assert_ptr_nonnull(strstr(out, "\nGenf    2 "));
}
END_TEST

START_TEST(listing_is_json_with_its_schema)
{
	struct vh_cli cli = { .prog = "vhpc unit", .verb = "list", .json = true };
	vh_autoerr err = VH_ERR_NONE;
	unit_autooutput o = { 0 };
	vh_autojson doc = NULL;

	unit_capture_begin(&o);
	ck_assert_int_eq(vh_listing(&cli, "vhpc.unit.list/1", "units", cols, rows_of("[{\"name\": \"a\"}]"), &err), 0);
	unit_capture_end(&o);
	doc = json_loads(o.out, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(doc, "schema")), "vhpc.unit.list/1");
	ck_assert_uint_eq(json_array_size(json_object_get(doc, "units")), 1);
	ck_assert_ptr_eq(strstr(o.out, "\"schema\""), o.out + strcspn(o.out, "\""));
}
END_TEST

START_TEST(empty_listing_is_said_but_is_no_data)
{
	struct vh_cli cli = { .prog = "vhpc unit", .verb = "list" };
	vh_autoerr err = VH_ERR_NONE;
	unit_autooutput o = { 0 }, json = { 0 };
	vh_autojson doc = NULL;

	unit_capture_begin(&o);
	ck_assert_int_eq(vh_listing(&cli, "vhpc.unit.list/1", "units", cols, rows_of("[]"), &err), 0);
	unit_capture_end(&o);
	ck_assert_str_eq(o.out, "");
	ck_assert_str_ne(o.err, "");
	cli.json = true;
	unit_capture_begin(&json);
	ck_assert_int_eq(vh_listing(&cli, "vhpc.unit.list/1", "units", cols, rows_of("[]"), &err), 0);
	unit_capture_end(&json);
	doc = json_loads(json.out, 0, NULL);
	ck_assert(json_is_array(json_object_get(doc, "units")));
	ck_assert_str_eq(json.err, "");
}
END_TEST

UNIT_SUITE(lib_table, columns_are_aligned, absent_and_null_are_dashes, control_characters_do_not_reach_the_terminal, any_bytes_can_be_json,
	   width_counts_letters_not_bytes, listing_is_json_with_its_schema, empty_listing_is_said_but_is_no_data)
