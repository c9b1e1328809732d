// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define ARGV(...) ((char *const[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV((char *)"sh", (char *)"-c", (char *)(script))

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(const struct vh_spawn *spawn, struct vh_output *out)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_run(spawn, out, &err) == 0, "%s", err.text);
}

START_TEST(output_is_captured_apart)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("echo one; echo two >&2; exit 3") }, &out);
	ck_assert_int_eq(out.status, 3);
	ck_assert(!out.timed_out);
	ck_assert_str_eq(out.out, "one\n");
	ck_assert_str_eq(out.err, "two\n");
	ck_assert_uint_eq(out.out_len, 4);
	ck_assert_uint_eq(out.err_len, 4);
}
END_TEST

START_TEST(nothing_said_is_empty_text)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = ARGV((char *)"true") }, &out);
	ck_assert_int_eq(out.status, 0);
	ck_assert_str_eq(out.out, "");
	ck_assert_str_eq(out.err, "");
}
END_TEST

START_TEST(arguments_pass_no_shell)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = ARGV((char *)"printf", (char *)"%s|", (char *)"a b", (char *)"$(id);`id`",
					     (char *)"*", (char *)"") }, &out);
	ck_assert_str_eq(out.out, "a b|$(id);`id`|*||");
}
END_TEST

START_TEST(input_is_given_whole)
{
	vh_autooutput out = { 0 };
	size_t len = 3 << 20;
	vh_autofree char *big = malloc(len);

	memset(big, 'y', len);
	big[len - 1] = '!';
	run(&(struct vh_spawn){ .argv = ARGV((char *)"cat"), .input = big, .input_len = len }, &out);
	ck_assert_uint_eq(out.out_len, len);
	ck_assert(!memcmp(out.out, big, len));
}
END_TEST

START_TEST(input_that_nobody_reads_does_no_harm)
{
	vh_autooutput out = { 0 };
	size_t len = 1 << 20;
	vh_autofree char *big = calloc(1, len);

	/* As vh_main does for every program. */
	signal(SIGPIPE, SIG_IGN);
	run(&(struct vh_spawn){ .argv = ARGV((char *)"true"), .input = big, .input_len = len }, &out);
	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(out.status, 0);
}
END_TEST

START_TEST(no_input_reads_as_end)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = ARGV((char *)"cat") , .deadline_ms = 20000 }, &out);
	ck_assert(!out.timed_out);
	ck_assert_str_eq(out.out, "");
}
END_TEST

START_TEST(big_output_is_cut_at_the_limit)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("head -c 20000000 /dev/zero | tr '\\0' x; echo end >&2") }, &out);
	ck_assert_int_eq(out.status, 0);
	ck_assert_uint_le(out.out_len, 16 << 20);
	ck_assert_uint_ge(out.out_len, 15 << 20);
	ck_assert_uint_eq(strlen(out.out), out.out_len);
	ck_assert_str_eq(out.err, "end\n");
}
END_TEST

START_TEST(deadline_ends_a_sleeper)
{
	vh_autooutput out = { 0 };
	double begun = now();

	run(&(struct vh_spawn){ .argv = SH("echo begun; sleep 1000"), .deadline_ms = 300 }, &out);
	ck_assert(out.timed_out);
	ck_assert_int_eq(out.status, 128 + SIGTERM);
	ck_assert_str_eq(out.out, "begun\n");
	ck_assert(now() - begun < 15);
}
END_TEST

START_TEST(deadline_ends_one_that_ignores_the_signal)
{
	vh_autooutput out = { 0 };
	double begun = now();

	run(&(struct vh_spawn){ .argv = SH("trap '' TERM; while :; do sleep 0.1; done"), .deadline_ms = 300 }, &out);
	ck_assert(out.timed_out);
	ck_assert_int_eq(out.status, 128 + SIGKILL);
	ck_assert(now() - begun < 20);
}
END_TEST

