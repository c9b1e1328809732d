// SPDX-License-Identifier: Apache-2.0
/* Several runs of the ping-pong put together, and their table. */
#include "mpirun-wrap/bench/bench.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"

static json_t *size_of(json_t *sizes, json_int_t bytes)
{
	json_t *s;
	size_t i;

	json_array_foreach(sizes, i, s)
		if (json_integer_value(json_object_get(s, "bytes")) == bytes)
			return s;
	s = json_pack("{s:I, s:[]}", "bytes", bytes, "us");
	return s && json_array_append_new(sizes, s) == 0 ? s : NULL;
}

int vh_mpi_bench_add(json_t *transport, const json_t *run)
{
	const json_t *seen = json_object_get(run, "transport"), *sizes = json_object_get(run, "sizes"), *s;
	size_t i;

	if (!json_is_string(seen) || !json_is_array(sizes))
		return -EBADMSG;
	json_object_set(transport, "seen", (json_t *)seen);
	json_array_foreach(sizes, i, s) {
		const json_t *bytes = json_object_get(s, "bytes"), *us = json_object_get(s, "us");
		json_t *mine = json_is_integer(bytes) ? size_of(json_object_get(transport, "sizes"), json_integer_value(bytes)) : NULL;

		if (!mine || !json_is_array(us) || json_array_extend(json_object_get(mine, "us"), (json_t *)us) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double mib_s(double bytes, double us)
{
	return us > 0 ? bytes / us * 1e6 / 1048576 : 0;
}

static int sum_size(json_t *s)
{
	const json_t *us = json_object_get(s, "us");
	const double bytes = (double)json_integer_value(json_object_get(s, "bytes"));
	size_t n = json_array_size(us);
	vh_autofree double *v = calloc(n + 1, sizeof(*v));

	if (!v || n == 0)
		return v ? -EBADMSG : -ENOMEM;
	for (size_t i = 0; i < n; i++)
		v[i] = json_number_value(json_array_get(us, i));
	qsort(v, n, sizeof(*v), by_value);
	json_object_set_new(s, "batches", json_integer((json_int_t)n));
	json_object_set_new(s, "latency_us", json_pack("{s:f, s:f}", "min", v[0], "p25", v[n / 4]));
	json_object_set_new(s, "bandwidth_mib_s", json_pack("{s:f, s:f}", "max", mib_s(bytes, v[0]), "p75", mib_s(bytes, v[n / 4])));
	return json_object_del(s, "us");
}

int vh_mpi_bench_sum(json_t *transport)
{
	json_t *s;
	size_t i;
	int r = 0;

	json_array_foreach(json_object_get(transport, "sizes"), i, s)
		r = r == 0 ? sum_size(s) : r;
	return r;
}

static double figure(const json_t *s, const char *of, const char *which)
{
	return json_number_value(json_object_get(json_object_get(s, of), which));
}

static void print_transport(FILE *f, const json_t *t)
{
	static const struct vh_col cols[] = {
		{ "BYTES", "bytes", VH_COL_RIGHT }, { "BATCHES", "batches", VH_COL_RIGHT }, { "MIN us", "min", VH_COL_RIGHT },
		{ "P25 us", "p25", VH_COL_RIGHT }, { "MAX MiB/s", "max", VH_COL_RIGHT }, { "P75 MiB/s", "p75", VH_COL_RIGHT }, { 0 }
	};
	const char *error = json_string_value(json_object_get(t, "error")), *seen = json_string_value(json_object_get(t, "seen"));
	vh_autojson rows = json_array();
	const json_t *s;
	size_t i;

	fprintf(f, "\n%s, %s%s%s\n", json_string_value(json_object_get(t, "transport")), json_string_value(json_object_get(t, "hosts")),
		seen ? "; messages seen to go by: " : "", seen ? seen : "");
	if (error)
		fprintf(f, "not measured: %s\n", error);
	json_array_foreach(json_object_get(t, "sizes"), i, s)
		json_array_append_new(rows, json_pack("{s:O, s:O, s:o, s:o, s:o, s:o}", "bytes", json_object_get(s, "bytes"),
			"batches", json_object_get(s, "batches"), "min", json_sprintf("%.2f", figure(s, "latency_us", "min")),
			"p25", json_sprintf("%.2f", figure(s, "latency_us", "p25")), "max", json_sprintf("%.1f", figure(s, "bandwidth_mib_s", "max")),
			"p75", json_sprintf("%.1f", figure(s, "bandwidth_mib_s", "p75"))));
	if (json_array_size(rows))
		vh_table_print(f, cols, rows);
}

void vh_mpi_bench_print(FILE *f, const json_t *doc)
{
	const json_t *mpi = json_object_get(doc, "mpi"), *t;
	const char *accel = json_string_value(json_object_get(doc, "accel"));
	size_t i;

	fprintf(f, "cluster %s, %s %s, %s%s, %d turns of %d s each, load before %.2f; one way\n", json_string_value(json_object_get(doc, "cluster")),
		json_string_value(json_object_get(mpi, "name")), json_string_value(json_object_get(mpi, "version")), accel,
		strcmp(accel, "tcg") ? "" : " (CPUs are emulated)", (int)json_integer_value(json_object_get(doc, "rounds")),
		(int)json_integer_value(json_object_get(doc, "seconds")), json_number_value(json_object_get(doc, "load")));
	json_array_foreach(json_object_get(doc, "transports"), i, t)
		print_transport(f, t);
}
