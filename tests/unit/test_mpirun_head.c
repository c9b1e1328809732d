// SPDX-License-Identifier: Apache-2.0
/* A job whose head is another process: what goes there, and what comes back. The head is the program of the nodes,
 * started where ssh would be. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "lib/strv.h"
#include "mpirun-wrap/launch/launch.h"
#include "mpirun-wrap/launch/remote.h"
#include "mpirun-wrap/launcher/launcher.h"
#include "mpirun-wrap/wire/wire.h"
#include "tests/unit/unit.h"

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static void same_words(char *const *a, char *const *b)
{
	ck_assert_uint_eq(vh_strv_len(a), vh_strv_len(b));
	for (; a && *a; a++, b++)
		ck_assert_str_eq(*a, *b);
}

START_TEST(every_byte_of_a_word_arrives)
{
	char all[256] = "", data[512];
	char *words[] = { (char *)"a", (char *)"", all, (char *)" $(x) 'y'\n\"z\" *", NULL }, *env[] = { (char *)"A=", (char *)"B=c=d\n", NULL };
	vh_cleanup(vh_wire_job_clear) struct vh_wire_job got = { 0 }, files = { 0 };
	struct vh_wire_job job = { .argv = words, .env = env, .directory = (char *)"/a b" };
	vh_autofree char *packed = NULL;
	size_t len;

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)i;
	ck_assert_int_eq(vh_wire_job_file(&files, data, sizeof(data)), VH_WIRE_FIRST_FD);
	ck_assert_int_eq(vh_wire_job_file(&files, "", 0), VH_WIRE_FIRST_FD + 1);
	memcpy(job.files, files.files, sizeof(job.files));
	job.n_files = files.n_files;
	packed = vh_wire_job_pack(&job, &len);
	ck_assert_int_eq(vh_wire_job_unpack(packed, len, &got), 0);
	same_words(got.argv, words);
	same_words(got.env, env);
	ck_assert_str_eq(got.directory, "/a b");
	ck_assert_uint_eq(got.n_files, 2);
	ck_assert_int_eq(got.files[0].fd, VH_WIRE_FIRST_FD);
	ck_assert(got.files[0].len == sizeof(data) && !memcmp(got.files[0].data, data, sizeof(data)) && got.files[1].len == 0);
}
END_TEST

/* What an in-buffer makes of bytes: how many frames, or -EBADMSG. */
static int frames(const char *bytes, size_t len, bool to_head)
{
	struct vh_frame_in in = { .fd = -1, .head = to_head, .buf = malloc(len + 1), .end = len, .room = len };
	struct vh_frame f;
	int n = 0, r;

	memcpy(in.buf, bytes, len);
	while ((r = vh_frame_next(&in, &f)) > 0)
		n++;
	vh_frame_in_clear(&in);
	return r < 0 ? r : n;
}

START_TEST(frames_that_are_none)
{
	static const struct { const char *bytes; size_t len; bool to_head; int want; } cases[] = {
		{ "", 0, true, 0 }, { "i\0\0\0\0", 5, true, 1 }, { "i\2\0\0\0a", 6, true, 0 }, { "i\2\0\0\0abs", 8, true, 1 },
		{ "s\1\0\0\0\2", 6, true, 1 }, { "s\0\0\0\0", 5, true, -EBADMSG }, { "s\2\0\0\0\2\2", 7, true, -EBADMSG },
		{ "i\1\100\0\0", 5, true, -EBADMSG }, { "i\xff\xff\xff\xff", 5, true, -EBADMSG }, { "j\1\0\0\4", 5, true, -EBADMSG },
		{ "o\0\0\0\0", 5, true, -EBADMSG }, { "x\2\0\0\0\0\0", 7, true, -EBADMSG }, { "\0\0\0\0\0", 5, true, -EBADMSG },
		{ "i\0\0\0\0", 5, false, -EBADMSG }, { "o\1\0\0\0a", 6, false, 1 }, { "x\2\0\0\0\7\0", 7, false, 1 },
		{ "x\1\0\0\0\7", 6, false, -EBADMSG }, { "Welcome to node 1\n", 18, false, -EBADMSG },
	};
	static const struct { const char *bytes; size_t len; } jobs[] = {
		{ "", 0 }, { "v\3\0\0\0A=b", 8 }, { "a\0\0\0\0", 5 }, { "a\1\0\0\0", 5 }, { "a\1\0\0", 4 }, { "a\2\0\0\0a\0", 7 }, { "z\0\0\0\0", 5 },
		{ "a\1\0\0\0av\1\0\0\0A", 12 }, { "a\1\0\0\0av\2\0\0\0=A", 13 }, { "a\1\0\0\0ad\1\0\0\0/d\1\0\0\0/", 18 }, { "a\xff\xff\xff\xff""a", 6 },
	};
	struct vh_wire_job job;

	for (size_t i = 0; i < vh_array_len(cases); i++)
		ck_assert_msg(frames(cases[i].bytes, cases[i].len, cases[i].to_head) == cases[i].want, "frame %zu", i);
	for (size_t i = 0; i < vh_array_len(jobs); i++)
		ck_assert_msg(vh_wire_job_unpack(jobs[i].bytes, jobs[i].len, &job) == -EBADMSG, "job %zu", i);
}
END_TEST

