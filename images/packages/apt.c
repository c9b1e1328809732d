// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "images/packages/apt.h"
#include "images/packages/sources.h"
#include "lib/files/files.h"
#include "lib/strv.h"

enum { APT_MS = 30 * 60 * 1000, WAIT_MS = 30 * 60 * 1000, ASK_MS = 120000 };

void vh_apt_clear(struct vh_apt *t)
{
	vh_close_fd(&t->lock);
	free(t->dir);
	free(t->config);
	free(t->debs);
}

static void on_line(void *arg, const char *line)
{
	struct vh_apt *t = arg;
	if (t->a->log)
		fprintf(t->a->log, "%s\n", line);
	vh_complaint_line(&t->complaint, line);
}

int vh_apt_run(struct vh_apt *t, char *const *argv, const char *cwd, struct vh_output *ret, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("TMPDIR=%s", t->a->work);
	const char *const env[] = { "LC_ALL=C", "LANGUAGE=", "DEBIAN_FRONTEND=noninteractive",
				    tmp ? tmp : "", t->config, NULL };
	const char *const guard[] = { "setpriv", "--pdeathsig", "KILL", NULL };
	vh_autostrv all = NULL;
	vh_autooutput out = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && guard[i]; i++)
		r = vh_strv_push(&all, guard[i]);
	for (; r == 0 && *argv; argv++)
		r = vh_strv_push(&all, *argv);
	if (r < 0 || !tmp)
		return vh_err_nomem(err);
	r = vh_spawn_run(&(struct vh_spawn){ .argv = all, .env = (char *const *)env, .cwd = cwd,
			 .deadline_ms = APT_MS, .on_line = on_line, .arg = t }, &out, err);
	if (r < 0)
		return r;
	if (out.timed_out)
		return vh_err_set(err, ETIMEDOUT, "the package archive did not answer within %d minutes",
				  APT_MS / 60000);
	if (out.status)
		return vh_complaint_explain(&t->complaint, vh_suite_name(t->a->recipe->suite), t->a->work, err);
	if (ret) {
		*ret = out;
		out = (struct vh_output){ 0 };
	}
	return 0;
}

static int make_dir(struct vh_apt *t, struct vh_err *err)
{
	vh_autofree char *new = vh_strf("%s/apt", t->a->work), *parent = vh_strf("%s/apt", t->a->cache);
	int r;

	if (!new || !parent)
		return vh_err_nomem(err);
	if ((r = vh_mkdirs(parent, 0755, err)) < 0 || (r = vh_sources_lay(t->a->recipe, new, t->dir, err)) < 0)
		return r;
	return rename(new, t->dir) < 0 ? vh_err_set(err, errno, "%s: %s", t->dir, strerror(errno)) : 0;
}

int vh_apt_refresh(struct vh_apt *t, struct vh_err *err)
{
	static const char *const argv[] = { "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update", NULL };
	int r = access(t->dir, F_OK) < 0 ? make_dir(t, err) : 0;

	if (r < 0)
		return r;
	vh_progress_step(t->a->progress, "reading the package lists");
	return vh_apt_run(t, (char *const *)argv, t->a->work, NULL, err);
}

/* The host's way to the archive; of its other settings none. */
static char *proxies(void)
{
	static const char *const argv[] = { "apt-config", "dump", "--format", "%f \"%v\";%n", NULL };
	vh_autooutput out = { 0 };
	vh_autoerr none = VH_ERR_NONE;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	if (vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 20000 }, &out, &none) == 0)
		for (char *save, *l = strtok_r(out.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
			if (!strncmp(l, "Acquire::", 9) && strcasestr(l, "::proxy"))
				fprintf(f, "%s\n", l);
	return fclose(f) == 0 ? text : NULL;
}

static int write_config(struct vh_apt *t, const char *status, struct vh_err *err)
{
	const struct vh_archive *a = t->a;
	vh_autofree char *path = vh_strf("%s/apt.conf", a->work), *status_path = vh_strf("%s/apt.status", a->work);
	vh_autofree char *proxy = proxies();
	vh_autofree char *text = vh_strf(
		"%sDir \"%s\";\nDir::State::status \"%s\";\n"
		"APT::Architecture \"amd64\";\nAPT::Architectures \"amd64\";\nAPT::Install-Recommends \"false\";\n"
		"pkgCacheGen::ForceEssential \",\";\nAPT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::Retries \"2\";\n"
		"Acquire::http::Timeout \"30\";\n", proxy ? proxy : "", t->dir, status_path ? status_path : "");
	int r;

	if (!path || !status_path || !text)
		return vh_err_nomem(err);
	if (strpbrk(a->cache, "\"\\\n"))
		return vh_err_refuse(err, EINVAL, "%s: the cache's path must not hold quotes", a->cache);
	if ((r = vh_write_file(status_path, status, strlen(status), 0644, err)) < 0)
		return r;
	t->config = vh_strf("APT_CONFIG=%s", path);
	return t->config ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

int vh_apt_open(struct vh_apt *t, const struct vh_archive *a, const char *status, struct vh_err *err)
{
	vh_autofree char *name = vh_sources_name(a->recipe), *lock = name ? vh_strf("apt-%s", name) : NULL;

	t->a = a;
	t->dir = name ? vh_strf("%s/apt/%s", a->cache, name) : NULL;
	t->debs = vh_strf("%s/debs", a->cache);
	if (!lock || !t->dir || !t->debs)
		return vh_err_nomem(err);
	int r = vh_lock(a->cache, lock, WAIT_MS, &t->lock, err);
	return r < 0 ? r : write_config(t, status, err);
}

int vh_apt_ask(const struct vh_apt *t, char *const *argv, struct vh_output *ret, struct vh_err *err)
{
	const char *const env[] = { "LC_ALL=C", t->config, NULL };
	return vh_spawn_run(&(struct vh_spawn){ .argv = argv, .env = (char *const *)env, .deadline_ms = ASK_MS },
			    ret, err);
}
