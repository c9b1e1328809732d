// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/bootstrap.h"
#include "images/furnish.h"
#include "lib/cli.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/sysroot.h"

enum { BOOTSTRAP_MS = 45 * 60 * 1000, TAIL = 6, LINE = 400 };

struct watch {
	const struct vh_bootstrap *b;
	char tail[TAIL][LINE];	/* the last lines that say what went wrong, oldest first */
	char package[LINE];	/* the package that the archive does not have */
	bool unreachable, full, unsigned_, no_suite;
};

/* What mmdebstrap says, and what it means to somebody who waits. */
static const struct { const char *said, *stage; } stages[] = {
	{ "I: running apt-get update", "reading the package lists" },
	{ "I: downloading packages", "downloading packages" },
	{ "I: extracting archives", "unpacking the essential packages" },
	{ "I: installing essential packages", "installing the essential packages" },
	{ "I: installing remaining packages", "installing the other packages" },
	{ "I: cleaning package lists", "cleaning up" },
};

static bool says(const char *line, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(line, *words))
			return true;
	return false;
}

static void classify(struct watch *w, const char *line)
{
	static const char *const unreachable[] = { "could not resolve", "temporary failure resolving",
		"could not connect", "unable to connect", "connection timed out", "connection failed",
		"network is unreachable", "failed to fetch", NULL };
	static const char *const full[] = { "no space left on device", "not enough free space",
		"don't have enough free space", NULL };
	static const char *const untrusted[] = { "no_pubkey", "badsig", "expkeysig", "is not signed",
		"hash sum mismatch", NULL };
	static const char *const absent[] = { "does not have a release file",
		"no longer has a release file", NULL };
	static const char unknown[] = "E: Unable to locate package ";

	w->unreachable |= says(line, unreachable);
	w->full |= says(line, full);
	w->unsigned_ |= says(line, untrusted);
	w->no_suite |= says(line, absent);
	if (!strncmp(line, unknown, strlen(unknown)) && !*w->package)
		snprintf(w->package, sizeof w->package, "%s", line + strlen(unknown));
	if (!strncmp(line, "E: ", 3) || !strncmp(line, "Err:", 4) || !strncmp(line, "dpkg: error", 11) ||
	    says(line, full)) {
		memmove(w->tail, w->tail + 1, sizeof w->tail - sizeof *w->tail);
		snprintf(w->tail[TAIL - 1], LINE, "%s", line);
	}
}

static void on_line(void *arg, const char *line)
{
	struct watch *w = arg;
	if (w->b->log)
		fprintf(w->b->log, "%s\n", line);
	for (size_t i = 0; i < vh_array_len(stages); i++)
		if (!strncmp(line, stages[i].said, strlen(stages[i].said)))
			vh_progress_step(w->b->progress, "%s", stages[i].stage);
	classify(w, line);
}

/* The most telling line: what apt or dpkg said, not what mmdebstrap made of it. */
static const char *reason(const struct watch *w)
{
	const char *best = "";
	for (int i = TAIL - 1; i >= 0; i--) {
		const char *l = w->tail[i];
		if (!*l || strstr(l, "mmdebstrap failed") || strstr(l, "setup failed"))
			continue;
		if (!*best || strstr(best, " failed"))
			best = l;
	}
	return strncmp(best, "E: ", 3) ? best : best + 3;
}

/* This host's own lists are near enough to name what was meant. */
static void suggest(const char *package, struct vh_err *err)
{
	vh_autooutput out = { 0 };
	vh_autoerr none = VH_ERR_NONE;
	static const char *const argv[] = { "apt-cache", "pkgnames", NULL };
	vh_autofree const char **names = NULL;
	size_t n = 0, room = 0;

	if (vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 20000 }, &out, &none) < 0)
		return;
	for (char *save, *l = strtok_r(out.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (n == room) {
			const char **more = realloc(names, (room = room ? 2 * room : 4096) * sizeof *more);
			if (!more)
				return;
			names = more;
		}
		names[n++] = l;
	}
	const char *near = vh_nearest(package, names, n);
	if (near)
		vh_err_hint(err, "did you mean %s?", near);
}

static int explain(const struct watch *w, const struct vh_output *out, struct vh_err *err)
{
	const char *suite = vh_suite_name(w->b->recipe->suite), *why = reason(w);
	if (out->timed_out)
		return vh_err_set(err, ETIMEDOUT, "packages: not installed within %d minutes",
				  BOOTSTRAP_MS / 60000);
	if (w->full) {
		vh_err_set(err, ENOSPC, "no space left on the disk of %s", w->b->work);
		return vh_err_hint(err, "free 2 GiB, or move the cache with --cache");
	}
	if (w->unreachable) {
		vh_err_set(err, ENETUNREACH, "the package archive cannot be reached (%s)", why);
		return vh_err_hint(err, "check network, name service and http_proxy");
	}
	if (*w->package) {
		vh_err_set(err, ENOENT, "%s has no package %s", suite, w->package);
		suggest(w->package, err);
		return -ENOENT;
	}
	if (w->unsigned_)
		return vh_err_set(err, EBADMSG, "the package archive's signature or checksum is wrong (%s)", why);
	if (w->no_suite)
		return vh_err_set(err, ENOENT, "the package archive has no suite %s (%s)", suite, why);
	return vh_err_set(err, EIO, "installing the packages failed: %s",
			  *why ? why : "mmdebstrap gave no reason");
}

