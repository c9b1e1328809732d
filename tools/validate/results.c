// SPDX-License-Identifier: Apache-2.0
#include "tools/validate/results.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"

const struct metric metrics[N_METRICS] = {
	[METRIC_FMA] = { "fma", "multiply-add", "GFLOP/s", false, -1 },
	[METRIC_TRIAD] = { "triad", "memory triad", "GB/s", false, -1 },
	[METRIC_LATENCY_0] = { "mpi-latency-0", "MPI latency, 0 B", "us", true, 0 },
	[METRIC_LATENCY_1K] = { "mpi-latency-1k", "MPI latency, 1 KiB", "us", true, 1024 },
	[METRIC_BANDWIDTH_64K] = { "mpi-bandwidth-64k", "MPI bandwidth, 64 KiB", "MiB/s", false, 65536 },
	[METRIC_BANDWIDTH_4M] = { "mpi-bandwidth-4m", "MPI bandwidth, 4 MiB", "MiB/s", false, 4194304 },
};

static const char *const side_keys[N_SIDES] = { "host", "vm", "pair" };
static const char *const ratio_keys[N_SIDES] = { NULL, "ratio", "pair_ratio" };
static const char *const typical_keys[N_SIDES] = { NULL, "typical_ratio", "pair_typical_ratio" };

static int put_value(struct series *s, double best, double quartile, struct vh_err *err)
{
	/* Also refuses what is no number at all. */
	if (!(best > 0 && best < 1e12 && quartile > 0 && quartile < 1e12))
		return vh_err_set(err, EBADMSG, "a measured value is no positive number");
	if (s->n == MAX_RUNS)
		return vh_err_set(err, ERANGE, "more than %d runs", MAX_RUNS);
	s->best[s->n] = best;
	s->quartile[s->n++] = quartile;
	return 0;
}

static int add_kernel(struct results *r, enum side side, const json_t *doc, struct vh_err *err)
{
	const char *kernel = json_string_value(json_object_get(doc, "kernel"));

	for (int m = 0; kernel && m < N_METRICS; m++)
		if (!strcmp(kernel, metrics[m].key))
			return put_value(&r->of[m][side], json_number_value(json_object_get(doc, "best")),
					 json_number_value(json_object_get(doc, "p75")), err);
	return vh_err_set(err, EBADMSG, "a kernel that is not known");
}

/* The row of a message size, or NULL. */
static const json_t *size_row(const json_t *doc, int bytes)
{
	const json_t *sizes = json_object_get(doc, "sizes"), *bytes_here;

	for (size_t i = 0; i < json_array_size(sizes); i++) {
		bytes_here = json_object_get(json_array_get(sizes, i), "bytes");
		if (json_is_integer(bytes_here) && json_integer_value(bytes_here) == bytes)
			return json_array_get(sizes, i);
	}
	return NULL;
}

static int set_transport(struct results *r, enum side side, const json_t *doc, struct vh_err *err)
{
	static const char *const known[] = { "tcp", "shared memory", "no TCP socket", "unknown" };
	const char *seen = json_string_value(json_object_get(doc, "transport"));

	for (size_t i = 0; seen && i < vh_array_len(known); i++)
		if (!strcmp(seen, known[i])) {
			strcpy(r->transport[side], known[i]);
			return 0;
		}
	return vh_err_set(err, EBADMSG, "a transport that is not known");
}

static int add_pingpong(struct results *r, enum side side, const json_t *doc, struct vh_err *err)
{
	int ret = set_transport(r, side, doc, err);

	for (int m = 0; ret == 0 && m < N_METRICS; m++) {
		const json_t *row = size_row(doc, metrics[m].bytes), *values;
		bool lower = metrics[m].lower;

		if (metrics[m].bytes < 0)
			continue;
		values = json_object_get(row, lower ? "latency_us" : "bandwidth_mib_s");
		ret = put_value(&r->of[m][side], json_number_value(json_object_get(values, lower ? "min" : "max")),
				json_number_value(json_object_get(values, lower ? "p25" : "p75")), err);
	}
	return ret;
}