START_TEST(deadline_ends_one_that_never_stops_talking)
{
	vh_autooutput out = { 0 };
	double begun = now();

	run(&(struct vh_spawn){ .argv = ARGV((char *)"yes"), .deadline_ms = 300 }, &out);
	ck_assert(out.timed_out);
	ck_assert(now() - begun < 20);
}
END_TEST

/* Not gone, and not waiting to be reaped by whoever adopted it either. */
static bool alive(int pid)
{
	vh_autofree char *path = vh_strf("/proc/%d/stat", pid), *line = NULL;
	FILE *f = fopen(path, "r");
	size_t room = 0;
	bool zombie;

	if (!f)
		return false;
	zombie = getline(&line, &room, f) < 0 || strstr(line, ") Z ");
	fclose(f);
	return !zombie;
}

START_TEST(deadline_takes_the_whole_group)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("sleep 1000 & echo $!; wait"), .deadline_ms = 500 }, &out);
	ck_assert(out.timed_out);
	ck_assert_int_gt(atoi(out.out), 0);
	for (int i = 0; i < 250 && alive(atoi(out.out)); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	ck_assert(!alive(atoi(out.out)));
}
END_TEST

START_TEST(grandchild_that_keeps_the_pipe_does_not_hold_us)
{
	vh_autooutput out = { 0 };
	double begun = now();

	run(&(struct vh_spawn){ .argv = SH("echo done; sleep 20 & echo $! >&2; exit 0") }, &out);
	kill(atoi(out.err), SIGKILL);
	ck_assert_int_eq(out.status, 0);
	ck_assert_str_eq(out.out, "done\n");
	ck_assert(now() - begun < 10);
}
END_TEST

START_TEST(grandchild_that_talks_on_does_not_hold_us)
{
	vh_autooutput out = { 0 };
	double begun = now();

	run(&(struct vh_spawn){ .argv = SH("{ exec 2>/dev/null; for i in $(seq 400); do echo x; sleep 0.05; done; } & echo $! >&2") }, &out);
	kill(atoi(out.err), SIGKILL);
	ck_assert_int_eq(out.status, 0);
	ck_assert(now() - begun < 10);
}
END_TEST

START_TEST(death_by_signal_is_128_and_more)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("kill -USR1 $$") }, &out);
	ck_assert_int_eq(out.status, 128 + SIGUSR1);
}
END_TEST

START_TEST(missing_program_is_named)
{
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_spawn none = { .argv = ARGV((char *)"no-such-program") };
	struct vh_spawn path = { .argv = ARGV((char *)"/no/such/program") };
	struct vh_spawn dir = { .argv = ARGV((char *)"/etc") };

	ck_assert_int_eq(vh_spawn_run(&none, &out, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_FAILED, "no-such-program: no such program",
			"install the package that has no-such-program");
	ck_assert_int_eq(vh_spawn_run(&path, &out, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "/no/such/program"));
	ck_assert_int_eq(vh_spawn_run(&dir, &out, &err), -EACCES);
	ck_assert_int_eq(vh_spawn_exec(none.argv, &err), -ENOENT);
}
END_TEST

START_TEST(ok_makes_an_error_of_a_status)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autooutput out = { 0 };
	struct vh_spawn bad = { .argv = SH("echo first >&2; echo 'the cause ' >&2; exit 9") };
	struct vh_spawn slow = { .argv = SH("sleep 1000"), .deadline_ms = 1000 };
	struct vh_spawn good = { .argv = SH("echo fine") };

	ck_assert_int_eq(vh_spawn_ok(&bad, &out, &err), -EIO);
	unit_assert_err(&err, VH_EXIT_FAILED, "sh: exit status 9: the cause", NULL);
	ck_assert_ptr_null(out.out);
	ck_assert_int_eq(vh_spawn_ok(&slow, NULL, &err), -ETIMEDOUT);
	unit_assert_err(&err, VH_EXIT_FAILED, "sh: not done within 1 s", NULL);
	ck_assert_int_eq(vh_spawn_ok(&good, &out, &err), 0);
	ck_assert_str_eq(out.out, "fine\n");
}
END_TEST