static int put(const char *work, const char *name, const char *text, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", work, name);
	if (!path || !text)
		return vh_err_nomem(err);
	return vh_write_file(path, text, strlen(text), 0644, err);
}

/* Read by dpkg from the second step on: mmdebstrap's own filter slows the first threefold. */
static char *dpkg_config(const struct vh_recipe *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputs("path-exclude=" VH_EXCLUDE "\n", f);
	for (char **p = r->exclude; p && *p; p++)
		fprintf(f, "path-exclude=%s\n", *p);
	fputs("path-include=" VH_KEEP "\n", f);
	return fclose(f) == 0 ? text : NULL;
}

/* In a chroot "/" is no mount, and what mounts below it propagate to cannot be set there. */
static const char *propagation(void)
{
	vh_autofree char *mounts = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autoroot root = NULL;

	if (vh_root_open(&root, NULL, &none) < 0 || vh_root_read(root, &mounts, "proc/self/mountinfo") < 0)
		return "private";
	for (char *save, *l = strtok_r(mounts, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char where[3];

		if (sscanf(l, "%*s %*s %*s %*s %2s", where) == 1 && !strcmp(where, "/"))
			return "private";
	}
	return "unchanged";
}

/* The tree's start, so that no usrmerge need turn it into one later: /bin and the like
 * are links into /usr. */
static int make_merged(const char *work, struct vh_err *err)
{
	static const char *const dirs[] = { "bin", "lib", "lib64", "sbin" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(dirs); i++) {
		vh_autofree char *dir = vh_strf("%s/merged/usr/%s", work, dirs[i]);
		vh_autofree char *link = vh_strf("%s/merged/%s", work, dirs[i]);
		vh_autofree char *target = vh_strf("usr/%s", dirs[i]);
		if (!dir || !link || !target)
			return vh_err_nomem(err);
		r = vh_mkdirs(dir, 0755, err);
		if (r == 0 && symlink(target, link) < 0)
			r = vh_err_set(err, errno, "%s: %s", link, strerror(errno));
	}
	return r;
}

static int make_argv(const struct vh_recipe *r, char ***ret)
{
	/* Killed with us, and all that it started with it: the process namespace ends, and
	 * the mounts go with theirs. */
	const char *const fixed[] = {
		"setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork",
		"--kill-child=SIGKILL", "--mount-proc", "--propagation", propagation(), "mmdebstrap", "--mode=root",
		"--variant=essential", "--format=directory", "--verbose",
		"--aptopt=Acquire::Languages \"none\"", "--aptopt=Acquire::Retries \"2\"",
		"--aptopt=Acquire::http::Timeout \"30\"",
		"--setup-hook=sync-in merged /",
		"--setup-hook=upload status /var/lib/dpkg/status",
		"--essential-hook=upload dpkg.cfg /etc/dpkg/dpkg.cfg.d/vhpc",
	};
	vh_autostrv packages = vh_recipe_packages(r);
	vh_autostrv v = NULL;
	int e = packages ? 0 : -ENOMEM;

	for (size_t i = 0; e == 0 && i < vh_array_len(fixed); i++)
		e = vh_strv_push(&v, fixed[i]);
	for (char **p = packages; e == 0 && p && *p; p++)
		e = vh_strv_pushf(&v, "--include=%s", *p);
	if (e == 0)
		e = vh_strv_push(&v, vh_suite_name(r->suite));
	if (e == 0)
		e = vh_strv_push(&v, "tree");
	if (e == 0)
		*ret = vh_steal(&v);
	return e;
}

int vh_bootstrap(const struct vh_bootstrap *b, struct vh_err *err)
{
	vh_autofree char *status = vh_furnish_status(b->recipe), *config = dpkg_config(b->recipe);
	vh_autofree char *tmp = vh_strf("TMPDIR=%s", b->work);
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	struct watch w = { .b = b };
	int r;

	if ((r = put(b->work, "status", status, err)) < 0 ||
	    (r = put(b->work, "dpkg.cfg", config, err)) < 0 || (r = make_merged(b->work, err)) < 0)
		return r;
	if (!tmp || make_argv(b->recipe, &argv) < 0)
		return vh_err_nomem(err);
	const char *const env[] = { "LC_ALL=C", "LANGUAGE=", "DEBIAN_FRONTEND=noninteractive", tmp, NULL };
	r = vh_spawn_run(&(struct vh_spawn){ .argv = argv, .env = (char *const *)env, .cwd = b->work,
			 .deadline_ms = BOOTSTRAP_MS, .on_line = on_line, .arg = &w }, &out, err);
	if (r == 0 && (out.status || out.timed_out))
		r = explain(&w, &out, err);
	return r;
}
