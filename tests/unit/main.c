// SPDX-License-Identifier: Apache-2.0
/* Runs the suites linked in, or those named as arguments; closes with the line
 * "N passed, N failed, N skipped". CK_FORK=no keeps all in one process (valgrind);
 * QUICK=1 leaves slow suites out that are not named. */
#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	Suite *(*make)(void);
	bool slow;
} suites[] = {
#define SUITE(dir, what) { #dir "_" #what, dir##_##what##_suite, false },
#define SLOW_SUITE(dir, what) { #dir "_" #what, dir##_##what##_suite, true },
#include "tests/unit/suites.h"
#undef SUITE
};

/* Shared with the forked tests. */
static atomic_uint *n_skipped;
static char *tmp_root;

/* FILE is tests/unit/test_SUITE.c. */
void unit_skipped(const char *file, const char *test, const char *fmt, ...)
{
	const char *suite = strrchr(file, '/') + strlen("/test_");
	va_list ap;

	atomic_fetch_add(n_skipped, 1);
	printf("skip %.*s/%s: ", (int)(strlen(suite) - strlen(".c")), suite, test);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

Suite *unit_suite(const char *name, const TTest *const tests[])
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; tests[i]; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

void unit_exit(int status)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", status);
	execl("/bin/sh", "sh", "-c", "exit $0", number, NULL);
	_exit(99);
}

char *unit_tmpdir(void)
{
	char *dir = NULL;

	ck_assert_int_gt(asprintf(&dir, "%s/XXXXXX", tmp_root), 0);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

char *unit_file(const char *dir, const char *name, const char *text)
{
	char *path = NULL;
	FILE *f;

	ck_assert_int_gt(asprintf(&path, "%s/%s", dir, name), 0);
	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
	}
	f = fopen(path, "we");
	ck_assert_msg(f, "%s: %s", path, strerror(errno));
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return path;
}

void unit_check_err(struct vh_err *err, enum vh_exit code, const char *want, const char *want_hint,
		    const char *file, int line)
{
	if (!err->text || strcmp(err->text, want))
		ck_abort_msg("%s:%d: error is '%s', not '%s'", file, line, err->text, want);
	if (want_hint && (!err->hint || strcmp(err->hint, want_hint)))
		ck_abort_msg("%s:%d: hint is '%s', not '%s'", file, line, err->hint, want_hint);
	if (err->exit != code)
		ck_abort_msg("%s:%d: exit code is %d, not %d", file, line, err->exit, code);
	vh_err_clear(err);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static bool wanted(const char *name, bool slow, char **only)
{
	const char *quick = getenv("QUICK");
	bool all = !*only && !(slow && quick && *quick);

	for (; *only; only++)
		if (!strcmp(*only, name))
			return true;
	return all;
}

static SRunner *collect(char **only)
{
	SRunner *sr = srunner_create(NULL);

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (suites[i].make && wanted(suites[i].name, suites[i].slow, only))
			srunner_add_suite(sr, suites[i].make());
	return sr;
}

static int run(char **only)
{
	SRunner *sr = collect(only);
	unsigned failed, passed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	passed = srunner_ntests_run(sr) - failed - *n_skipped;
	printf("%u passed, %u failed, %u skipped\n", passed, failed, *n_skipped);
	srunner_free(sr);
	return failed || (!passed && !*n_skipped);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/vhpc-units-XXXXXX";
	int status;

	(void)argc;
	n_skipped = mmap(NULL, sizeof(*n_skipped), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	if (n_skipped == MAP_FAILED || !mkdtemp(dir)) {
		perror("units");
		return 1;
	}
	tmp_root = dir;
	status = run(argv + 1);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	munmap(n_skipped, sizeof(*n_skipped));
	return status;
}
