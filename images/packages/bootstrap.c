// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/packages/bootstrap.h"
#include "images/packages/complaint.h"
#include "images/packages/deb.h"
#include "images/packages/standin.h"
#include "images/packages/userns.h"
#include "lib/files/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/sysroot.h"

/* Where those that install see the directory that they work in. */
#define INSIDE "/mnt"

enum { BOOTSTRAP_MS = 45 * 60 * 1000 };

struct watch {
	const struct vh_bootstrap *b;
	struct vh_complaint complaint;
};

/* What mmdebstrap says, and what it means to somebody who waits. */
static const struct { const char *said, *stage; } stages[] = {
	{ "I: extracting archives", "unpacking the essential packages" },
	{ "I: installing essential packages", "installing the essential packages" },
	{ "I: installing remaining packages", "installing the other packages" },
	{ "I: cleaning package lists", "cleaning up" },
};

static void on_line(void *arg, const char *line)
{
	struct watch *w = arg;
	if (w->b->log)
		fprintf(w->b->log, "%s\n", line);
	for (size_t i = 0; i < vh_array_len(stages); i++)
		if (!strncmp(line, stages[i].said, strlen(stages[i].said)))
			vh_progress_step(w->b->progress, "%s", stages[i].stage);
	vh_complaint_line(&w->complaint, line);
}

static int write_below(const char *work, const char *name, const char *text, struct vh_err *err)
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
const char *vh_bootstrap_propagation(void)
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

/* Root's, as they see it. */
static int give(const char *path, struct vh_err *err)
{
	const unsigned id = vh_userns_base();
	return lchown(path, id, id) < 0 ? vh_err_set(err, errno, "%s: %s", path, strerror(errno)) : 0;
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
		if (r == 0 && (r = give(dir, err)) == 0)
			r = give(link, err);
	}
	return r;
}

/* The same of the two above them. */
static int give_merged(const char *work, struct vh_err *err)
{
	vh_autofree char *top = vh_strf("%s/merged", work), *usr = vh_strf("%s/merged/usr", work);
	int r = top && usr ? give(top, err) : vh_err_nomem(err);

	return r < 0 ? r : give(usr, err);
}

static int make_argv(const struct vh_bootstrap *b, char ***ret)
{
	const struct vh_recipe *r = b->recipe;
	/* Killed with us, and all that it started with it: the process namespace ends, and
	 * the mounts go with theirs. */
	const char *const fixed[] = {
		"setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork",
		"--kill-child=SIGKILL", "--mount-proc", "--propagation", vh_bootstrap_propagation(), "mmdebstrap", "--mode=root",
		"--variant=essential", "--format=directory", "--verbose",
		"--aptopt=Acquire::Languages \"none\"",
		/* What is cut short is thrown away; what is whole is flushed once (base.c). */
		"--dpkgopt=force-unsafe-io",
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
	/* Their hashes are those of the lock; copied in, so that nothing outside need be mounted. */
	if (e == 0)
		e = vh_strv_push(&v, "deb [trusted=yes] copy://" INSIDE "/repository ./");
	if (e == 0)
		*ret = vh_steal(&v);
	return e;
}

int vh_bootstrap(const struct vh_bootstrap *b, struct vh_err *err)
{
	static const char *const env[] = { "LC_ALL=C", "LANGUAGE=", "DEBIAN_FRONTEND=noninteractive", "TMPDIR=" INSIDE, NULL };
	vh_autofree char *status = vh_standin_status(b->recipe), *config = dpkg_config(b->recipe);
	vh_autofree char *repository = vh_strf("%s/repository", b->work);
	vh_autoclose int userns = -1;
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	struct watch w = { .b = b };
	int r;

	if ((r = write_below(b->work, "status", status, err)) < 0 ||
	    (r = write_below(b->work, "dpkg.cfg", config, err)) < 0 || (r = make_merged(b->work, err)) < 0 ||
	    (r = give_merged(b->work, err)) < 0)
		return r;
	if (!repository || make_argv(b, &argv) < 0)
		return vh_err_nomem(err);
	if ((r = vh_deb_repository(repository, b->debs, b->pins, err)) < 0 || (r = vh_userns_open(&userns, err)) < 0 ||
	    (r = give(b->work, err)) < 0)
		return r;
	r = vh_spawn_run(&(struct vh_spawn){ .argv = argv, .env = (char *const *)env, .cwd = b->work,
			 .userns = userns, .userns_cwd = INSIDE, .deadline_ms = BOOTSTRAP_MS, .on_line = on_line, .arg = &w }, &out, err);
	if (r == 0 && out.timed_out)
		return vh_err_set(err, ETIMEDOUT, "packages: not installed within %d minutes", BOOTSTRAP_MS / 60000);
	if (r == 0 && out.status)
		return vh_complaint_explain(&w.complaint, vh_suite_name(b->recipe->suite), b->work, err);
	return r;
}
