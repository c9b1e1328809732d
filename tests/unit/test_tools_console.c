// SPDX-License-Identifier: Apache-2.0
/* What a guest says on its console, which may be anything and of any length. */
#include <string.h>
#include <sys/stat.h>

#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/console/console.h"

/* The directory, malloc'd, of a node whose console said this, times after another. */
static char *setup(const char *said, size_t times)
{
	char *dir = unit_tmpdir();
	vh_autofree char *of_node = vh_strf("%s/one-1", dir), *path = vh_strf("%s/one-1/console.log", dir);
	FILE *to;

	ck_assert_int_eq(mkdir(of_node, 0700), 0);
	to = fopen(path, "w");
	ck_assert_ptr_nonnull(to);
	for (size_t i = 0; i < times; i++)
		ck_assert_int_ge(fputs(said, to), 0);
	ck_assert_int_eq(fclose(to), 0);
	return dir;
}

START_TEST(a_kernel_that_hangs_is_seen)
{
	static const struct { const char *said; bool hangs; } rows[] = {
		{ "[ 21.0] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n", true },
		{ "[ 21.0] rcu: INFO: rcu_sched self-detected stall on CPU\n", true },
		{ "[ 60.1] rcu: rcu_preempt kthread starved for 5250 jiffies! g-1119\r\n", true },
		{ "[ 48.0] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [swapper/1:0]\n", true },
		{ "[ 1.2] EXT4-fs (vda): mounted filesystem\n\nDebian GNU/Linux 12 one-1 ttyS0\n\none-1 login: ", false },
		{ "", false },
	};

	for (size_t i = 0; i < vh_array_len(rows); i++) {
		vh_autofree char *dir = setup(rows[i].said, 1);

		ck_assert_msg(console_hangs(dir, "one-1") == rows[i].hangs, "%s", rows[i].said);
	}
}
END_TEST

START_TEST(its_last_words_fit_into_an_error)
{
	vh_autofree char *dir = setup("a line that is long and has \033[31mcolours\n", 3000), *blank = setup(" \n", 5);
	char words[160];

	console_last_words(dir, "one-1", words, sizeof(words));
	ck_assert_str_eq(words, "; its console ended with: a line that is long and has  [31mcolours");
	ck_assert(!console_hangs(dir, "one-1"));
	console_last_words(blank, "one-1", words, sizeof(words));
	ck_assert_str_eq(words, "");
	console_last_words(blank, "one-2", words, sizeof(words));
	ck_assert_str_eq(words, "");
	ck_assert(!console_hangs(blank, "one-2"));
}
END_TEST

UNIT_SUITE(tools_console, a_kernel_that_hangs_is_seen, its_last_words_fit_into_an_error)
