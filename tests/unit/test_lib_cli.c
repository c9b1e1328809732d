// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include "lib/cli.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

/* A program that prints what it was given. */
struct echo_opts {
	bool force;
	const char *name;
	uint64_t count, size;
	char **tags;
};

static int echo(struct vh_cli *cli, struct vh_err *err)
{
	const struct echo_opts *o = cli->opts;

	(void)err;
	printf("%s/%s json=%d quiet=%d state=%s cache=%s connect=%s root=%s\n", cli->prog, cli->verb, cli->json,
	       cli->quiet, cli->state, cli->cache, cli->connect ? cli->connect : "-", cli->root ? cli->root : "-");
	printf("force=%d name=%s count=%u size=%u tags=", o->force, o->name ? o->name : "-", (unsigned)o->count,
	       (unsigned)o->size);
	for (char **t = o->tags; t && *t; t++)
		printf("%s;", *t);
	printf(" args=");
	for (int i = 0; i < cli->argc; i++)
		printf("%s;", cli->argv[i]);
	printf("\n");
	return 0;
}

static int go_wrong(struct vh_cli *cli, struct vh_err *err)
{
	const char *how = cli->argc ? cli->argv[0] : "";

	if (!strcmp(how, "refuse")) {
		vh_err_refuse(err, EBUSY, "thing: held");
		return vh_err_hint(err, "let go");
	}
	if (!strcmp(how, "partial"))
		return VH_EXIT_PARTIAL;
	return vh_err_set(err, EIO, "thing: broken");
}

static const struct vh_opt echo_opts[] = {
	{ "force", 'f', VH_OPT_FLAG, offsetof(struct echo_opts, force), NULL, "even so" },
	{ "name", 'n', VH_OPT_STR, offsetof(struct echo_opts, name), "NAME", "the name" },
	{ "count", 0, VH_OPT_UINT, offsetof(struct echo_opts, count), "N", "how many" },
	{ "size", 0, VH_OPT_SIZE, offsetof(struct echo_opts, size), "SIZE", "how big" },
	{ "tag", 't', VH_OPT_STRV, offsetof(struct echo_opts, tags), "TAG", "a tag, repeatable" },
	{ 0 }
};

#define ECHO echo_opts, sizeof(struct echo_opts), echo
static const struct vh_verb verbs[] = {
	{ "echo", "[WORD...]", 0, 3, "Print what was given", VH_VERB_JSON, ECHO },
	{ "need", "FILE", 1, 1, "Take one file", 0, ECHO },
	{ "rest", "COMMAND...", 1, -1, "Take a command line", VH_VERB_REST, ECHO },
	{ "pass", "[OPTIONS] PROGRAM...", 1, -1, "Take another program's options", VH_VERB_PASS, ECHO },
	{ "fail", "[HOW]", 0, 1, "Fail", 0, NULL, 0, go_wrong },
	{ "secret", "", 0, 0, "Not listed", VH_VERB_HIDDEN, ECHO },
	{ 0 }
};
static const struct vh_prog prog = { "vhpc unit", "Tries the command line", verbs };

static const struct vh_verb single[] = {
	{ "", "[WORD...]", 0, -1, "Print what was given", VH_VERB_REST, ECHO },
	{ 0 }
};
static const struct vh_prog single_prog = { "unit-single", "Tries a program of one verb", single };

static int run(const struct vh_prog *p, struct unit_output *o, char **argv)
{
	char *copy[32] = { 0 };
	size_t n = 0;
	int code;

	for (; argv[n]; n++) {
		ck_assert_uint_lt(n + 1, vh_array_len(copy));
		copy[n] = argv[n];
	}
	unit_capture_begin(o);
	code = vh_main(p, (int)n, copy);
	unit_capture_end(o);
	return code;
}
#define RUN(o, ...) run(&prog, o, (char *[]){ (char *)"vhpc-unit", __VA_ARGS__, NULL })
#define RUN1(o, ...) run(&single_prog, o, (char *[]){ (char *)"unit-single", __VA_ARGS__, NULL })
#define W(s) ((char *)(s))