START_TEST(environment_is_added_to_and_replaced)
{
	vh_autooutput out = { 0 };

	setenv("UNIT_KEPT", "kept", 1);
	setenv("UNIT_OLD", "old", 1);
	run(&(struct vh_spawn){ .argv = SH("echo $UNIT_KEPT $UNIT_OLD $UNIT_NEW"),
				.env = ARGV((char *)"UNIT_OLD=replaced", (char *)"UNIT_NEW=new") }, &out);
	ck_assert_str_eq(out.out, "kept replaced new\n");
	ck_assert_str_eq(getenv("UNIT_OLD"), "old");
}
END_TEST

START_TEST(directory_is_the_programs_own)
{
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_spawn nowhere = { .argv = ARGV((char *)"pwd"), .cwd = "/nowhere" };

	run(&(struct vh_spawn){ .argv = ARGV((char *)"pwd"), .cwd = "/proc" }, &out);
	ck_assert_str_eq(out.out, "/proc\n");
	ck_assert_int_lt(vh_spawn_run(&nowhere, &out, &err), 0);
}
END_TEST

static void join(void *arg, const char *line)
{
	vh_strv_push(arg, line);
}

START_TEST(lines_come_one_by_one)
{
	vh_autooutput out = { 0 };
	vh_autostrv lines = NULL;

	run(&(struct vh_spawn){ .argv = SH("printf 'a\\n\\nb'; sleep 0.2; printf 'c\\nlast'"), .on_line = join,
				.arg = &lines }, &out);
	ck_assert_uint_eq(vh_strv_len(lines), 4);
	ck_assert_str_eq(lines[0], "a");
	ck_assert_str_eq(lines[1], "");
	ck_assert_str_eq(lines[2], "bc");
	ck_assert_str_eq(lines[3], "last");
	ck_assert_str_eq(out.out, "a\n\nbc\nlast");
}
END_TEST

/* Pipes that the runner itself was given, make's for one. */
static int inherited_pipes(void)
{
	struct stat st;
	int n = 0;

	for (int fd = 3; fd < 256; fd++)
		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			n++;
	return n;
}

START_TEST(pipes_do_not_leak_into_programs)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("ls -l /proc/self/fd | awk '$(NF-2) > 2 && $NF ~ /^pipe:/' | wc -l"),
				.input = "x", .input_len = 1 }, &out);
	ck_assert_int_eq(atoi(out.out), inherited_pipes());
}
END_TEST

START_TEST(signals_are_set_back_for_programs)
{
	vh_autooutput out = { 0 };
	sigset_t usr1, old;
	const char *ignored;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, &old);
	run(&(struct vh_spawn){ .argv = SH("grep -E '^Sig(Blk|Ign)' /proc/self/status") }, &out);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	ck_assert_ptr_nonnull(strstr(out.out, "SigBlk:\t0000000000000000"));
	ignored = strstr(out.out, "SigIgn:");
	ck_assert_ptr_nonnull(ignored);
	/* Others may have been ignored before us. */
	ck_assert_uint_eq(strtoull(ignored + 8, NULL, 16) & 1 << (SIGPIPE - 1), 0);
}
END_TEST

START_TEST(inherited_output_is_ours)
{
	unit_autooutput o = { 0 };
	vh_autooutput out = { 0 };

	unit_capture_begin(&o);
	run(&(struct vh_spawn){ .argv = SH("echo out; echo err >&2"), .inherit = true }, &out);
	unit_capture_end(&o);
	ck_assert_str_eq(o.out, "out\n");
	ck_assert_str_eq(o.err, "err\n");
	ck_assert_str_eq(out.out, "");
}
END_TEST

START_TEST(errors_go_where_they_are_sent)
{
	vh_autooutput out = { 0 };
	vh_autofree char *dir = unit_tmpdir(), *path = unit_file(dir, "log", "");
	vh_autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
	char text[16] = "";

	run(&(struct vh_spawn){ .argv = SH("echo out; echo err >&2"), .err_fd = fd }, &out);
	ck_assert_str_eq(out.out, "out\n");
	ck_assert_str_eq(out.err, "");
	ck_assert_int_eq(pread(fd, text, sizeof(text) - 1, 0), 4);
	ck_assert_str_eq(text, "err\n");
}
END_TEST