START_TEST(what_of_the_environment_goes_along)
{
	static const struct { const char *args[4], *variable; bool along; } cases[] = {
		{ { NULL }, "OMP_NUM_THREADS=2", true }, { { NULL }, "UCX_TLS=tcp", true }, { { NULL }, "OMPI_MCA_btl=tcp,self", true },
		{ { NULL }, "PRTE_MCA_x=1", true }, { { NULL }, "HYDRA_BINDING=core", true }, { { NULL }, "SECRET=1", false },
		{ { NULL }, "AWS_SECRET_ACCESS_KEY=x", false }, { { NULL }, "LD_PRELOAD=/x.so", false }, { { NULL }, "SLURM_JOB_ID=1", false },
		{ { NULL }, "PATH=/bin", false }, { { "-x", "PATH" }, "PATH=/bin", false }, { { "-x", "HOME" }, "HOME=/root", false },
		{ { "-x", "SECRET" }, "SECRET=1", true }, { { "-x", "SECRETS" }, "SECRET=1", false }, { { "-x", "SECRET=2" }, "SECRET=1", false },
		{ { "-x", "LD_LIBRARY_PATH" }, "LD_LIBRARY_PATH=/a", true }, { { "--mca", "mca_base_env_list", "A;SECRET" }, "SECRET=1", true },
		{ { "-genvlist", "A,SECRET" }, "SECRET=1", true }, { { "-genvlist", "A,SECRE" }, "SECRET=1", false }, { { NULL }, "OMP_", false },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autostrv along = NULL;

		ck_assert_int_eq(vh_mpi_env_along((char *const *)cases[i].args, WORDS((char *)cases[i].variable), &along), 0);
		ck_assert_msg(vh_strv_has(along, cases[i].variable) == cases[i].along, "case %zu: %s", i, cases[i].variable);
	}
}
END_TEST

START_TEST(files_of_options_go_along)
{
	vh_autofree char *dir = unit_tmpdir(), *hosts = unit_file(dir, "hosts", "n1\n"), *inlined = vh_strf("--hostfile=%s", hosts);
	vh_cleanup(vh_wire_job_clear) struct vh_wire_job job = { 0 };
	vh_autostrv args = NULL;

	for (char **w = WORDS((char *)"--mca", (char *)"btl", (char *)"tcp", (char *)"--rankfile", hosts, inlined, (char *)"--hostfile",
			      (char *)"/nowhere", (char *)"./a", (char *)"--hostfile", hosts); *w; w++)
		ck_assert_int_eq(vh_strv_push(&args, *w), 0);
	ck_assert_int_eq(vh_mpi_files_along(&vh_ompi_41, args, &job), 0);
	ck_assert_str_eq(args[4], "/proc/self/fd/200");
	ck_assert_str_eq(args[5], "--hostfile=/proc/self/fd/201");
	ck_assert_str_eq(args[7], "/nowhere");
	ck_assert_str_eq(args[10], hosts);	/* the program's own word */
	ck_assert_uint_eq(job.n_files, 2);
	ck_assert_str_eq(job.files[1].data, "n1\n");
}
END_TEST

/* --- the head itself */

struct caller { pid_t pid; int in, out; };

/* A process that has the head run these words, its standard input and output in our hands. */
static struct caller call(char *const *argv)
{
	char self[4096] = "";
	int in[2], out[2];
	struct caller c;

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	c = (struct caller){ fork(), in[1], out[0] };
	if (c.pid == 0) {
		vh_autofree char *head = vh_strf("%s/../guest/head", dirname(self));
		const struct vh_wire_job job = { .argv = (char **)argv, .directory = (char *)"/" };
		vh_autoerr err = VH_ERR_NONE;
		int r;

		close(in[1]);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		r = vh_mpi_remote(WORDS(head), "n1", &job, &err);
		if (r < 0)
			dprintf(STDOUT_FILENO, "%s", err.text);
		unit_exit(r < 0 ? 100 + (int)err.exit : r);
	}
	close(in[0]);
	close(out[1]);
	return c;
}

