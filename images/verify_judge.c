// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "images/verify.h"
#include "lib/strv.h"
#include "lib/table.h"

/* Each answer is a line "@WHAT VALUE". */
static const char script_head[] =
	"say() { printf '@%s %s\\n' \"$1\" \"$2\"; }\n"
	"say uptime \"$(cut -d' ' -f1 /proc/uptime)\"\n"
	"say memory \"$(awk '{ v[$1] = $2 } END { print (v[\"MemTotal:\"] - v[\"MemFree:\"] - v[\"Buffers:\"] - v[\"Cached:\"]"
	" + v[\"Shmem:\"] - v[\"SReclaimable:\"]) * 1024 }' /proc/meminfo)\"\n"
	"say init \"$(dmesg | sed -n 's/^\\[ *\\([0-9.]*\\)\\] Run .* as init process.*/\\1/p' | head -n 1)\"\n"
	"say systemd \"$(systemctl show -p UserspaceTimestampMonotonic --value)\"\n"
	"say sshd \"$(systemctl show -p ActiveEnterTimestampMonotonic --value ssh.service)\"\n"
	"say kernel \"$(uname -r)\"\n"
	"say cmdline \"$(cat /proc/cmdline)\"\n"
	"say user \"$(getent passwd 1000 | cut -d: -f1)\"\n"
	"say mpi \"$(mpirun --version 2>&1 | head -n 2 | tr '\\n' ' ')\"\n"
	"say failed \"$(systemctl --failed --no-legend --plain | cut -d' ' -f1 | tr '\\n' ' ')\"\n"
	"say audit \"$(dpkg --audit 2>&1 | head -n 1)\"\n"
	"say root \"$(stat -f -c '%b %S' /)\"\n"
	"say modules \" $(cut -d' ' -f1 /proc/modules | tr '\\n' ' ')\"\n"
	"sed 's/^/@limit /' /proc/self/limits\n"
	"ctl() { for f in $3; do say \"$1 $2\" \"$(cat \"$f\" 2>&1 | tr '\\t\\n' '  ')\"; done; }\n";

static const json_t *recipe(const json_t *image, const char *key)
{
	return json_object_get(json_object_get(image, "recipe"), key);
}