static void clean_env(void)
{
	unsetenv("VHPC_STATE");
	unsetenv("VHPC_CACHE");
	unsetenv("VHPC_CONNECT");
	unsetenv("VHPC_ROOT");
}

START_TEST(options_and_arguments_may_mix)
{
	unit_autooutput o = { 0 };

	clean_env();
	ck_assert_int_eq(RUN(&o, W("echo"), W("a"), W("--json"), W("-f"), W("b"), W("--name=x"), W("--count"), W("4"),
			     W("--size"), W("2K"), W("-t"), W("p"), W("--tag=q"), W("-q"), W("--state"), W("/s"),
			     W("--cache=/c"), W("--connect"), W("test:///default"), W("--root"), W("/r")), 0);
	ck_assert_str_eq(o.out, "vhpc unit/echo json=1 quiet=1 state=/s cache=/c connect=test:///default root=/r\n"
			 "force=1 name=x count=4 size=2048 tags=p;q; args=a;b;\n");
	ck_assert_str_eq(o.err, "");
}
END_TEST

START_TEST(nameless_state_is_refused)
{
	unit_autooutput o = { 0 };

	clean_env();
	ck_assert_int_eq(RUN(&o, W("echo"), W("--state"), W("")), VH_EXIT_USAGE);
	ck_assert_str_eq(o.out, "");
}
END_TEST