int results_add(struct results *r, enum side side, const char *text, struct vh_err *err)
{
	vh_autojson doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *schema = json_string_value(json_object_get(doc, "schema"));

	if (schema && !strcmp(schema, "vhpc.kernels/1"))
		return add_kernel(r, side, doc, err);
	if (schema && !strcmp(schema, "vhpc.pingpong/1"))
		return add_pingpong(r, side, doc, err);
	return vh_err_set(err, EBADMSG, "the output is no measurement");
}

double series_best(const struct series *s, bool lower)
{
	double best = NAN;

	for (unsigned i = 0; i < s->n; i++)
		if (i == 0 || (lower ? s->best[i] < best : s->best[i] > best))
			best = s->best[i];
	return best;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_typical(const struct series *s)
{
	double sorted[MAX_RUNS];

	if (s->n == 0)
		return NAN;
	memcpy(sorted, s->quartile, s->n * sizeof(*sorted));
	qsort(sorted, s->n, sizeof(*sorted), by_value);
	return s->n % 2 ? sorted[s->n / 2] : (sorted[s->n / 2 - 1] + sorted[s->n / 2]) / 2;
}

static double ratio(double host, double other, bool lower)
{
	return lower ? host / other : other / host;
}

double results_ratio(const struct results *r, enum metric_id m, enum side side)
{
	bool lower = metrics[m].lower;

	return ratio(series_best(&r->of[m][SIDE_HOST], lower), series_best(&r->of[m][side], lower), lower);
}

double results_typical_ratio(const struct results *r, enum metric_id m, enum side side)
{
	return ratio(series_typical(&r->of[m][SIDE_HOST]), series_typical(&r->of[m][side]), metrics[m].lower);
}

/* --- output */

static json_t *number(double v)
{
	return isnan(v) ? json_null() : json_real(v);
}

/* Three digits that count, null for none. */
static json_t *short_text(double v)
{
	char text[32];
	int digits = v >= 100 ? 0 : v >= 10 ? 1 : v >= 1 ? 2 : v >= 0.01 ? 3 : 5;

	if (isnan(v))
		return json_null();
	snprintf(text, sizeof(text), "%.*f", digits, v);
	return json_string(text);
}

json_t *results_rows(const struct results *r)
{
	json_t *rows = json_array();

	for (int m = 0; m < N_METRICS; m++) {
		json_t *row = json_pack("{s:s, s:s}", "name", metrics[m].name, "unit", metrics[m].unit);

		for (int side = 0; side < N_SIDES; side++) {
			json_object_set_new(row, side_keys[side], short_text(series_best(&r->of[m][side], metrics[m].lower)));
			if (side == SIDE_HOST)
				continue;
			json_object_set_new(row, ratio_keys[side], short_text(results_ratio(r, m, side)));
			json_object_set_new(row, typical_keys[side], short_text(results_typical_ratio(r, m, side)));
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *series_json(const struct series *s, bool lower)
{
	json_t *runs = json_array();

	if (s->n == 0) {
		json_decref(runs);
		return json_null();
	}
	for (unsigned i = 0; i < s->n; i++)
		json_array_append_new(runs, json_pack("{s:f, s:f}", "best", s->best[i], "quartile", s->quartile[i]));
	return json_pack("{s:f, s:f, s:o}", "best", series_best(s, lower), "typical", series_typical(s), "runs", runs);
}

json_t *results_json(const struct results *r)
{
	json_t *all = json_array();

	for (int m = 0; m < N_METRICS; m++) {
		json_t *one = json_pack("{s:s, s:s, s:s, s:s}", "kernel", metrics[m].key, "name", metrics[m].name,
					"unit", metrics[m].unit, "better", metrics[m].lower ? "lower" : "higher");

		for (int side = 0; side < N_SIDES; side++) {
			json_object_set_new(one, side_keys[side], series_json(&r->of[m][side], metrics[m].lower));
			if (side == SIDE_HOST)
				continue;
			json_object_set_new(one, ratio_keys[side], number(results_ratio(r, m, side)));
			json_object_set_new(one, typical_keys[side], number(results_typical_ratio(r, m, side)));
		}
		json_array_append_new(all, one);
	}
	return all;
}
