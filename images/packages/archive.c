// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <utime.h>
#include "images/cache/cache.h"
#include "images/packages/apt.h"
#include "images/packages/deb.h"
#include "images/packages/sources.h"
#include "lib/files/files.h"
#include "lib/strv.h"

enum { NAMED_MAX = 5 };

/* "Inst NAME (VERSION ORIGIN [ARCH])" lines become NAME=VERSION. */
static int parse_plan(char *text, char ***ret, struct vh_err *err)
{
	char name[256], version[256];

	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (sscanf(l, "Inst %255[^ ] (%255[^ ) ]", name, version) == 2 &&
		    vh_strv_pushf(ret, "%s=%s", name, version) < 0)
			return vh_err_nomem(err);
	return *ret ? 0 : vh_err_set(err, EIO, "apt-get planned no package");
}

static int plan(struct vh_apt *t, char *const *packages, char ***ret, struct vh_err *err)
{
	static const char *const start[] = { "apt-get", "-q", "-s", "install", "?essential", NULL };
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	int r = 0;

	for (const char *const *p = start; r == 0 && *p; p++)
		r = vh_strv_push(&argv, *p);
	for (; r == 0 && *packages; packages++)
		r = vh_strv_push(&argv, *packages);
	if (r < 0)
		return vh_err_nomem(err);
	r = vh_apt_run(t, argv, t->a->work, &out, err);
	return r < 0 ? r : parse_plan(out.out, ret, err);
}

/* One field of a line of a Packages stanza. */
static bool field(char *line, const char *key, char **ret)
{
	size_t n = strlen(key);
	if (strncmp(line, key, n))
		return false;
	*ret = line + n;
	return true;
}

struct stanza { char *name, *version, *arch, *size, *sha256; };

static int flush(struct stanza *s, struct vh_pins *pins, struct vh_err *err)
{
	struct stanza was = *s;

	*s = (struct stanza){ 0 };
	if (!was.name || !was.version || !was.arch || !was.size || !was.sha256 || vh_pins_find(pins, was.name))
		return 0;
	return vh_pins_add(pins, was.name, was.version, was.arch, was.sha256, strtoull(was.size, NULL, 10), err);
}

static int parse_stanzas(char *text, struct vh_pins *pins, struct vh_err *err)
{
	struct stanza s = { 0 };
	int r = 0;

	while (r == 0 && *text) {
		size_t n = strcspn(text, "\n");
		bool last = !text[n];

		text[n] = 0;
		if (n == 0)
			r = flush(&s, pins, err);
		else if (!field(text, "Package: ", &s.name) && !field(text, "Version: ", &s.version) &&
			 !field(text, "Architecture: ", &s.arch) && !field(text, "Size: ", &s.size))
			field(text, "SHA256: ", &s.sha256);
		text += n + !last;
	}
	return r < 0 ? r : flush(&s, pins, err);
}

/* What the archive says of these ("NAME=VERSION"); those that it has not are left out. */
static int look_up(struct vh_apt *t, char *const *wanted, struct vh_pins *ret, struct vh_err *err)
{
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	int r = vh_strv_push(&argv, "apt-cache");

	if (r == 0)
		r = vh_strv_push(&argv, "show");
	for (; r == 0 && *wanted; wanted++)
		r = vh_strv_push(&argv, *wanted);
	if (r < 0)
		return vh_err_nomem(err);
	r = vh_apt_ask(t, argv, &out, err);
	if (r < 0)
		return r;
	r = parse_stanzas(out.out, ret, err);
	vh_pins_sort(ret);
	return r;
}

static int tell_sources(struct vh_apt *t, struct vh_pins *pins, struct vh_err *err)
{
	pins->suite = strdup(vh_suite_name(t->a->recipe->suite));
	pins->sources = vh_sources_list(t->a->recipe, NULL);
	return pins->suite && pins->sources ? 0 : vh_err_nomem(err);
}

