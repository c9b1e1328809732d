// SPDX-License-Identifier: Apache-2.0
/* verify: an image booted in each of its ways, and what was found of it. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "images/images.h"
#include "images/store/store.h"
#include "images/cli/cli.h"
#include "images/cli/verb_exchange.h"
#include "images/verify/verify.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/files/own.h"
#include "lib/show/progress.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"

const struct vh_opt vh_image_verify_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct vh_image_verify_opts, store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ "boot", 0, VH_OPT_STR, offsetof(struct vh_image_verify_opts, boot), "WAY",
	  "Boot it by this way alone: direct, uefi or squashfs (default: every way it has)" },
	{ .name = NULL },
};

struct work {
	struct vh_verify_run run;
	struct vh_progress *progress;
	int only;		/* a way to boot; -1: all that the image has */
};

static int lock(const struct vh_cli *cli, const char *image, int *ret, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("verify-%.48s", image);
	int r = name ? vh_lock(cli->state, name, 0, ret, err) : vh_err_nomem(err);

	if (r == -EBUSY)
		vh_err_as(err, VH_EXIT_REFUSED);
	return r < 0 ? vh_err_within(err, "image %s: is being verified", image) : 0;
}

static int verify_one(const struct work *w, enum vh_boot boot, json_t *rows, struct vh_err *err)
{
	vh_autoverify v = { 0 };
	json_t *row;
	int r;

	vh_progress_step(w->progress, "booting by %s", vh_boot_names[boot]);
	/* What a verification that was killed left. */
	if ((r = vh_verify_end(&w->run, err)) < 0 || (r = vh_verify_boot(&w->run, boot, &v, err)) < 0)
		return vh_err_within(err, "%s", vh_boot_names[boot]);
	row = vh_verify_json(&v);
	return row && json_array_append_new(rows, row) == 0 ? 0 : vh_err_nomem(err);
}

static int verify_all(const struct work *w, json_t *rows, struct vh_err *err)
{
	int r = 0;
	for (int b = 0; r == 0 && b < VH_BOOTS; b++)
		if (w->run.image->cmdline[b] && (w->only < 0 || w->only == b))
			r = verify_one(w, (enum vh_boot)b, rows, err);
	return r;
}

/* In the child: the rows go to fd. In a group of its own, so that Ctrl-C reaches only the
 * parent, which takes the machine away. */
