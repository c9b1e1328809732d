// SPDX-License-Identifier: Apache-2.0
/* The files of a recipe. */
#include <stdlib.h>
#include <string.h>
#include "images/node/node.h"
#include "images/node/passwd.h"
#include "lib/answer.h"
#include "lib/mark.h"
#include "lib/strv.h"

static int put_file(struct vh_tree *tree, const struct vh_recipe_file *f, struct vh_err *err)
{
	const char *path = f->path + 1;
	uid_t uid;
	gid_t gid;
	int r = vh_passwd_owner(tree, f->owner, &uid, &gid, err);

	if (r == 0)
		r = vh_tree_put(tree, path, (mode_t)strtoul(f->mode, NULL, 8), f->data, f->len, err);
	if (r < 0)
		return vh_err_within(err, "files: %s", f->path);
	struct vh_node *node = vh_tree_find_link(tree, path);
	node->uid = uid;
	node->gid = gid;
	return 0;
}

static int put_files(const struct vh_furnish *to, struct vh_err *err)
{
	const struct vh_recipe_file *f = to->recipe->files.items;
	int e = 0;

	for (size_t i = 0; e == 0 && i < to->recipe->files.n; i++)
		e = put_file(to->tree, &f[i], err);
	return e;
}

/* file PATH OWNER: says mode, owner (as the recipe names it, where it is that) and hash of the image's part. */
static const char functions[] =
	"owner() { u=${1%%:*}; case $u in [0-9]*) g=$u ;; *) g=$(id -g \"$u\"); u=$(id -u \"$u\") ;; esac\n"
	" case $1 in *:[0-9]*) g=${1#*:} ;; *:*) g=$(getent group \"${1#*:}\" | cut -d: -f3) ;; esac\n"
	" echo \"$u:$g\"; }\n"
	"file() { o=$(stat -c %u:%g \"$1\"); [ \"$o\" != \"$(owner \"$2\")\" ] || o=$2\n"
	" say \"file $1\" \"0$(stat -c %a \"$1\") $o $(LC_ALL=C sed \"/^" VH_NODE_MARK "\\$/,\\$d\" \"$1\" | sha256sum | cut -d' ' -f1)\"; }\n";

static void ask_files(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_array_size(value) == 0)
		return;
	fputs(functions, f);
	json_array_foreach(value, i, item)
		if (vh_quotable(vh_judge_text(item, "path")) && vh_quotable(vh_judge_text(item, "owner")))
			fprintf(f, "file '%s' '%s'\n", vh_judge_text(item, "path"), vh_judge_text(item, "owner"));
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
	const char *path = vh_judge_text(file, "path");
	vh_autofree char *check = vh_strf("file %s", path), *found = check ? vh_answer(j->text, check) : NULL;
	vh_autofree char *wanted = vh_strf("0%lo %s %s", strtoul(vh_judge_text(file, "mode"), NULL, 8),
					   vh_judge_text(file, "owner"), vh_judge_text(file, "sha256"));

	if (!check || !wanted)
		return vh_err_nomem(j->err);
	if (is_of_node(path))
		return vh_judge_add(j, check, "the node's own", found ? "the node's own" : NULL, found);
	return vh_judge_add(j, check, wanted, found, found && !strcmp(found, wanted));
}

static int judge_files(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_each(j, value, judge_file);
}

static const struct vh_subject_key keys[] = {
	{ "files", ask_files, judge_files },
	{ NULL, NULL, NULL },
};

const struct vh_subject vh_subject_files = { put_files, keys };