/* Recipes check their texts; an image.json that was imported may hold anything. */
static bool plain(const char *s)
{
	return s && *s && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/*@:") == strlen(s);
}

/* sysctl's rule: where the first of '.' and '/' is a dot, they are swapped. */
static char *sysctl_path(const char *name)
{
	char *path = strdup(name), first = name[strcspn(name, "./")];
	for (char *c = path; c && *c && first == '.'; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return path;
}

/* setting: "name=value" */
static void ask_value(FILE *f, const char *kind, const char *dir, const char *setting)
{
	vh_autofree char *name = setting ? strndup(setting, strcspn(setting, "=")) : NULL;
	vh_autofree char *path = !name ? NULL : strcmp(kind, "sysctl") ? strdup(name) : sysctl_path(name);

	if (path && plain(name) && !strstr(path, ".."))
		fprintf(f, "ctl %s '%s' '%s/%s'\n", kind, name, dir, path);
}

char *vh_verify_script(const json_t *image)
{
	char *text = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&text, &len);
	const json_t *item;

	if (!f)
		return NULL;
	fputs(script_head, f);
	json_array_foreach(recipe(image, "sysctl"), i, item)
		ask_value(f, "sysctl", "/proc/sys", json_string_value(item));
	json_array_foreach(recipe(image, "sysfs"), i, item)
		ask_value(f, "sysfs", "/sys", json_string_value(item));
	fputs("systemctl show -p Id -p LoadState --", f);
	json_array_foreach(recipe(image, "mask"), i, item)
		if (plain(json_string_value(item)))
			fprintf(f, " '%s'", json_string_value(item));
	fputs(" | awk -F= '/^Id=/ { id = $2 } /^LoadState=/ { print \"@unit \" id \" \" $2 }'\nsay end ''\n", f);
	return fclose(f) == 0 ? text : NULL;
}

/* The rest of the line "@WHAT ..."; malloc'd, NULL when there is none. */
static char *answer(const char *text, const char *what)
{
	size_t n = strlen(what);
	for (const char *l = text; l && *l; l = strchr(l, '\n'), l += l != NULL)
		if (*l == '@' && !strncmp(l + 1, what, n) && l[n + 1] == ' ') {
			size_t len = strcspn(l + n + 2, "\n");
			while (len > 0 && l[n + 1 + len] == ' ')
				len--;
			return strndup(l + n + 2, len);
		}
	return NULL;
}

static double seconds(const char *text, const char *what, double unit)
{
	vh_autofree char *s = answer(text, what);
	char *end;
	double v = s ? strtod(s, &end) : -1;
	return s && *s && !*end && v >= 0 ? v * unit : -1;
}

int vh_verify_add(struct vh_verify *v, const char *check, const char *wanted, const char *found, bool holds,
		  struct vh_err *err)
{
	json_t *row = json_pack("{s:s, s:o, s:o, s:b}", "check", check, "wanted", vh_json_text(wanted), "found",
				vh_json_text(found), "holds", holds);
	return row && json_array_append_new(v->checks, row) == 0 ? 0 : vh_err_nomem(err);
}

struct judge { const json_t *image; const char *text; struct vh_verify *to; struct vh_err *err; };

static int equal(const struct judge *j, const char *check, const char *what, const char *wanted)
{
	vh_autofree char *found = answer(j->text, what);
	return vh_verify_add(j->to, check, wanted, found, found && !strcmp(found, wanted), j->err);
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static int judge_mpi(const struct judge *j)
{
	const json_t *mpi = json_object_get(j->image, "mpi");
	const char *version = text_of(mpi, "version");
	vh_autofree char *found = answer(j->text, "mpi");

	if (!*version)
		return 0;
	return vh_verify_add(j->to, "mpi", version, found, found && strstr(found, version), j->err);
}

/* As a whole word among blanks. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text; n && (at = strstr(at, word)); at++)
		if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

static int judge_cmdline(const struct judge *j)
{
	vh_autofree char *found = answer(j->text, "cmdline");
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(recipe(j->image, "cmdline"), i, item) {
		const char *word = json_string_value(item);
		bool there = found && word && has_word(found, word);
		if (r == 0 && word)
			r = vh_verify_add(j->to, "cmdline", word, there ? word : "absent", there, j->err);
	}
	return r;
}

/* Blanks of any number are one. */
static bool same_words(const char *a, const char *b)
{
	for (;;) {
		size_t n, m;
		a += strspn(a, " \t");
		b += strspn(b, " \t");
		n = strcspn(a, " \t");
		m = strcspn(b, " \t");
		if (n != m || strncmp(a, b, n))
			return false;
		if (!n)
			return true;
		a += n;
		b += m;
	}
}

/* What is chosen stands in brackets: "always [madvise] never". */
static bool chosen(const char *found, const char *wanted)
{
	vh_autofree char *marked = vh_strf("[%s]", wanted);
	return marked && has_word(found, marked);
}

/* kind: "sysctl" or "sysfs", also its key in the recipe. */
static int judge_values(const struct judge *j, const char *kind)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(recipe(j->image, kind), i, item) {
		const char *s = json_string_value(item);
		vh_autofree char *name = s ? strndup(s, strcspn(s, "=")) : NULL;
		vh_autofree char *what = name ? vh_strf("%s %s", kind, name) : NULL, *found = what ? answer(j->text, what) : NULL;
		if (!what || !strchr(s, '='))
			continue;
		const char *wanted = strchr(s, '=') + 1;
		if (r == 0)
			r = vh_verify_add(j->to, what, wanted, found, found && (same_words(found, wanted) || chosen(found, wanted)), j->err);
	}
	return r;
}

static const struct { const char *key, *line; unsigned unit; } limits[] = {
	{ "as", "Max address space", 1024 }, { "core", "Max core file size", 1024 }, { "data", "Max data size", 1024 },
	{ "fsize", "Max file size", 1024 }, { "memlock", "Max locked memory", 1024 }, { "nofile", "Max open files", 1 },
	{ "nproc", "Max processes", 1 }, { "rtprio", "Max realtime priority", 1 }, { "stack", "Max stack size", 1024 },
};

/* "Max open files   65536   65536   files": soft and hard one are the same. */
static int judge_limit(const struct judge *j, size_t which, const char *value)
{
	vh_autofree char *what = vh_strf("limit %s", limits[which].line), *line = what ? answer(j->text, what) : NULL;
	vh_autofree char *check = vh_strf("limit %s", limits[which].key);
	bool unlimited = !strcmp(value, "unlimited");
	vh_autofree char *wanted = unlimited ? strdup(value) : vh_strf("%llu", strtoull(value, NULL, 10) * limits[which].unit);
	char soft[32] = "", hard[32] = "";

	if (!what || !check || !wanted)
		return vh_err_nomem(j->err);
	if (line)
		sscanf(line, "%31s %31s", soft, hard);
	return vh_verify_add(j->to, check, wanted, soft, !strcmp(soft, wanted) && !strcmp(hard, wanted), j->err);
}

static int judge_limits(const struct judge *j)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(recipe(j->image, "limits"), i, item) {
		const char *s = json_string_value(item), *value = s ? strchr(s, '=') : NULL;
		for (size_t k = 0; r == 0 && value && k < vh_array_len(limits); k++)
			if (!strncmp(s, limits[k].key, (size_t)(value - s)) && !limits[k].key[value - s])
				r = judge_limit(j, k, value + 1);
	}
	return r;
}