/* Up to three: whoever looks for a library may mean its -dev. */
static int hint_near(const char **names, size_t n, const char *word, struct vh_err *err)
{
	const char *near[3] = { NULL };
	size_t found = 0;

	while (found < vh_array_len(near) && (near[found] = vh_nearest(word, names, n))) {
		for (size_t i = 0; i < n; i++)
			if (names[i] == near[found])
				names[i] = names[--n];
		found++;
	}
	if (!found)
		return -ENOENT;
	return vh_err_hint(err, "did you mean %s%s%s%s%s?", near[0], found > 2 ? ", " : found > 1 ? " or " : "",
			   found > 1 ? near[1] : "", found > 2 ? " or " : "", found > 2 ? near[2] : "");
}

/* The archive's own names are asked for the one that was meant. */
static int suggest(struct vh_apt *t, struct vh_err *err)
{
	const char *const argv[] = { "apt-cache", "pkgnames", NULL };
	vh_autooutput out = { 0 };
	vh_autoerr none = VH_ERR_NONE;
	vh_autofree const char **names = NULL;
	size_t n = 0, room = 1;

	if (vh_apt_ask(t, (char *const *)argv, &out, &none) < 0 || out.status)
		return -ENOENT;
	for (const char *p = out.out; *p; p++)
		room += *p == '\n';
	names = calloc(room, sizeof *names);
	for (char *save, *l = strtok_r(out.out, "\n", &save); names && l; l = strtok_r(NULL, "\n", &save))
		names[n++] = l;
	return hint_near(names, n, t->complaint.package, err);
}

int vh_archive_resolve(const struct vh_archive *a, char *const *packages, const char *status,
		       struct vh_pins *ret, struct vh_err *err)
{
	vh_cleanup(vh_apt_clear) struct vh_apt t = VH_APT_NONE;
	vh_autostrv wanted = NULL;
	vh_autopins pins = { 0 };
	int r;

	if ((r = vh_apt_open(&t, a, status, err)) < 0 || (r = vh_apt_refresh(&t, err)) < 0)
		return r;
	vh_progress_step(a->progress, "choosing packages");
	r = plan(&t, packages, &wanted, err);
	if (r < 0)
		return *t.complaint.package ? suggest(&t, err) : r;
	if ((r = tell_sources(&t, &pins, err)) < 0 || (r = look_up(&t, wanted, &pins, err)) < 0)
		return r;
	if (pins.n != vh_strv_len(wanted))
		return vh_err_set(err, EIO, "apt-cache knows %zu of %zu packages", pins.n, vh_strv_len(wanted));
	*ret = pins;
	pins = (struct vh_pins){ 0 };
	return 0;
}

static char *deb_path(const struct vh_apt *t, const struct vh_pin *p)
{
	return vh_strf("%s/%s.deb", t->debs, p->sha256);
}

