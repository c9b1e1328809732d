// SPDX-License-Identifier: Apache-2.0
/* usage: report CONDITIONS LABEL=FILE...
 * One table of several ping-pong results (schema vhpc.pingpong/1) side by side, with
 * what they were measured on. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"

enum { MAX_RUNS = 5, COLS_A_RUN = 3 };

struct run { char *label; json_t *doc; };

static int load(struct run *run, const char *arg)
{
	const char *file = strchr(arg, '=');
	json_error_t error;
	const char *schema;

	if (!file) {
		fprintf(stderr, "report: '%s' is not LABEL=FILE\n", arg);
		return -EINVAL;
	}
	run->label = strndup(arg, (size_t)(file - arg));
	run->doc = json_load_file(file + 1, 0, &error);
	schema = json_string_value(json_object_get(run->doc, "schema"));
	if (!run->label || !schema || strcmp(schema, "vhpc.pingpong/1")) {
		fprintf(stderr, "report: %s: no ping-pong result: %s\n", file + 1, run->doc ? "another schema" : error.text);
		return -EBADMSG;
	}
	return 0;
}

static void print_run(const struct run *run)
{
	const char *from = "?", *to = "?", *transport = "?", *mpi = "?", *btl = "?";
	double seconds = 0;

	json_unpack(run->doc, "{s:[{s:s}, {s:s}], s:s, s:s, s:s, s:F}", "ranks", "host", &from, "host", &to,
		    "transport", &transport, "asked_btl", &btl, "mpi", &mpi, "seconds", &seconds);
	printf("%-12s  %s to %s, %s, %s (of %s), %.1f s\n", run->label, from, to, mpi, transport, btl, seconds);
}

/* The result of one size; NULL when that run did not measure it. */
static const json_t *size_of(const struct run *run, json_int_t bytes)
{
	const json_t *sizes = json_object_get(run->doc, "sizes"), *s;
	size_t i;

	json_array_foreach(sizes, i, s)
		if (json_integer_value(json_object_get(s, "bytes")) == bytes)
			return s;
	return NULL;
}

static json_t *text_of(const json_t *size, const char *group, const char *which, int decimals)
{
	const json_t *v = json_object_get(json_object_get(size, group), which);

	return json_is_number(v) ? json_sprintf("%.*f", decimals, json_number_value(v)) : json_null();
}

static json_t *row_of(const struct run *runs, size_t n, json_int_t bytes)
{
	json_t *row = json_object();
	char size[16];

	json_object_set_new(row, "size", json_string(vh_size_format(size, sizeof(size), (uint64_t)bytes)));
	for (size_t i = 0; i < n; i++) {
		const json_t *s = size_of(&runs[i], bytes);

		json_object_set_new(row, runs[i].label,
				    json_pack("{s:o, s:o, s:o}", "min", text_of(s, "latency_us", "min", 2),
					      "p25", text_of(s, "latency_us", "p25", 2),
					      "bandwidth", bytes ? text_of(s, "bandwidth_mib_s", "max", 1) : json_null()));
	}
	return row;
}

static void print_table(const struct run *runs, size_t n)
{
	struct vh_col cols[1 + COLS_A_RUN * MAX_RUNS + 1] = { { "MESSAGE", "size", VH_COL_RIGHT } };
	static const char *const keys[COLS_A_RUN] = { "min", "p25", "bandwidth" };
	static const char *const heads[COLS_A_RUN] = { "min us", "p25 us", "MiB/s" };
	const json_t *sizes = json_object_get(runs[0].doc, "sizes"), *s;
	vh_autojson rows = json_array();
	vh_autostrv texts = NULL;
	size_t i, used = 1;

	for (i = 0; i < n * COLS_A_RUN; i++) {
		if (vh_strv_pushf(&texts, "%s %s", runs[i / COLS_A_RUN].label, heads[i % COLS_A_RUN]) < 0 ||
		    vh_strv_pushf(&texts, "%s.%s", runs[i / COLS_A_RUN].label, keys[i % COLS_A_RUN]) < 0)
			return;
		cols[used++] = (struct vh_col){ texts[2 * i], texts[2 * i + 1], VH_COL_RIGHT };
	}
	json_array_foreach(sizes, i, s)
		json_array_append_new(rows, row_of(runs, n, json_integer_value(json_object_get(s, "bytes"))));
	vh_table_print(stdout, cols, rows);
}

int main(int argc, char **argv)
{
	struct run runs[MAX_RUNS] = { 0 };
	size_t n = 0;
	int r = 0;

	if (argc < 3 || argc > 2 + MAX_RUNS) {
		fputs("usage: report CONDITIONS LABEL=FILE...\n", stderr);
		return VH_EXIT_USAGE;
	}
	for (int i = 2; r == 0 && i < argc; i++)
		r = load(&runs[n++], argv[i]);
	if (r == 0) {
		printf("MPI ping-pong, one way; %s\n", argv[1]);
		for (size_t i = 0; i < n; i++)
			print_run(&runs[i]);
		putchar('\n');
		print_table(runs, n);
	}
	while (n-- > 0) {
		free(runs[n].label);
		json_decref(runs[n].doc);
	}
	return r < 0 ? VH_EXIT_FAILED : VH_EXIT_DONE;
}
