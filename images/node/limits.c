// SPDX-License-Identifier: Apache-2.0
/* Resource limits of every login. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "images/node/node.h"
#include "lib/answer.h"
#include "lib/strv.h"

/* KiB in limits.conf, bytes in a unit, for these. */
static bool in_kib(const char *name)
{
	static const char *const names[] = { "as", "core", "data", "fsize", "memlock", "stack" };
	for (size_t i = 0; i < vh_array_len(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static void print_limit(FILE *login, FILE *unit, const char *name, const char *value)
{
	bool unlimited = !strcmp(value, "unlimited");
	fprintf(login, "* - %s %s\nroot - %s %s\n", name, value, name, value);
	fputs("Limit", unit);
	for (; *name; name++)
		fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, unit);
	fprintf(unit, "=%s", unlimited ? "infinity" : value);
}

/* For console logins through PAM, and for sshd, which does without. */
static int put_limits(const struct vh_furnish *to, struct vh_err *err)
{
	vh_autofree char *login = NULL, *unit = NULL;
	size_t login_len, unit_len;
	FILE *l = open_memstream(&login, &login_len), *u = open_memstream(&unit, &unit_len);

	if (!l || !u)
		return vh_err_nomem(err);
	fputs("[Service]\n", u);
	for (char **limits = to->recipe->limits; limits && *limits; limits++) {
		vh_autofree char *name = strndup(*limits, strcspn(*limits, "="));
		if (!name)
			continue;
		print_limit(l, u, name, *limits + strlen(name) + 1);
		fputs(in_kib(name) && strcmp(*limits + strlen(name) + 1, "unlimited") ? "K\n" : "\n", u);
	}
	fclose(l);
	fclose(u);
	if (!login || !unit)
		return vh_err_nomem(err);
	int r = vh_tree_text(to->tree, "etc/security/limits.d/vhpc.conf", 0644, login, err);
	return r < 0 ? r : vh_tree_text(to->tree, "etc/systemd/system/ssh.service.d/vhpc.conf", 0644, unit, err);
}

static const struct { const char *key, *line; unsigned unit; } limits[] = {
	{ "as", "Max address space", 1024 }, { "core", "Max core file size", 1024 }, { "data", "Max data size", 1024 },
	{ "fsize", "Max file size", 1024 }, { "memlock", "Max locked memory", 1024 }, { "nofile", "Max open files", 1 },
	{ "nproc", "Max processes", 1 }, { "rtprio", "Max realtime priority", 1 }, { "stack", "Max stack size", 1024 },
};

/* "Max open files   65536   65536   files": soft and hard one are the same. */
static int judge_limit(const struct vh_judge *j, size_t which, const char *value)
{
	vh_autofree char *what = vh_strf("limit %s", limits[which].line);
	vh_autofree char *line = what ? vh_answer(j->text, what) : NULL;
	vh_autofree char *check = vh_strf("limit %s", limits[which].key);
	bool unlimited = !strcmp(value, "unlimited");
	vh_autofree char *wanted = unlimited ? strdup(value) :
					       vh_strf("%llu", strtoull(value, NULL, 10) * limits[which].unit);
	char soft[32] = "", hard[32] = "";

	if (!what || !check || !wanted)
		return vh_err_nomem(j->err);
	if (line)
		sscanf(line, "%31s %31s", soft, hard);
	return vh_judge_add(j, check, wanted, soft, !strcmp(soft, wanted) && !strcmp(hard, wanted));
}

static int judge_limits(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item) {
		const char *s = json_string_value(item), *limit = s ? strchr(s, '=') : NULL;
		for (size_t k = 0; r == 0 && limit && k < vh_array_len(limits); k++)
			if (!strncmp(s, limits[k].key, (size_t)(limit - s)) && !limits[k].key[limit - s])
				r = judge_limit(j, k, limit + 1);
	}
	return r;
}

static const struct vh_subject_key keys[] = {
	{ "limits", NULL, judge_limits },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_limits = { put_limits, keys };