/* One row for all, which names those that differ: there are many. */
static int judge_all(const struct judge *j, const char *key, const char *check, bool (*holds)(const char *text, const char *name))
{
	const json_t *list = recipe(j->image, key), *item;
	vh_autofree char *wanted = vh_strf("all %zu", json_array_size(list)), *others = NULL;
	size_t i, len = 0, bad = 0;
	FILE *f = open_memstream(&others, &len);

	if (!f || !wanted)
		return vh_err_nomem(j->err);
	json_array_foreach(list, i, item)
		if (json_string_value(item) && !holds(j->text, json_string_value(item)))
			fprintf(f, "%s%s", bad++ ? " " : "not ", json_string_value(item));
	fclose(f);
	if (json_array_size(list) == 0)
		return 0;
	return vh_verify_add(j->to, check, wanted, bad ? others : wanted, bad == 0, j->err);
}

static bool is_masked(const char *text, const char *unit)
{
	vh_autofree char *what = vh_strf("unit %s", unit), *state = what ? answer(text, what) : NULL;
	return state && !strcmp(state, "masked");
}

static bool is_not_loaded(const char *text, const char *module)
{
	vh_autofree char *loaded = answer(text, "modules");
	return loaded && !has_word(loaded, module);
}

/* It was given a larger disk than its own; an overlay in memory has none. */
static int judge_root(const struct judge *j)
{
	vh_autofree char *found = answer(j->text, "root");
	unsigned long long blocks = 0, size = 0;
	json_int_t built = json_integer_value(json_object_get(json_object_get(j->image, "root"), "size"));

	if (j->to->boot == VH_BOOT_SQUASHFS)
		return 0;
	if (found)
		sscanf(found, "%llu %llu", &blocks, &size);
	vh_autofree char *wanted = vh_strf("more than %lld", (long long)built), *is = vh_strf("%llu", blocks * size);
	return wanted && is ? vh_verify_add(j->to, "root grown", wanted, is, blocks * size > (unsigned long long)built, j->err) :
	       vh_err_nomem(j->err);
}

static int judge_checks(const struct judge *j)
{
	int r;

	if ((r = equal(j, "kernel", "kernel", text_of(json_object_get(j->image, "kernel"), "version"))) < 0 ||
	    (r = equal(j, "user", "user", text_of(j->image, "user"))) < 0 || (r = judge_mpi(j)) < 0 ||
	    (r = equal(j, "failed units", "failed", "")) < 0 || (r = equal(j, "dpkg --audit", "audit", "")) < 0 ||
	    (r = judge_root(j)) < 0 || (r = judge_cmdline(j)) < 0 || (r = judge_values(j, "sysctl")) < 0 ||
	    (r = judge_values(j, "sysfs")) < 0 || (r = judge_limits(j)) < 0 ||
	    (r = judge_all(j, "mask", "units masked", is_masked)) < 0)
		return r;
	return judge_all(j, "blacklist", "modules not loaded", is_not_loaded);
}

int vh_verify_judge(const json_t *image, const char *text, struct vh_verify *ret, struct vh_err *err)
{
	double init = seconds(text, "init", 1), systemd = seconds(text, "systemd", 1e-6), sshd = seconds(text, "sshd", 1e-6);
	double memory = seconds(text, "memory", 1);
	vh_autofree char *end = answer(text, "end");

	if (!end)
		return vh_err_set(err, EBADMSG, "the guest did not answer to the end");
	ret->checks = json_array();
	ret->uptime = seconds(text, "uptime", 1);
	ret->memory_used = memory > 0 ? (uint64_t)memory : 0;
	ret->phases = (struct vh_verify_phases){ .firmware = -1, .kernel = init, .mpi = -1,
		.initrd = init >= 0 && systemd >= init ? systemd - init : -1,
		.userspace = systemd >= 0 && sshd >= systemd ? sshd - systemd : -1 };
	return judge_checks(&(struct judge){ image, text, ret, err });
}

bool vh_verify_holds(const struct vh_verify *v)
{
	const json_t *row;
	size_t i;
	json_array_foreach(v->checks, i, row)
		if (!json_is_true(json_object_get(row, "holds")))
			return false;
	return true;
}

static json_t *phase(double s)
{
	return s >= 0 ? json_real(s) : json_null();
}

json_t *vh_verify_json(const struct vh_verify *v)
{
	const struct vh_verify_phases *p = &v->phases;
	return json_pack("{s:s, s:s, s:I, s:{s:o, s:o, s:o, s:o, s:o}, s:O}", "boot", vh_boot_names[v->boot], "accel", v->accel,
			 "memory_used", (json_int_t)v->memory_used, "phases", "firmware", phase(p->firmware),
			 "kernel", phase(p->kernel), "initrd", phase(p->initrd), "userspace", phase(p->userspace),
			 "mpi", phase(p->mpi), "checks", v->checks);
}

void vh_verify_clear(struct vh_verify *v)
{
	json_decref(v->checks);
	*v = (struct vh_verify){ 0 };
}
