// SPDX-License-Identifier: Apache-2.0
/* The recipe's files and logins. */
#include <stdlib.h>
#include <string.h>
#include "images/node/logins.h"
#include "images/verify/keys.h"
#include "lib/strv.h"

/* file PATH OWNER: says mode, owner (as the recipe names it, where it is that) and hash. */
static const char functions[] =
	"owner() { u=${1%%:*}; case $u in [0-9]*) g=$u ;; *) g=$(id -g \"$u\"); u=$(id -u \"$u\") ;; esac\n"
	" case $1 in *:[0-9]*) g=${1#*:} ;; *:*) g=$(getent group \"${1#*:}\" | cut -d: -f3) ;; esac; echo \"$u:$g\"; }\n"
	"file() { o=$(stat -c %u:%g \"$1\"); [ \"$o\" != \"$(owner \"$2\")\" ] || o=$2\n"
	" say \"file $1\" \"0$(stat -c %a \"$1\") $o $(sha256sum <\"$1\" | cut -d' ' -f1)\"; }\n";

void vh_ask_files(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_array_size(value) == 0)
		return;
	fputs(functions, f);
	json_array_foreach(value, i, item)
		if (vh_quotable(vh_verify_text(item, "path")) && vh_quotable(vh_verify_text(item, "owner")))
			fprintf(f, "file '%s' '%s'\n", vh_verify_text(item, "path"), vh_verify_text(item, "owner"));
}

/* What a node has of its own, whatever the recipe put there. */
static bool is_of_node(const char *path)
{
	static const char *const paths[] = { "/etc/hostname", "/etc/hosts", "/etc/machine-id" };
	for (size_t i = 0; i < vh_array_len(paths); i++)
		if (!strcmp(path, paths[i]))
			return true;
	return false;
}

static int judge_file(const struct vh_judge *j, const json_t *file)
{
	const char *path = vh_verify_text(file, "path");
	vh_autofree char *check = vh_strf("file %s", path), *found = check ? vh_answer(j->text, check) : NULL;
	vh_autofree char *wanted = vh_strf("0%lo %s %s", strtoul(vh_verify_text(file, "mode"), NULL, 8), vh_verify_text(file, "owner"),
					   vh_verify_text(file, "sha256"));

	if (!check || !wanted)
		return vh_err_nomem(j->err);
	if (is_of_node(path))
		return vh_verify_add(j->to, check, "the node's own", found ? "the node's own" : NULL, found, j->err);
	return vh_verify_add(j->to, check, wanted, found, found && !strcmp(found, wanted), j->err);
}

int vh_judge_files(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item)
		if (r == 0)
			r = judge_file(j, item);
	return r;
}

void vh_ask_users(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		const char *name = vh_verify_text(item, "name");
		if (!vh_quotable(name) || strchr(name, '/'))
			continue;
		fprintf(f, "say 'login %s' \"$(getent passwd '%s' | cut -d: -f3,7)\"\nsay 'groups %s' \"$(id -Gn '%s')\"\n"
			"sed 's,^,@key %s ,' '/" VH_KEYS_DIR "/%s' 2>/dev/null\n", name, name, name, name, name, name);
	}
}

static int judge_login(const struct vh_judge *j, const json_t *user)
{
	json_int_t uid = json_integer_value(json_object_get(user, "uid"));
	vh_autofree char *what = vh_strf("login %s", vh_verify_text(user, "name"));
	vh_autofree char *check = vh_strf("user %s", vh_verify_text(user, "name"));
	vh_autofree char *wanted = vh_strf("%lld:%s", (long long)uid, vh_verify_text(user, "shell"));

	if (!what || !check || !wanted)
		return vh_err_nomem(j->err);
	/* root's and the main user's are not the recipe's to say. */
	return uid ? vh_judge_equal(j, check, what, wanted) : 0;
}

/* One of them that is not there; NULL: all are. */
static const char *lacking(const struct vh_judge *j, const json_t *user, const char *list, const char *what)
{
	vh_autofree char *prefix = vh_strf("%s %s", what, vh_verify_text(user, "name"));
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(user, list), i, item) {
		const char *s = json_string_value(item), *at = NULL;
		bool found = false;
		for (char *line; prefix && s && !found && (line = vh_answer_next(j->text, prefix, &at)); free(line))
			found = !strcmp(what, "groups") ? vh_has_word(line, s) : !strcmp(line, s);
		if (!found)
			return s ? s : "?";
	}
	return NULL;
}

static int judge_list(const struct vh_judge *j, const json_t *user, const char *list, const char *what)
{
	size_t n = json_array_size(json_object_get(user, list));
	const char *lacks = lacking(j, user, list, what);
	vh_autofree char *check = vh_strf("%s of %s", list, vh_verify_text(user, "name")), *wanted = vh_strf("all %zu", n);
	vh_autofree char *found = lacks ? vh_strf("not %s", lacks) : wanted ? strdup(wanted) : NULL;

	if (!check || !wanted || !found)
		return vh_err_nomem(j->err);
	return n ? vh_verify_add(j->to, check, wanted, found, !lacks, j->err) : 0;
}

int vh_judge_users(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item)
		if (r == 0 && (r = judge_login(j, item)) == 0 && (r = judge_list(j, item, "groups", "groups")) == 0)
			r = judge_list(j, item, "keys", "key");
	return r;
}