/* In a process of its own, whose output is nobody's. */
START_TEST(missing_descriptors_are_not_given_to_files)
{
	char *argv[] = { W("vhpc-unit"), W("echo"), NULL };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		status = vh_main(&prog, 2, argv);
		unit_exit(status == VH_EXIT_FAILED && open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}
END_TEST

START_TEST(nothing_given_is_the_default)
{
	unit_autooutput o = { 0 };

	clean_env();
	setenv("XDG_STATE_HOME", "/xs", 1);
	setenv("XDG_CACHE_HOME", "/xc", 1);
	ck_assert_int_eq(RUN(&o, W("echo")), 0);
	if (geteuid() == 0)
		ck_assert_ptr_nonnull(strstr(o.out, "json=0 quiet=0 state=/var/lib/vhpc cache=/var/cache/vhpc connect=- root=-\n"));
	else
		ck_assert_ptr_nonnull(strstr(o.out, "json=0 quiet=0 state=/xs/vhpc cache=/xc/vhpc connect=- root=-\n"));
	ck_assert_ptr_nonnull(strstr(o.out, "force=0 name=- count=0 size=0 tags= args=\n"));
}
END_TEST

START_TEST(variables_stand_behind_options)
{
	unit_autooutput o = { 0 };

	setenv("VHPC_STATE", "/vs", 1);
	setenv("VHPC_CACHE", "/vc", 1);
	setenv("VHPC_CONNECT", "test:///v", 1);
	setenv("VHPC_ROOT", "/vr", 1);
	ck_assert_int_eq(RUN(&o, W("echo"), W("--cache"), W("/oc")), 0);
	clean_env();
	ck_assert_ptr_nonnull(strstr(o.out, "state=/vs cache=/oc connect=test:///v root=/vr\n"));
}
END_TEST

START_TEST(relative_state_is_made_absolute)
{
	unit_autooutput o = { 0 };
	vh_autofree char *cwd = getcwd(NULL, 0);
	vh_autofree char *want = vh_strf("state=%s/st ", cwd);

	clean_env();
	ck_assert_int_eq(RUN(&o, W("echo"), W("--state"), W("st")), 0);
	ck_assert_msg(strstr(o.out, want), "%s", o.out);
}
END_TEST

START_TEST(double_dash_ends_options)
{
	unit_autooutput o = { 0 };

	ck_assert_int_eq(RUN(&o, W("echo"), W("--"), W("--force"), W("-")), 0);
	ck_assert_ptr_nonnull(strstr(o.out, "force=0"));
	ck_assert_ptr_nonnull(strstr(o.out, "args=--force;-;\n"));
}
END_TEST

START_TEST(rest_ends_options_at_the_first_argument)
{
	unit_autooutput o = { 0 };

	ck_assert_int_eq(RUN(&o, W("rest"), W("-f"), W("ls"), W("--force"), W("-x"), W("--json")), 0);
	ck_assert_ptr_nonnull(strstr(o.out, "force=1"));
	ck_assert_ptr_nonnull(strstr(o.out, "args=ls;--force;-x;--json;\n"));
}
END_TEST

START_TEST(pass_leaves_anothers_options_as_they_stand)
{
	unit_autooutput o = { 0 }, ours = { 0 }, missing = { 0 };

	ck_assert_int_eq(RUN(&o, W("pass"), W("-f"), W("--name=x"), W("-np"), W("4"), W("--mca"), W("a"), W("prog"),
			     W("--name"), W("y")), 0);
	ck_assert_ptr_nonnull(strstr(o.out, "force=1 name=x "));
	ck_assert_ptr_nonnull(strstr(o.out, "args=-np;4;--mca;a;prog;--name;y;\n"));
	ck_assert_int_eq(RUN(&ours, W("pass"), W("--"), W("--force"), W("prog")), 0);
	ck_assert_ptr_nonnull(strstr(ours.out, "force=0 "));
	ck_assert_ptr_nonnull(strstr(ours.out, "args=--force;prog;\n"));
	ck_assert_int_eq(RUN(&missing, W("pass"), W("--force")), VH_EXIT_USAGE);
}
END_TEST

START_TEST(program_of_one_verb)
{
	unit_autooutput o = { 0 }, help = { 0 };

	ck_assert_int_eq(RUN1(&o, W("-f"), W("prog"), W("--help")), 0);
	ck_assert_ptr_nonnull(strstr(o.out, "args=prog;--help;\n"));
	ck_assert_int_eq(RUN1(&help, W("--help")), 0);
	ck_assert_msg(!strncmp(help.out, "Usage: unit-single [OPTIONS] [WORD...]\n", 39), "%s", help.out);
}
END_TEST

static void check_usage(char **argv, const char *want)
{
	unit_autooutput o = { 0 };
	int code = run(&prog, &o, argv);

	ck_assert_msg(code == VH_EXIT_USAGE, "%s: exit code %d, %s", argv[1], code, o.err);
	ck_assert_str_eq(o.out, "");
	ck_assert_msg(!strncmp(o.err, want, strlen(want)), "'%s' does not start with '%s'", o.err, want);
}
#define USAGE(want, ...) check_usage((char *[]){ W("vhpc-unit"), __VA_ARGS__ __VA_OPT__(,) NULL }, want)

START_TEST(usage_errors_exit_2_and_say_why)
{
	USAGE("vhpc unit: a verb is missing\n");
	USAGE("vhpc unit: unknown verb 'ecno' (hint: did you mean 'echo'?)\n", W("ecno"));
	USAGE("vhpc unit: unknown verb 'zzzzzz' (hint: vhpc unit --help lists the verbs)\n", W("zzzzzz"));
	USAGE("vhpc unit: unknown option '--forse' (hint: did you mean '--force'?)\n", W("echo"), W("--forse"));
	USAGE("vhpc unit: unknown option '--for'", W("echo"), W("--for"));
	USAGE("vhpc unit: unknown option '-x'\n", W("echo"), W("-x"));
	USAGE("vhpc unit: --force takes no argument\n", W("echo"), W("--force=1"));
	USAGE("vhpc unit: --name: an argument (NAME) is missing\n", W("echo"), W("--name"));
	USAGE("vhpc unit: --count: 'x' is not a whole number", W("echo"), W("--count"), W("x"));
	USAGE("vhpc unit: --count: '-1' is not a whole number", W("echo"), W("--count"), W("-1"));
	USAGE("vhpc unit: --size: '2X' is not a size", W("echo"), W("--size=2X"));
	USAGE("vhpc unit: unknown option '--json'", W("need"), W("--json"), W("f"));
	USAGE("vhpc unit: need: FILE is missing\n", W("need"));
	USAGE("vhpc unit: need: 'b' is one argument too many\n", W("need"), W("a"), W("b"));
}
END_TEST

START_TEST(verbs_results_become_exit_codes)
{
	unit_autooutput failed = { 0 }, refused = { 0 }, partial = { 0 };

	ck_assert_int_eq(RUN(&failed, W("fail")), VH_EXIT_FAILED);
	ck_assert_str_eq(failed.err, "vhpc unit: thing: broken\n");
	ck_assert_int_eq(RUN(&refused, W("fail"), W("refuse")), VH_EXIT_REFUSED);
	ck_assert_str_eq(refused.err, "vhpc unit: thing: held (hint: let go)\n");
	ck_assert_int_eq(RUN(&partial, W("fail"), W("partial")), VH_EXIT_PARTIAL);
	ck_assert_str_eq(partial.err, "");
}
END_TEST

START_TEST(help_lists_verbs_and_options)
{
	unit_autooutput all = { 0 }, one = { 0 }, missing = { 0 };

	ck_assert_int_eq(RUN(&all, W("--help")), 0);
	ck_assert_ptr_nonnull(strstr(all.out, "Usage: vhpc unit VERB [OPTIONS] [ARGUMENTS]\n"));
	ck_assert_ptr_nonnull(strstr(all.out, "  echo [WORD...] "));
	ck_assert_ptr_nonnull(strstr(all.out, "--version"));
	ck_assert_ptr_null(strstr(all.out, "secret"));
	ck_assert_int_eq(RUN(&one, W("echo"), W("-h")), 0);
	ck_assert_ptr_nonnull(strstr(one.out, "Usage: vhpc unit echo [OPTIONS] [WORD...]\n"));
	ck_assert_ptr_nonnull(strstr(one.out, "  -n, --name NAME "));
	ck_assert_ptr_nonnull(strstr(one.out, "      --json "));
	ck_assert_int_eq(RUN(&missing, W("need"), W("--help")), 0);
	ck_assert_ptr_null(strstr(missing.out, "--json"));
}
END_TEST

START_TEST(version_is_the_one_version)
{
	unit_autooutput o = { 0 }, verb = { 0 };

	ck_assert_int_eq(RUN(&o, W("--version")), 0);
	ck_assert_str_eq(o.out, "vhpc unit " VHPC_VERSION "\n");
	ck_assert_int_eq(RUN(&verb, W("need"), W("-V")), 0);
	ck_assert_str_eq(verb.out, "vhpc unit " VHPC_VERSION "\n");
}
END_TEST

START_TEST(hidden_verb_runs)
{
	unit_autooutput o = { 0 };

	ck_assert_int_eq(RUN(&o, W("secret")), 0);
}
END_TEST

START_TEST(full_output_is_an_error)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		char *argv[] = { W("vhpc-unit"), W("echo"), NULL };

		if (!freopen("/dev/full", "w", stdout) || !freopen("/dev/null", "w", stderr))
			unit_exit(99);
		unit_exit(vh_main(&prog, 2, argv));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), VH_EXIT_FAILED);
}
END_TEST