/* Those whose file is not here, or is another; a file that is used looks new to prune. */
static int find_missing(struct vh_apt *t, const struct vh_pins *pins, char ***ret, struct vh_err *err)
{
	for (size_t i = 0; i < pins->n; i++) {
		const struct vh_pin *p = &pins->items[i];
		vh_autofree char *path = deb_path(t, p);
		if (!path)
			return vh_err_nomem(err);
		if (vh_deb_is(path, p->sha256)) {
			utime(path, NULL);
			continue;
		}
		unlink(path);
		if (vh_strv_pushf(ret, "%s=%s", p->name, p->version) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

/* The same version with another hash is another package. */
static int check_offered(struct vh_apt *t, const struct vh_pins *pins, char *const *missing, struct vh_err *err)
{
	vh_autopins offered = { 0 };
	vh_autofree char *names = strdup("");
	size_t lacking = 0;
	int r = look_up(t, missing, &offered, err);

	for (size_t i = 0; r == 0 && names && missing[i]; i++) {
		vh_autofree char *name = strndup(missing[i], strcspn(missing[i], "="));
		const struct vh_pin *want = name ? vh_pins_find(pins, name) : NULL;
		const struct vh_pin *have = name ? vh_pins_find(&offered, name) : NULL;
		if (want && have && !strcmp(want->sha256, have->sha256))
			continue;
		if (lacking++ < NAMED_MAX) {
			char *more = vh_strf("%s%s%s", names, *names ? ", " : "", missing[i]);
			free(names);
			names = more;
		}
	}
	if (r < 0 || !lacking)
		return r;
	vh_err_refuse(err, ENOENT, "neither the archive nor the cache has %s%s", names ? names : "packages",
		      lacking > NAMED_MAX ? " and others" : "");
	return vh_err_hint(err, "%zu of %zu packages are missing; a cache that has them can be named by --cache",
			   lacking, pins->n);
}

static int download(struct vh_apt *t, char *const *missing, const char *to, struct vh_err *err)
{
	vh_autostrv argv = NULL;
	int r = vh_mkdirs(to, 0700, err);

	if (r < 0)
		return r;
	r = vh_strv_push(&argv, "apt-get");
	if (r == 0)
		r = vh_strv_push(&argv, "-q");
	if (r == 0)
		r = vh_strv_push(&argv, "download");
	for (; r == 0 && *missing; missing++)
		r = vh_strv_push(&argv, *missing);
	return r < 0 ? vh_err_nomem(err) : vh_apt_run(t, argv, to, NULL, err);
}

static int download_missing(struct vh_apt *t, const struct vh_pins *pins, char *const *missing, const char *to,
			    struct vh_err *err)
{
	int r = check_offered(t, pins, missing, err);

	if (r < 0)
		return r;
	vh_progress_step(t->a->progress, "downloading %zu packages", vh_strv_len(missing));
	return download(t, missing, to, err);
}

/* Into the cache under their hashes. */
static int keep(struct vh_apt *t, const char *from, struct vh_err *err)
{
	char hex[VH_DIGEST_HEX];
	int r = vh_mkdirs(t->debs, 0755, err);
	DIR *d = r < 0 ? NULL : opendir(from);

	if (r == 0 && !d)
		r = vh_err_set(err, errno, "%s: %s", from, strerror(errno));
	for (struct dirent *e; r == 0 && (e = readdir(d));) {
		vh_autofree char *path = vh_strf("%s/%s", from, e->d_name);
		if (e->d_name[0] == '.' || !path || !SHA256_File(path, hex))
			continue;
		vh_autofree char *to = vh_strf("%s/%s.deb", t->debs, hex);
		if (!to)
			r = vh_err_nomem(err);
		else if (rename(path, to) < 0)
			r = vh_err_set(err, errno, "%s: %s", to, strerror(errno));
	}
	if (d)
		closedir(d);
	return r;
}

int vh_archive_fetch(const struct vh_archive *a, const struct vh_pins *pins, struct vh_err *err)
{
	vh_cleanup(vh_apt_clear) struct vh_apt t = VH_APT_NONE;
	vh_autofree char *dir = vh_strf("%s/debs", a->work);
	vh_autostrv missing = NULL;
	vh_autostrv still = NULL;
	int r;

	if (!dir)
		return vh_err_nomem(err);
	if ((r = vh_apt_open(&t, a, "", err)) < 0 || (r = find_missing(&t, pins, &missing, err)) < 0)
		return r;
	if (!missing)
		return 0;
	r = access(t.dir, F_OK) == 0 ? download_missing(&t, pins, missing, dir, err) : -ENOENT;
	/* The lists may be older than the archive. */
	if (r < 0) {
		vh_err_clear(err);
		t.complaint = (struct vh_complaint){ 0 };
		if ((r = vh_apt_refresh(&t, err)) < 0 || (r = download_missing(&t, pins, missing, dir, err)) < 0)
			return r;
	}
	if ((r = keep(&t, dir, err)) < 0 ||
	    (r = find_missing(&t, pins, &still, err)) < 0)
		return r;
	if (still)
		return vh_err_set(err, EBADMSG, "%s: what the archive sent has another hash than its lists say", *still);
	return 0;
}
