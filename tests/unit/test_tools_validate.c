// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/validate/results.h"

#define KERNEL(k, best, p75) "{\"schema\": \"vhpc.kernels/1\", \"kernel\": \"" k "\", \"best\": " best ", \"p75\": " p75 "}"
#define SIZE(b, min, max) "{\"bytes\": " b ", \"latency_us\": {\"min\": " min ", \"p25\": " min "}, " \
			  "\"bandwidth_mib_s\": {\"max\": " max ", \"p75\": " max "}}"
#define PINGPONG(transport, l0, l1, b64, b4) "{\"schema\": \"vhpc.pingpong/1\", \"transport\": \"" transport "\", \"sizes\": [" \
	SIZE("0", l0, "0") "," SIZE("1024", l1, "1") "," SIZE("65536", "9", b64) "," SIZE("4194304", "99", b4) "]}"

static void add(struct results *r, enum side side, const char *text)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(results_add(r, side, text, &err) == 0, "%s: %s", text, err.text);
}

#define assert_near(a, b) ck_assert_msg(fabs((a) - (b)) < 1e-9, "%g is not %g", (double)(a), (double)(b))

START_TEST(ratios_of_rates_and_times)
{
	static struct results r;

	add(&r, SIDE_HOST, KERNEL("fma", "80", "60"));
	add(&r, SIDE_HOST, KERNEL("fma", "100", "90"));
	add(&r, SIDE_HOST, KERNEL("fma", "90", "80"));
	add(&r, SIDE_VM, KERNEL("fma", "50", "40"));
	add(&r, SIDE_VM, KERNEL("fma", "40", "20"));
	assert_near(series_best(&r.of[METRIC_FMA][SIDE_HOST], false), 100);
	assert_near(series_typical(&r.of[METRIC_FMA][SIDE_HOST]), 80);
	assert_near(series_typical(&r.of[METRIC_FMA][SIDE_VM]), 30);
	assert_near(results_ratio(&r, METRIC_FMA, SIDE_VM), 0.5);
	assert_near(results_typical_ratio(&r, METRIC_FMA, SIDE_VM), 0.375);
	ck_assert(isnan(results_ratio(&r, METRIC_FMA, SIDE_PAIR)));
	ck_assert(isnan(results_ratio(&r, METRIC_TRIAD, SIDE_VM)));
}
END_TEST

START_TEST(pingpong_goes_to_four_rows)
{
	static struct results r;

	add(&r, SIDE_HOST, PINGPONG("shared memory", "0.5", "1", "4000", "8000"));
	add(&r, SIDE_VM, PINGPONG("shared memory", "1", "4", "1000", "16000"));
	add(&r, SIDE_PAIR, PINGPONG("tcp", "500", "1000", "40", "80"));
	assert_near(results_ratio(&r, METRIC_LATENCY_0, SIDE_VM), 0.5);
	assert_near(results_ratio(&r, METRIC_LATENCY_1K, SIDE_VM), 0.25);
	assert_near(results_ratio(&r, METRIC_BANDWIDTH_64K, SIDE_VM), 0.25);
	assert_near(results_ratio(&r, METRIC_BANDWIDTH_4M, SIDE_VM), 2);
	assert_near(results_ratio(&r, METRIC_LATENCY_0, SIDE_PAIR), 0.001);
	assert_near(results_ratio(&r, METRIC_BANDWIDTH_4M, SIDE_PAIR), 0.01);
	ck_assert_str_eq(r.transport[SIDE_HOST], "shared memory");
	ck_assert_str_eq(r.transport[SIDE_PAIR], "tcp");
}
END_TEST

/* A guest writes these. */
START_TEST(refuses_what_is_no_measurement)
{
	static const char *const bad[] = {
		"", "{", "[]", "7", "null", "{\"schema\": 1}", "{\"schema\": \"vhpc.kernels/2\"}", "Killed\n",
		KERNEL("fma", "0", "1"), KERNEL("fma", "-1", "1"), KERNEL("fma", "1e300", "1"), KERNEL("fma", "\"1\"", "1"),
		KERNEL("fma", "1", "null"), KERNEL("fma", "1", "0"), KERNEL("mpi", "1", "1"), KERNEL("", "1", "1"),
		PINGPONG("carrier pigeon", "1", "1", "1", "1"), PINGPONG("tcp", "0", "1", "1", "1"),
		"{\"schema\": \"vhpc.pingpong/1\", \"transport\": \"tcp\", \"sizes\": []}",
		"{\"schema\": \"vhpc.pingpong/1\", \"transport\": \"tcp\", \"sizes\": [7, {\"bytes\": \"0\"}]}",
		"{\"schema\": \"vhpc.pingpong/1\", \"sizes\": {}}",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		static struct results r;
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(results_add(&r, SIDE_VM, bad[i], &err) < 0, "accepted: %s", bad[i]);
		ck_assert_ptr_nonnull(err.text);
	}
}
END_TEST

START_TEST(no_more_runs_than_there_is_room)
{
	static struct results r;
	vh_autoerr err = VH_ERR_NONE;

	for (int i = 0; i < MAX_RUNS; i++)
		add(&r, SIDE_HOST, KERNEL("triad", "1", "1"));
	ck_assert_int_eq(results_add(&r, SIDE_HOST, KERNEL("triad", "1", "1"), &err), -ERANGE);
	ck_assert_uint_eq(r.of[METRIC_TRIAD][SIDE_HOST].n, MAX_RUNS);
}
END_TEST

START_TEST(rows_and_json)
{
	static struct results r;
	vh_autojson rows = NULL, *all = NULL;
	const json_t *row;

	add(&r, SIDE_HOST, KERNEL("fma", "123.4", "100"));
	add(&r, SIDE_VM, KERNEL("fma", "1.234", "1"));
	rows = results_rows(&r);
	all = results_json(&r);
	ck_assert_uint_eq(json_array_size(rows), N_METRICS);
	ck_assert_uint_eq(json_array_size(all), N_METRICS);
	row = json_array_get(rows, METRIC_FMA);
	ck_assert_str_eq(json_string_value(json_object_get(row, "host")), "123");
	ck_assert_str_eq(json_string_value(json_object_get(row, "vm")), "1.23");
	ck_assert_str_eq(json_string_value(json_object_get(row, "ratio")), "0.010");
	ck_assert(json_is_null(json_object_get(row, "pair")));
	row = json_array_get(all, METRIC_FMA);
	assert_near(json_number_value(json_object_get(json_object_get(row, "host"), "best")), 123.4);
	assert_near(json_number_value(json_object_get(row, "ratio")), 0.01);
	ck_assert(json_is_null(json_object_get(row, "pair_ratio")));
	ck_assert(json_is_null(json_object_get(json_array_get(all, METRIC_TRIAD), "host")));
}
END_TEST

UNIT_SUITE(tools_validate, ratios_of_rates_and_times, pingpong_goes_to_four_rows, refuses_what_is_no_measurement,
	   no_more_runs_than_there_is_room, rows_and_json)