/* The next line, without its end; "" at the end. */
static const char *line_of(struct caller *c)
{
	static char line[256];
	size_t n = 0;

	while (n < sizeof(line) - 1 && read(c->out, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return line;
}

static int end_of(struct caller *c)
{
	int status;

	ck_assert_int_eq(waitpid(c->pid, &status, 0), c->pid);
	close(c->in);
	close(c->out);
	return status;
}

/* The process' state as /proc has it, 0: it is gone. Waits for it a while. */
static bool comes_to(pid_t pid, char state)
{
	vh_autofree char *path = vh_strf("/proc/%d/stat", pid);

	for (int i = 0; i < 2000; i++) {
		char is = '\0';
		FILE *f = fopen(path, "re");

		if (f && fscanf(f, "%*d (%*[^)]) %c", &is) != 1)
			is = '\0';
		if (f)
			fclose(f);
		if (is == state || (!state && is == 'Z'))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

#define SHELL(script) WORDS((char *)"sh", (char *)"-c", (char *)(script))

START_TEST(what_a_job_says_and_how_it_ends)
{
	struct caller c = call(SHELL("pwd; echo not seen >/dev/null; exit 7"));

	ck_assert_str_eq(line_of(&c), "/");
	ck_assert_int_eq(WEXITSTATUS(end_of(&c)), 7);
	c = call(SHELL("kill -KILL $$"));
	ck_assert_int_eq(WTERMSIG(end_of(&c)), SIGKILL);
	c = call(WORDS((char *)"/no/such/launcher"));
	ck_assert_str_eq(line_of(&c), "n1: /no/such/launcher: No such file or directory");
	ck_assert_int_eq(WEXITSTATUS(end_of(&c)), 100 + VH_EXIT_REFUSED);
}
END_TEST

/* More than a pipe holds, both ways. */
START_TEST(what_is_typed_comes_through_whole)
{
	enum { ALL = 1 << 20 };
	struct caller c = call(WORDS((char *)"cat"));
	static unsigned char got[65536];
	size_t n = 0, bad = 0;
	ssize_t r;

	if (fork() == 0) {
		for (size_t i = 0; i < ALL; i++) {
			static unsigned char data[4096];

			data[i % sizeof(data)] = (unsigned char)(i * 7 + i / 251);
			if ((i + 1) % sizeof(data) == 0 && write(c.in, data, sizeof(data)) != sizeof(data))
				break;
		}
		unit_exit(0);
	}
	close(c.in);
	c.in = -1;
	while ((r = read(c.out, got, sizeof(got))) > 0)
		for (ssize_t i = 0; i < r; i++, n++)
			bad += got[i] != (unsigned char)(n * 7 + n / 251);
	ck_assert_uint_eq(n, ALL);
	ck_assert_uint_eq(bad, 0);
	ck_assert_int_eq(WEXITSTATUS(end_of(&c)), 0);
}
END_TEST

START_TEST(signals_reach_the_job)
{
	static const struct { int number; const char *name; } cases[] = {
		{ SIGTERM, "TERM" }, { SIGINT, "INT" }, { SIGHUP, "HUP" }, { SIGUSR1, "USR1" }, { SIGUSR2, "USR2" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *script = vh_strf("trap 'echo got; exit 9' %s; echo ready; while :; do sleep 0.02; done", cases[i].name);
		struct caller c = call(SHELL(script));

		ck_assert_str_eq(line_of(&c), "ready");
		kill(c.pid, cases[i].number);
		ck_assert_str_eq(line_of(&c), "got");
		ck_assert_int_eq(WEXITSTATUS(end_of(&c)), 9);
	}
}
END_TEST

START_TEST(a_stopped_caller_stops_the_job)
{
	struct caller c = call(SHELL("echo $$; exec sleep 1000"));
	pid_t job = atoi(line_of(&c));
	int status;

	ck_assert_int_gt(job, 1);
	kill(c.pid, SIGTSTP);
	ck_assert(waitpid(c.pid, &status, WUNTRACED) == c.pid && WIFSTOPPED(status));
	ck_assert(comes_to(job, 'T'));
	kill(c.pid, SIGCONT);
	ck_assert(comes_to(job, 'S'));
	kill(c.pid, SIGTERM);
	ck_assert_int_eq(WTERMSIG(end_of(&c)), SIGTERM);
	ck_assert(comes_to(job, '\0'));
}
END_TEST

/* However the caller ends; also what the launcher started, and one that hears no SIGTERM. */
START_TEST(a_job_ends_with_its_caller)
{
	struct caller c = call(SHELL("setsid sleep 1000 & echo $!; echo $$; exec sleep 1000"));
	pid_t rank = atoi(line_of(&c)), job = atoi(line_of(&c));

	ck_assert(rank > 1 && job > 1);
	kill(c.pid, SIGKILL);
	ck_assert_int_eq(WTERMSIG(end_of(&c)), SIGKILL);
	ck_assert(comes_to(job, '\0') && comes_to(rank, '\0'));
}
END_TEST

UNIT_SUITE(mpirun_head, every_byte_of_a_word_arrives, frames_that_are_none, what_of_the_environment_goes_along,
	   files_of_options_go_along, what_a_job_says_and_how_it_ends, what_is_typed_comes_through_whole, signals_reach_the_job,
	   a_stopped_caller_stops_the_job, a_job_ends_with_its_caller)
