// SPDX-License-Identifier: Apache-2.0
/* What the suites share on top of libcheck. */
#ifndef VH_UNIT_H
#define VH_UNIT_H

#include <check.h>
#include "lib/cleanup.h"
#include "lib/err.h"

/* Weak, because a runner links one directory's suites only. */
#define SUITE(dir, what) Suite *dir##_##what##_suite(void) __attribute__((weak));
#include "tests/unit/suites.h"
#undef SUITE

/* Leaves the test, reported as skipped with the reason. For what cannot run here. */
#define unit_skip(...) do { unit_skipped(__FILE__, tcase_name(), __VA_ARGS__); return; } while (0)
void unit_skipped(const char *file, const char *test, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* UNIT_SUITE(lib_err, first_test, second_test) defines lib_err_suite(). */
#define UNIT_SUITE(name, ...) \
	Suite *name##_suite(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__, NULL }; \
		return unit_suite(#name, tests); \
	}
Suite *unit_suite(const char *name, const TTest *const tests[]);

/* Ends a forked child with this status, past the leak check of what its parent holds. */
void unit_exit(int status) __attribute__((noreturn));

/* A directory for this test, empty; removed by the runner. malloc'd. */
char *unit_tmpdir(void);
/* DIR/NAME with this text; parents are made. Returns its path, malloc'd. */
char *unit_file(const char *dir, const char *name, const char *text);

/* What is printed between begin and end, instead of being seen. */
struct unit_output { char *out, *err; int saved[2], fds[2]; };
void unit_capture_begin(struct unit_output *o);
void unit_capture_end(struct unit_output *o);
void unit_output_clear(struct unit_output *o);
#define unit_autooutput vh_cleanup(unit_output_clear) struct unit_output

/* The page has the table that these keys make; VHPC_REFRESH=1 writes it anew. */
struct vh_key;
void unit_check_page(const char *path, const struct vh_key *keys);

/* The error has this text (and hint, unless NULL) and exit code; it is cleared. */
#define unit_assert_err(err, code, want, want_hint) \
	unit_check_err(err, code, want, want_hint, __FILE__, __LINE__)
void unit_check_err(struct vh_err *err, enum vh_exit code, const char *want, const char *want_hint,
		    const char *file, int line);

#endif