static _Noreturn void child(const struct work *w, const char *prog, int fd, pid_t parent, const sigset_t *mask)
{
	vh_autoerr err = VH_ERR_NONE;
	json_t *rows = json_array();

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(VH_EXIT_FAILED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	int r = rows ? verify_all(w, rows, &err) : vh_err_nomem(&err);
	if (r == 0 && json_dumpfd(rows, fd, 0) < 0)
		r = vh_err_set(&err, EIO, "the result cannot be kept");
	if (r < 0)
		vh_err_print(stderr, prog, &err);
	fflush(NULL);
	_exit(r < 0 ? (int)err.exit : VH_EXIT_DONE);
}

/* The child's exit code, or the signal that ended it or us as a negative number. */
static int wait_child(pid_t pid, const sigset_t *set)
{
	int status = 0, sig;

	do {
		sig = sigwaitinfo(set, NULL);
		if (sig > 0 && sig != SIGCHLD) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -sig;
		}
	} while (waitpid(pid, &status, WNOHANG) != pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* However it ends, the machine is taken away. */
static int supervise(const struct work *w, const struct vh_cli *cli, int fd, struct vh_err *err)
{
	vh_autoerr left = VH_ERR_NONE;
	sigset_t set, old;
	pid_t self = getpid();

	sigemptyset(&set);
	for (size_t i = 0; i < 4; i++)
		sigaddset(&set, (const int[]){ SIGCHLD, SIGINT, SIGTERM, SIGHUP }[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(w, cli->prog, fd, self, &old);
	int code = pid < 0 ? vh_err_set(err, errno, "cannot fork: %s", strerror(errno)) : wait_child(pid, &set);
	vh_progress_step(w->progress, "taking the machine away");
	if (vh_verify_end(&w->run, &left) < 0 && code <= 0) {
		vh_err_hint(&left, "vhpc cluster destroy verify-%.48s takes away what is left", w->run.image->name);
		vh_err_move(err, &left);
		code = -EIO;
	} else if (code < 0 && pid > 0) {
		code = vh_err_set(err, EINTR, "ended by %s", strsignal(-code));
	}
	/* A second Ctrl-C would end an interrupted one before it has said what became of it. */
	if (code >= 0)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return code;
}

static bool holds(const json_t *rows)
{
	const json_t *row, *check;
	size_t i, k;
	json_array_foreach(rows, i, row)
		json_array_foreach(json_object_get(row, "findings"), k, check)
			if (!vh_finding_is(check, VH_OK))
				return false;
	return true;
}

/* Phases in seconds, for people; memory as it is. */
static json_t *phase_rows(const json_t *rows)
{
	static const char *const keys[] = { "firmware", "kernel", "initrd", "userspace", "mpi" };
	json_t *out = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const json_t *phases = json_object_get(row, "phases");
		json_t *line = json_pack("{s:O, s:O, s:O}", "boot", json_object_get(row, "boot"), "accel",
					 json_object_get(row, "accel"), "memory", json_object_get(row, "memory_used"));
		for (size_t k = 0; k < vh_array_len(keys); k++) {
			const json_t *v = json_object_get(phases, keys[k]);
			vh_autofree char *s = json_is_number(v) ? vh_strf("%.2f s", json_number_value(v)) : NULL;
			json_object_set_new(line, keys[k], s ? json_string(s) : json_null());
		}
		json_array_append_new(out, line);
	}
	return out;
}

static json_t *all_findings(const json_t *rows)
{
	json_t *out = json_array();
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		json_array_extend(out, json_object_get(row, "findings"));
	return out;
}

static void print(const json_t *rows)
{
	static const struct vh_col phases[] = {
		{ "BOOT", "boot", VH_COL_TEXT }, { "ACCEL", "accel", VH_COL_TEXT }, { "FIRMWARE", "firmware", VH_COL_RIGHT },
		{ "KERNEL", "kernel", VH_COL_RIGHT }, { "INITRD", "initrd", VH_COL_RIGHT },
		{ "USERSPACE", "userspace", VH_COL_RIGHT }, { "MPI", "mpi", VH_COL_RIGHT }, { "MEMORY", "memory", VH_COL_SIZE },
		{ .head = NULL },
	};
	vh_autojson times = phase_rows(rows);
	vh_autojson all = all_findings(rows);

	vh_findings_print(stdout, all, true);
	putchar('\n');
	vh_table_print(stdout, phases, times);
}

static int report(const struct vh_cli *cli, const char *image, int fd, struct vh_err *err)
{
	vh_autojson rows = NULL;

	lseek(fd, 0, SEEK_SET);
	rows = json_loadfd(fd, 0, NULL);
	if (!rows)
		return vh_err_set(err, EIO, "image %s: the result cannot be read", image);
	bool good = holds(rows);
	if (!cli->json)
		print(rows);
	else if (vh_json_print("vhpc.image.verify/2", json_pack("{s:s, s:b, s:O}", "image", image, "holds", good, "boots", rows), err) < 0)
		return -err->num;
	return good ? 0 : vh_err_refuse(err, EINVAL, "image %s: does not hold what its image.json says", image);
}

static int verify_image(struct vh_cli *cli, const struct vh_image *image, const json_t *doc, const char *store,
			int only, struct vh_err *err)
{
	vh_autofree char *bin = vh_own_dir(), *title = vh_strf("image %s", image->name);
	vh_autoclose int held = -1, fd = memfd_create("vhpc-verify", MFD_CLOEXEC);
	struct work w = { .run = { image, doc, bin, cli->state, store, cli->connect }, .only = only };
	int r;

	if (!bin || !title || fd < 0)
		return vh_err_nomem(err);
	if ((r = lock(cli, image->name, &held, err)) < 0)
		return r;
	w.progress = vh_progress_start(title, cli->quiet);
	r = supervise(&w, cli, fd, err);
	vh_progress_end(w.progress, NULL);
	if (r < 0)
		return vh_err_within(err, "image %s", image->name);
	return r > 0 ? r : report(cli, image->name, fd, err);
}

int vh_image_verify(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_verify_opts *o = cli->opts;
	vh_autofree char *store = vh_image_store(o->store, cli->state);
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	enum vh_boot boot = VH_BOOT_DIRECT;
	vh_autojson doc = NULL;
	int r;

	if (!store)
		return vh_err_nomem(err);
	if ((o->boot && (r = vh_image_find_boot(o->boot, &boot, err)) < 0) ||
	    (r = vh_image_find(store, cli->argv[0], &image, err)) < 0 ||
	    (o->boot && (r = vh_image_check_boot(image, boot, err)) < 0) ||
	    (r = vh_image_json(store, cli->argv[0], &doc, err)) < 0 || (r = vh_need_rights("verifying an image", err)) < 0)
		return r;
	return verify_image(cli, image, doc, store, o->boot ? (int)boot : -1, err);
}