START_TEST(rights_are_refused_without_them)
{
	pid_t pid;
	int status;

	if (geteuid() != 0)
		unit_skip("needs root to give rights away");
	pid = fork();
	if (pid == 0) {
		vh_autoerr err = VH_ERR_NONE;
		int with = vh_need_rights("cluster apply", &err), without;

		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			unit_exit(99);
		without = vh_need_rights("cluster apply", &err);
		status = with == 0 && without == -EPERM && err.exit == VH_EXIT_REFUSED &&
			 !strncmp(err.text, "cluster apply: needs root", 25);
		vh_err_clear(&err);
		unit_exit(status ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", status);
}
END_TEST

UNIT_SUITE(lib_cli, options_and_arguments_may_mix, nameless_state_is_refused,
	   missing_descriptors_are_not_given_to_files, nothing_given_is_the_default, variables_stand_behind_options,
	   relative_state_is_made_absolute, double_dash_ends_options, rest_ends_options_at_the_first_argument,
	   pass_leaves_anothers_options_as_they_stand, program_of_one_verb, usage_errors_exit_2_and_say_why, verbs_results_become_exit_codes,
	   help_lists_verbs_and_options, version_is_the_one_version, hidden_verb_runs, full_output_is_an_error,
	   rights_are_refused_without_them)
