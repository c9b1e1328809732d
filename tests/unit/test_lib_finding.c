// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include "lib/show/finding.h"
#include "lib/json.h"
#include "tests/unit/unit.h"

static const char *text_of(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

START_TEST(rows_say_object_check_verdict_and_mend)
{
	vh_autofindings f = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson rows = NULL;
	const json_t *row;

	ck_assert_ptr_nonnull(vh_finding_add(&f, &(struct vh_finding){
		.object = "0000:3b:00.1", .check = "driver", .verdict = VH_WRONG, .found = "none is bound",
		.wanted = "vfio-pci", .mend = "vhpc sriov bind 0000:3b:00.1", .stops = true }));
	ck_assert_uint_eq(f.count[VH_WRONG], 1);
	ck_assert_uint_eq(f.stops, 1);
	ck_assert_int_eq(vh_findings_end(&f, &rows, &err), 0);
	row = json_array_get(rows, 0);
	ck_assert_str_eq(text_of(row, "object"), "0000:3b:00.1");
	ck_assert_str_eq(text_of(row, "check"), "driver");
	ck_assert_str_eq(text_of(row, "verdict"), "wrong");
	ck_assert_str_eq(text_of(row, "found"), "none is bound");
	ck_assert_str_eq(text_of(row, "wanted"), "vfio-pci");
	ck_assert_str_eq(text_of(row, "mend"), "vhpc sriov bind 0000:3b:00.1");
	ck_assert(json_is_true(json_object_get(row, "stops")));
	ck_assert_uint_eq(json_object_size(row), 7);
}
END_TEST

START_TEST(what_is_well_needs_no_mend_and_stops_nothing)
{
	vh_autofindings f = VH_FINDINGS_NONE;
	json_t *row = vh_finding_add(&f, &(struct vh_finding){ .object = "node-1", .check = "clock", .mend = "chronyd", .stops = true });

	ck_assert(json_is_null(json_object_get(row, "mend")));
	ck_assert(json_is_null(json_object_get(row, "found")));
	ck_assert(json_is_false(json_object_get(row, "stops")));
	ck_assert_uint_eq(f.stops, 0);
}
END_TEST

START_TEST(what_is_unknown_is_not_wrong)
{
	vh_autofindings f = VH_FINDINGS_NONE;

	vh_finding_add(&f, &(struct vh_finding){ .object = "p0", .check = "SM", .verdict = VH_UNKNOWN, .stops = true });
	ck_assert_uint_eq(f.count[VH_UNKNOWN], 1);
	ck_assert_uint_eq(f.count[VH_WRONG], 0);
	ck_assert_uint_eq(f.stops, 0);
}
END_TEST

START_TEST(bytes_of_strangers_become_a_row_all_the_same)
{
	vh_autofindings f = VH_FINDINGS_NONE;
	json_t *row = vh_finding_add(&f, &(struct vh_finding){ .object = "a\xff", .check = "x", .found = "\xfe!" });

	ck_assert_str_eq(text_of(row, "object"), "a?");
	ck_assert_str_eq(text_of(row, "found"), "?!");
}
END_TEST

START_TEST(nothing_found_is_an_empty_array)
{
	vh_autofindings f = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson rows = NULL;

	ck_assert_int_eq(vh_findings_end(&f, &rows, &err), 0);
	ck_assert(json_is_array(rows));
	ck_assert_uint_eq(json_array_size(rows), 0);
}
END_TEST

START_TEST(what_is_well_is_left_out_where_only_the_rest_is_wanted)
{
	vh_autofindings f = VH_FINDINGS_NONE;
	vh_autofree char *out = NULL;
	size_t len;
	FILE *stream = open_memstream(&out, &len);

	vh_finding_add(&f, &(struct vh_finding){ .object = "node-1", .check = "clock" });
	vh_finding_add(&f, &(struct vh_finding){ .object = "node-2", .check = "clock", .verdict = VH_WRONG, .found = "+9.0 s" });
	vh_findings_print(stream, f.rows, false);
	fclose(stream);
	ck_assert_ptr_null(strstr(out, "node-1"));
	ck_assert_ptr_nonnull(strstr(out, "node-2"));
	ck_assert_ptr_nonnull(strstr(out, "wrong"));
	ck_assert(vh_finding_is(json_array_get(f.rows, 0), VH_OK));
	ck_assert_str_eq(vh_finding_text(json_array_get(f.rows, 0), "found"), "");
}
END_TEST

START_TEST(findings_are_joined_with_their_counts)
{
	vh_autofindings f = VH_FINDINGS_NONE, more = VH_FINDINGS_NONE;

	vh_finding_add(&f, &(struct vh_finding){ .object = "a", .check = "x" });
	vh_finding_add(&more, &(struct vh_finding){ .object = "b", .check = "x", .verdict = VH_WRONG, .stops = true });
	vh_findings_join(&f, &more);
	ck_assert_uint_eq(json_array_size(f.rows), 2);
	ck_assert_uint_eq(f.count[VH_OK], 1);
	ck_assert_uint_eq(f.count[VH_WRONG], 1);
	ck_assert_uint_eq(f.stops, 1);
	ck_assert_ptr_null(more.rows);
}
END_TEST

UNIT_SUITE(lib_finding, rows_say_object_check_verdict_and_mend, what_is_well_needs_no_mend_and_stops_nothing,
	 what_is_unknown_is_not_wrong, bytes_of_strangers_become_a_row_all_the_same, nothing_found_is_an_empty_array,
	 what_is_well_is_left_out_where_only_the_rest_is_wanted, findings_are_joined_with_their_counts)
