// SPDX-License-Identifier: Apache-2.0
/* build, in a process of its own, so that whatever ends it leaves nothing behind. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "images/cache/cache.h"
#include "images/build/build.h"
#include "images/images.h"
#include "images/packages/packages.h"
#include "images/cli/cli.h"
#include "lib/clock.h"
#include "lib/files/own.h"
#include "lib/strv.h"

const struct vh_opt vh_image_build_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct vh_image_build_opts, store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ "log", 0, VH_OPT_STR, offsetof(struct vh_image_build_opts, log), "FILE",
	  "Keep all that the build says" },
	{ "again", 0, VH_OPT_FLAG, offsetof(struct vh_image_build_opts, again), NULL,
	  "Ask the archive for its packages of today" },
	{ "lock", 0, VH_OPT_STR, offsetof(struct vh_image_build_opts, lock), "FILE",
	  "Take exactly the packages that vhpc image lock printed" },
	{ .name = NULL },
};

/* Beside the program in a build tree; below the prefix when installed. */
static char *beside(const char *name, const char *installed_as)
{
	vh_autofree char *own = vh_own_dir(), *dir = own ? vh_strf("%s/../%s", own, name) : NULL;
	return dir && access(dir, X_OK) == 0 ? vh_steal(&dir) : strdup(installed_as);
}

int vh_image_recipe(const char *path, const struct vh_root *root, struct vh_recipe *ret, struct vh_err *err)
{
	vh_autofree char *shipped = beside("recipes", VHPC_PREFIX "/share/vhpc/recipes");
	return shipped ? vh_recipe_load(path, shipped, root, ret, err) : vh_err_nomem(err);
}

static bool is_program(const char *program)
{
	static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin",
					    "/sbin", "/bin" };
	for (size_t i = 0; i < vh_array_len(dirs); i++) {
		vh_autofree char *path = vh_strf("%s/%s", dirs[i], program);
		if (path && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

int vh_image_check_host(const struct vh_root *root, struct vh_err *err)
{
	static const struct { const char *program, *package; } needs[] = {
		{ "mmdebstrap", "mmdebstrap" }, { "mke2fs", "e2fsprogs" }, { "unshare", "util-linux" },
	};
	int r = vh_root_is_live(root) ? 0 :
		vh_err_refuse(err, EROFS, "an image is built on this host, not on a captured one");

	for (size_t i = 0; r == 0 && i < vh_array_len(needs); i++)
		if (!is_program(needs[i].program)) {
			vh_err_refuse(err, ENOENT, "%s is not installed", needs[i].program);
			r = vh_err_hint(err, "apt-get install %s", needs[i].package);
		}
	return r;
}

static int build_and_tell(struct vh_build *b, bool quiet, struct vh_err *err)
{
	vh_autofree char *title = vh_strf("image %s", b->recipe->name);
	double began = vh_now();
	bool built = false;

	b->progress = vh_progress_start(title ? title : "image", quiet);
	int r = vh_build_image(b, &built, err);
	double s = vh_now() - began;
	if (r == 0)
		vh_progress_end(b->progress, built ? "built in %.1f s" : "unchanged (%.2f s)", s);
	else
		vh_progress_end(b->progress, NULL);
	return r < 0 ? vh_err_within(err, "image %s", b->recipe->name) : 0;
}

/* In the child: all of the build. In a group of its own, so that Ctrl-C reaches only the
 * parent, which then ends it in order; and never longer alive than the parent. */
static _Noreturn void work(struct vh_build *b, const struct vh_cli *cli, pid_t parent, const sigset_t *mask)
{
	vh_autoerr err = VH_ERR_NONE;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(VH_EXIT_FAILED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	int r = build_and_tell(b, cli->quiet, &err);
	if (r < 0)
		vh_err_print(stderr, cli->prog, &err);
	fflush(NULL);
	_exit(r < 0 ? (int)err.exit : VH_EXIT_DONE);
}

/* The worker's exit code, or the signal that ended it or us as a negative number. */
static int wait_worker(pid_t pid, const sigset_t *set)
{
	int status = 0, sig;

	do {
		sig = sigwaitinfo(set, NULL);
		if (sig < 0 && errno == EINTR)
			continue;
		if (sig != SIGCHLD) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			status = sig;
			break;
		}
	} while (waitpid(pid, &status, WNOHANG) != pid);
	/* What the worker started comes to us when it is killed, and dies with it. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int supervise(struct vh_build *b, const struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *cached = vh_strf("%s/images", b->cache);
	sigset_t set, old;
	pid_t self = getpid();

	if (!cached)
		return vh_err_nomem(err);
	sigemptyset(&set);
	for (size_t i = 0; i < 4; i++)
		sigaddset(&set, (const int[]){ SIGCHLD, SIGINT, SIGTERM, SIGHUP }[i]);
	sigprocmask(SIG_BLOCK, &set, &old);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return vh_err_set(err, errno, "cannot fork: %s", strerror(errno));
	if (pid == 0)
		work(b, cli, self, &old);
	int code = wait_worker(pid, &set);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (code >= 0)
		return code;
	vh_workdir_sweep(cached, "build");
	vh_workdir_sweep(b->store, "install");
	return vh_err_set(err, EINTR, "image %s: ended by %s, nothing is left of the build",
			  b->recipe->name, strsignal(-code));
}

int vh_image_build(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_build_opts *o = cli->opts;
	vh_autofree char *store = vh_image_store(o->store, cli->state), *guest = NULL;
	vh_autorecipe recipe = { 0 };
	vh_autoroot root = NULL;
	vh_autofclose FILE *log = NULL;
	int r;

	if ((r = vh_root_open(&root, cli->root, err)) < 0 ||
	    (r = vh_image_recipe(cli->argv[0], root, &recipe, err)) < 0 ||
	    (r = vh_image_check_host(root, err)) < 0 || (r = vh_userns_enter("building an image", err)) < 0)
		return r;
	guest = beside("guest", VHPC_PREFIX "/lib/vhpc/guest");
	if (!store || !guest)
		return vh_err_nomem(err);
	if (o->log && !(log = fopen(o->log, "we")))
		return vh_err_refuse(err, errno, "%s: %s", o->log, strerror(errno));
	struct vh_build b = { .recipe = &recipe, .store = store, .cache = cli->cache, .guest = guest,
			      .lock = o->lock, .again = o->again, .log = log };
	return supervise(&b, cli, err);
}
