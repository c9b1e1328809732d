// SPDX-License-Identifier: Apache-2.0
/* The hook program as libvirt calls it, by its exit status, its output and the store. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/spawn.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "vmm/domain/domain.h"

#define OURS(name, cpus) "<domain type='qemu'><name>" name "</name><metadata><l:lease xmlns:l='" VH_DOMAIN_NS \
	"' holder='vm/" name "' owner='cluster/c' cpus='" cpus "'><l:memory node='0' bytes='4096'/></l:lease>" \
	"</metadata></domain>"
#define FOREIGN "<domain type='qemu'><name>n</name></domain>"

/* bin/vhpc-hook of the build that this runner is of; NULL: not built. */
static char *hook_program(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *path;

	ck_assert_int_gt(n, 0);
	self[n] = 0;
	*strrchr(self, '/') = 0;
	path = vh_strf("%s/../bin/vhpc-hook", self);
	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/* What is to be read, as a file: through a pipe a long text changes between two processes a thousand times,
 * which takes minutes on a busy machine. */
static int file_of(const char *text)
{
	int fd = memfd_create("domain", MFD_CLOEXEC);
	size_t len = strlen(text);

	ck_assert_int_ge(fd, 0);
	for (ssize_t n; len > 0; text += n, len -= (size_t)n)
		ck_assert_int_gt(n = write(fd, text, len), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* NAME OP SUBOP EXTRA; returns the exit status. Nothing may ever come on its output. */
static int call(const char *state, const char *name, const char *op, const char *subop, const char *xml,
		char **ret_said)
{
	vh_autofree char *program = hook_program();
	char *const argv[] = { program, (char *)"qemu", (char *)"--state", (char *)state, (char *)name, (char *)op,
			       (char *)subop, (char *)"-", NULL };
	const bool is_long = strlen(xml) > 1 << 20;
	vh_autoclose int fd = is_long ? file_of(xml) : -1;
	const struct vh_spawn spawn = { .argv = argv, .in_fd = is_long ? fd : 0, .input = is_long ? NULL : xml,
					.input_len = strlen(xml), .deadline_ms = 60000 };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(vh_spawn_run(&spawn, &out, &err), 0);
	ck_assert_str_eq(out.out, "");
	if (ret_said)
		*ret_said = strdup(out.err);
	return out.status;
}

static size_t leases_of(const char *state, const char *holder)
{
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	ck_assert_int_eq(vh_lease_list(store, NULL, holder, &leases, &n, &err), 0);
	vh_lease_free(leases, n);
	return n;
}

static bool store_exists(const char *state)
{
	vh_autofree char *path = vh_strf("%s/store.db", state);

	return access(path, F_OK) == 0;
}

#define NEED_HOOK() \
	do { \
		vh_autofree char *program = hook_program(); \
		if (!program) \
			unit_skip("vhpc-hook is not built"); \
	} while (0)

START_TEST(leases_follow_the_life)
{
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir(), *said = NULL;

	ck_assert_int_eq(call(state, "a", "prepare", "begin", OURS("a", "0-1"), NULL), 0);
	ck_assert_uint_eq(leases_of(state, "vm/a"), 3);
	ck_assert_int_eq(call(state, "a", "start", "begin", OURS("a", "0-1"), NULL), 0);
	ck_assert_int_eq(call(state, "a", "started", "begin", OURS("a", "0-1"), NULL), 0);
	ck_assert_int_eq(call(state, "b", "prepare", "begin", OURS("b", "1-2"), &said), 1);
	ck_assert_str_eq(said, "vhpc hook: cpu 1: held by vm/a\n");
	ck_assert_uint_eq(leases_of(state, "vm/b"), 0);
	ck_assert_int_eq(call(state, "a", "stopped", "end", OURS("a", "0-1"), NULL), 0);
	ck_assert_uint_eq(leases_of(state, "vm/a"), 3);
	ck_assert_int_eq(call(state, "a", "release", "end", OURS("a", "0-1"), NULL), 0);
	ck_assert_uint_eq(leases_of(state, "vm/a"), 0);
	ck_assert_int_eq(call(state, "b", "prepare", "begin", OURS("b", "1-2"), NULL), 0);
}
END_TEST

START_TEST(foreign_and_other_calls_pass)
{
	static const char *const ops[][2] = {
		{ "start", "begin" }, { "started", "begin" }, { "stopped", "end" }, { "migrate", "begin" },
		{ "restore", "begin" }, { "reconnect", "begin" }, { "attach", "begin" }, { "news", "-" },
	};
	vh_autofree char *said = NULL;
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir();

	ck_assert_int_eq(call(state, "n", "prepare", "begin", FOREIGN, &said), 0);
	ck_assert_str_eq(said, "");
	ck_assert_int_eq(call(state, "-n", "release", "end", FOREIGN, NULL), 2);
	ck_assert_int_eq(call(state, "n", "release", "end", FOREIGN, NULL), 0);
	for (size_t i = 0; i < vh_array_len(ops); i++)
		ck_assert_int_eq(call(state, "n", ops[i][0], ops[i][1], "garbage", NULL), 0);
	ck_assert(!store_exists(state));
}
END_TEST

START_TEST(bad_domains_do_not_start)
{
	static const struct { const char *xml, *text; } bad[] = {
		{ "<domain xmlns:l='" VH_DOMAIN_NS "'><name>a</na", "vhpc hook: domain:1: " },
		{ OURS("other", "0"), "vhpc hook: the domain on standard input is not a\n" },
		{ OURS("a", "x"), "vhpc hook: domain a: lease: cpus is no list of CPUs\n" },
		{ "<!DOCTYPE domain>" OURS("a", "0"), "vhpc hook: domain: a document type" },
	};
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir();

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autofree char *said = NULL;

		ck_assert_int_eq(call(state, "a", "prepare", "begin", bad[i].xml, &said), 1);
		ck_assert_msg(!strncmp(said, bad[i].text, strlen(bad[i].text)), "%s", said);
	}
	ck_assert(!store_exists(state));
}
END_TEST

/* A domain with so many bytes of comment, and then this. */
static char *long_domain(size_t len, const char *end)
{
	char *xml = malloc(len + strlen(end) + 32);

	ck_assert_ptr_nonnull(xml);
	strcpy(xml, "<domain><!--");
	memset(xml + strlen(xml), 'x', len);
	strcpy(xml + strlen("<domain><!--") + len, "-->");
	return strcat(xml, end);
}

START_TEST(what_is_anothers_starts)
{
	static const char *const odd[] = {
		"", "garbage", "<domain><name>n</na", "<!DOCTYPE domain><domain><name>n</name></domain>", "<network/>",
		"<domain><name>n</name><metadata><lease holder='vm/n' cpus='0'/></metadata></domain>",
	};
	static const size_t lengths[] = { 3 << 20, 70 << 20 };
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir(), *said = NULL;
	vh_autofree char *ours = long_domain(70 << 20, OURS("n", "0"));

	for (size_t i = 0; i < vh_array_len(odd); i++)
		ck_assert_int_eq(call(state, "n", "prepare", "begin", odd[i], NULL), 0);
	for (size_t i = 0; i < vh_array_len(lengths); i++) {
		vh_autofree char *xml = long_domain(lengths[i], "<name>n</name></domain>");

		ck_assert_int_eq(call(state, "n", "prepare", "begin", xml, NULL), 0);
	}
	ck_assert(!store_exists(state));
	/* Ours of that size is not let start without its leases. */
	ck_assert_int_eq(call(state, "n", "prepare", "begin", ours, &said), 1);
	ck_assert_str_eq(said, "vhpc hook: standard input: longer than there is room for\n");
}
END_TEST

/* The hook with standard input there and not more than so much memory; its exit status. */
static int call_within(const char *state, const char *memory, int in_fd)
{
	vh_autofree char *program = hook_program(), *limit = vh_strf("--as=%s", memory);
	char *const argv[] = { (char *)"prlimit", limit, program, (char *)"qemu", (char *)"--state", (char *)state,
			       (char *)"n", (char *)"prepare", (char *)"begin", (char *)"-", NULL };
	const struct vh_spawn spawn = { .argv = argv, .in_fd = in_fd, .deadline_ms = 60000 };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(vh_spawn_run(&spawn, &out, &err), 0);
	return out.status;
}

START_TEST(what_cannot_be_read_is_no_reason)
{
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir();
	vh_autofree char *foreign_text = long_domain(50 << 20, "<name>n</name></domain>");
	vh_autofree char *our_text = long_domain(50 << 20, OURS("n", "0"));
	vh_autoclose int foreign = file_of(foreign_text);
	vh_autoclose int ours = file_of(our_text);
	vh_autoclose int dir = open("/", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(call_within(state, "unlimited", dir), 0);
#ifndef __SANITIZE_ADDRESS__	/* which takes terabytes of addresses */
	ck_assert_int_eq(call_within(state, "50000000", foreign), 0);
	ck_assert_int_eq(call_within(state, "50000000", ours), 1);
#endif
}
END_TEST

START_TEST(a_locked_store_keeps_nobody_elses_vm_waiting)
{
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir();
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_int_eq(vh_store_begin(store, &err), 0);
	ck_assert_int_eq(call(state, "n", "prepare", "begin", FOREIGN, NULL), 0);
	ck_assert_int_eq(call(state, "n", "release", "end", FOREIGN, NULL), 0);
	ck_assert_int_eq(vh_store_end(store, false, &err), 0);
}
END_TEST

/* A process that looks like QEMU's of that VM; its standard input ends it. */
static pid_t fake_qemu(const char *name, int *ret_stdin)
{
	vh_autofree char *guest = vh_strf("guest=%s,", name);
	int fds[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(fds[0], STDIN_FILENO);
		execl("/bin/sh", "sh", "-c", "read x; true", "-name", guest, NULL);
		_exit(127);
	}
	close(fds[0]);
	*ret_stdin = fds[1];
	return pid;
}

/* Until the child has become that program. */
static void wait_for_program(pid_t pid, const char *name)
{
	vh_autofree char *path = vh_strf("/proc/%d/comm", pid);
	char is[32] = "";

	for (int i = 0; i < 6000 && strcmp(is, name); i++) {
		vh_autofclose FILE *f = fopen(path, "re");

		if (f && fgets(is, sizeof(is), f))
			is[strcspn(is, "\n")] = 0;
		usleep(10000);
	}
	ck_assert_str_eq(is, name);
}

START_TEST(leases_end_with_a_vm_that_nobody_saw_end)
{
	NEED_HOOK();
	vh_autofree char *state = unit_tmpdir();
	vh_autofree char *name = vh_strf("gone-%d", getpid());
	vh_autofree char *xml = vh_strf("<domain><name>%s</name><metadata><l:lease xmlns:l='" VH_DOMAIN_NS
					"' holder='vm/%s' owner='x' cpus='0-1'/></metadata></domain>", name, name);
	int in;
	pid_t qemu;

	ck_assert_int_eq(call(state, name, "prepare", "begin", xml, NULL), 0);
	/* Between this and QEMU nothing tells that it lives. */
	ck_assert_int_eq(call(state, "b", "prepare", "begin", OURS("b", "1-2"), NULL), 1);
	qemu = fake_qemu(name, &in);
	wait_for_program(qemu, "sh");
	ck_assert_int_eq(call(state, name, "started", "begin", xml, NULL), 0);
	ck_assert_int_eq(call(state, "b", "prepare", "begin", OURS("b", "1-2"), NULL), 1);
	close(in);
	ck_assert_int_eq(waitpid(qemu, NULL, 0), qemu);
	ck_assert_int_eq(call(state, "b", "prepare", "begin", OURS("b", "1-2"), NULL), 0);
}
END_TEST

/* Starts it by another name with these arguments; the exit status. */
static int called_as(const char *path, const char *const *args, const char *state, const char *xml)
{
	vh_autofree char *env_state = vh_strf("VHPC_STATE=%s", state);
	char *argv[8] = { (char *)path }, *const env[] = { env_state, NULL };
	const struct vh_spawn spawn = { .argv = argv, .env = env, .input = xml, .input_len = strlen(xml),
					.deadline_ms = 20000 };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; args[i]; i++)
		argv[i + 1] = (char *)args[i];
	ck_assert_int_eq(vh_spawn_run(&spawn, &out, &err), 0);
	ck_assert_str_eq(out.out, "");
	return out.status;
}

START_TEST(called_by_libvirt)
{
	NEED_HOOK();
	vh_autofree char *program = hook_program(), *dir = unit_tmpdir(), *state = unit_tmpdir();
	vh_autofree char *hooks = vh_strf("%s/qemu.d", dir), *link = vh_strf("%s/qemu.d/vhpc", dir);
	const char *const prepare[] = { "a", "prepare", "begin", "-", NULL };
	const char *const dashed[] = { "--help", "prepare", "begin", "-", NULL };
	const char *const reconnect[] = { "a", "reconnect", NULL }, *const few[] = { "a", "prepare", NULL };

	ck_assert_int_eq(mkdir(hooks, 0755), 0);
	ck_assert_int_eq(symlink(program, link), 0);
	ck_assert_int_eq(called_as(link, prepare, state, OURS("a", "0")), 0);
	ck_assert_uint_eq(leases_of(state, "vm/a"), 2);
	/* A domain may have any name. */
	ck_assert_int_eq(called_as(link, dashed, state, FOREIGN), 0);
	ck_assert_int_eq(called_as(link, reconnect, state, "garbage"), 0);
	ck_assert_int_eq(called_as(link, few, state, OURS("a", "0")), 2);
}
END_TEST

UNIT_SUITE(tools_hook, leases_end_with_a_vm_that_nobody_saw_end,
	   leases_follow_the_life, foreign_and_other_calls_pass, bad_domains_do_not_start,
	   what_is_anothers_starts, what_cannot_be_read_is_no_reason, a_locked_store_keeps_nobody_elses_vm_waiting,
	   called_by_libvirt)