START_TEST(new_session_is_one)
{
	vh_autooutput out = { 0 };

	run(&(struct vh_spawn){ .argv = SH("cut -d' ' -f1,5,6 /proc/$$/stat | tr ' ' '\\n' | uniq | wc -l"),
				.new_session = true }, &out);
	ck_assert_int_eq(atoi(out.out), 1);
}
END_TEST

START_TEST(program_ends_when_we_are_killed)
{
	int ready[2];
	char text[16] = "";
	pid_t us;

	ck_assert_int_eq(pipe(ready), 0);
	us = fork();
	if (us == 0) {
		vh_autooutput out = { 0 };

		dup2(ready[1], 2);
		run(&(struct vh_spawn){ .argv = SH("echo $$ >&2; exec sleep 1000"), .err_fd = 2 }, &out);
		unit_exit(1);
	}
	ck_assert_int_gt(read(ready[0], text, sizeof(text) - 1), 0);
	kill(us, SIGKILL);
	waitpid(us, NULL, 0);
	for (int i = 0; i < 250 && alive(atoi(text)); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	ck_assert_msg(!alive(atoi(text)), "process %s goes on", text);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

static volatile sig_atomic_t stopped;

static void on_alarm(int sig)
{
	stopped = sig;
}

START_TEST(a_signal_of_ours_ends_the_program)
{
	vh_autoerr err = VH_ERR_NONE;
	struct timespec begun, ended;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	signal(SIGALRM, on_alarm);
	alarm(1);
	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = SH("sleep 1000"), .stop = &stopped }, NULL, &err), -EINTR);
	unit_assert_err(&err, VH_EXIT_FAILED, "sh: interrupted", NULL);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	ck_assert_int_lt(ended.tv_sec - begun.tv_sec, 60);
	signal(SIGALRM, SIG_DFL);
}
END_TEST

/* One that sends its signal until it is killed. */
static pid_t sender_start(int sig)
{
	pid_t group = getpgrp(), pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pid == 0)
		kill(-group, sig);
	return pid;
}

/* As Ctrl-C twice, the second as one that clears up is started. */
START_TEST(a_signal_to_the_group_that_it_left_is_not_the_programs)
{
	sigset_t interrupt;

	ck_assert_int_eq(setpgid(0, 0), 0);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, NULL);
	pid_t sender = sender_start(SIGINT);
	ck_assert_int_gt(sender, 0);

	for (int i = 0; i < 100; i++) {
		vh_autooutput out = { 0 };

		run(&(struct vh_spawn){ .argv = ARGV((char *)"true") }, &out);
		ck_assert_int_eq(out.status, 0);
	}
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
}
END_TEST

UNIT_SUITE(lib_spawn, output_is_captured_apart, nothing_said_is_empty_text, arguments_pass_no_shell,
	   input_is_given_whole, input_that_nobody_reads_does_no_harm, no_input_reads_as_end,
	   big_output_is_cut_at_the_limit, deadline_ends_a_sleeper, deadline_ends_one_that_ignores_the_signal,
	   deadline_ends_one_that_never_stops_talking, deadline_takes_the_whole_group,
	   grandchild_that_keeps_the_pipe_does_not_hold_us,
	   grandchild_that_talks_on_does_not_hold_us, death_by_signal_is_128_and_more,
	   missing_program_is_named, ok_makes_an_error_of_a_status, environment_is_added_to_and_replaced,
	   directory_is_the_programs_own, lines_come_one_by_one, pipes_do_not_leak_into_programs,
	   signals_are_set_back_for_programs, inherited_output_is_ours, errors_go_where_they_are_sent,
	   new_session_is_one, program_ends_when_we_are_killed, a_signal_of_ours_ends_the_program,
	   a_signal_to_the_group_that_it_left_is_not_the_programs)
