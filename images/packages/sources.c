// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "images/cache/cache.h"
#include "images/packages/sources.h"
#include "lib/files/files.h"
#include "lib/strv.h"

#define KEYRINGS "/etc/apt/keyrings"

struct distribution {
	const char *keyring, *package;	/* that signs its suites, and what brings it */
	const char *url, *security;
	const char *security_suffix;
};

static const struct distribution debian = {
	"/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring",
	"http://deb.debian.org/debian", "http://security.debian.org/debian-security", "-security",
};
static const struct distribution ubuntu = {
	"/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring",
	"http://archive.ubuntu.com/ubuntu", "http://security.ubuntu.com/ubuntu", "-security",
};

static const struct distribution *distribution(const struct vh_recipe *r)
{
	return vh_suite_is_ubuntu(r->suite) ? &ubuntu : &debian;
}

char *vh_sources_key(const char *name, const char *key)
{
	return vh_strf(KEYRINGS "/%s.%s", name, strncmp(key, "-----BEGIN", 10) ? "gpg" : "asc");
}

/* One "deb" line; key: a file, or NULL where apt knows it. */
static void print(FILE *f, const char *key, const char *url, const char *suite, const char *suffix,
		  char *const *components)
{
	fputs("deb ", f);
	if (key)
		fprintf(f, "[signed-by=%s] ", key);
	fprintf(f, "%s %s%s", url, suite, suffix);
	for (; components && *components; components++)
		fprintf(f, " %s", *components);
	fputc('\n', f);
}

static void print_suite(FILE *f, const struct vh_recipe *r, const char *key)
{
	const struct distribution *d = distribution(r);
	const char *suite = vh_suite_name(r->suite);

	if (r->mirror) {
		print(f, key, r->mirror, suite, "", r->components);
		return;
	}
	print(f, key, d->url, suite, "", r->components);
	print(f, key, d->url, suite, "-updates", r->components);
	print(f, key, d->security, suite, d->security_suffix, r->components);
	if (r->backports)
		print(f, key, d->url, suite, "-backports", r->components);
}

/* Where that key lies, for the build or in the image. */
static char *key_path(const char *name, const char *data, const char *keys)
{
	vh_autofree char *inside = vh_sources_key(name, data);

	if (!inside || !keys)
		return vh_steal(&inside);
	return vh_strf("%s%s", keys, inside + strlen(KEYRINGS));
}

char *vh_sources_list(const struct vh_recipe *r, const char *keys)
{
	const struct vh_recipe_repository *p = r->repositories.items;
	vh_autofree char *own = r->mirror_key_data ? key_path(VH_MIRROR_KEY, r->mirror_key_data, keys) : NULL;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	print_suite(f, r, own ? own : keys ? distribution(r)->keyring : NULL);
	for (size_t i = 0; i < r->repositories.n; i++) {
		vh_autofree char *key = key_path(p[i].name, p[i].key_data, keys);
		print(f, key ? key : "", p[i].url, p[i].suite, "", p[i].components);
	}
	return fclose(f) == 0 ? text : NULL;
}

char *vh_sources_name(const struct vh_recipe *r)
{
	const struct vh_recipe_repository *p = r->repositories.items;
	vh_autofree char *list = vh_sources_list(r, NULL);
	char hex[VH_DIGEST_HEX];
	SHA256_CTX s;

	if (!list)
		return NULL;
	SHA256_Init(&s);
	vh_digest_text(&s, list);
	vh_digest_add(&s, r->mirror_key_data ? r->mirror_key_data : "", r->mirror_key_len);
	for (size_t i = 0; i < r->repositories.n; i++)
		vh_digest_add(&s, p[i].key_data, p[i].key_len);
	SHA256_End(&s, hex);
	return vh_strf("%s-%.12s", vh_suite_name(r->suite), hex);
}

static int check_keyring(const struct vh_recipe *r, struct vh_err *err)
{
	const struct distribution *d = distribution(r);

	if (r->mirror_key_data || access(d->keyring, R_OK) == 0)
		return 0;
	vh_err_refuse(err, ENOENT, "the key of %s's archive is not on this host (%s)", vh_suite_name(r->suite), d->keyring);
	return vh_err_hint(err, "apt-get install %s, or name its file with mirror_key", d->package);
}

static int put_key(const char *dir, const char *name, const char *data, size_t len, struct vh_err *err)
{
	vh_autofree char *path = key_path(name, data, dir);
	return path ? vh_write_file(path, data, len, 0644, err) : vh_err_nomem(err);
}

static int put_keys(const struct vh_recipe *r, const char *dir, struct vh_err *err)
{
	const struct vh_recipe_repository *p = r->repositories.items;
	int e = r->mirror_key_data ? put_key(dir, VH_MIRROR_KEY, r->mirror_key_data, r->mirror_key_len, err) : 0;

	for (size_t i = 0; e == 0 && i < r->repositories.n; i++)
		e = put_key(dir, p[i].name, p[i].key_data, p[i].key_len, err);
	return e;
}

int vh_sources_lay(const struct vh_recipe *r, const char *dir, const char *final, struct vh_err *err)
{
	static const char *const dirs[] = { "etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d",
		"etc/apt/trusted.gpg.d", "etc/apt/keyrings", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial" };
	vh_autofree char *keys = vh_strf("%s" KEYRINGS, dir), *final_keys = vh_strf("%s" KEYRINGS, final);
	vh_autofree char *path = vh_strf("%s/etc/apt/sources.list", dir);
	vh_autofree char *list = final_keys ? vh_sources_list(r, final_keys) : NULL;
	int e = list && path && keys ? check_keyring(r, err) : vh_err_nomem(err);

	for (size_t i = 0; e == 0 && i < vh_array_len(dirs); i++) {
		vh_autofree char *sub = vh_strf("%s/%s", dir, dirs[i]);
		e = sub ? vh_mkdirs(sub, 0755, err) : vh_err_nomem(err);
	}
	if (e == 0)
		e = put_keys(r, keys, err);
	return e < 0 ? e : vh_write_file(path, list, strlen(list), 0644, err);
}
