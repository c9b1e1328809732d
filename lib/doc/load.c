// SPDX-License-Identifier: Apache-2.0
/* Documents from files, with those that they include. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/doc/read.h"
#include "lib/strv.h"

enum { FILES_MAX = 32 };

/* A file that is being read, and the one that includes it. */
struct reading {
	const char *path;
	const struct reading *by;
	dev_t dev;
	ino_t ino;
};

/* One document, with all files of it. */
struct load {
	const char *include;	/* the key that names files; NULL: there is none */
	char **sources;		/* what nodes point to: every file but the first */
	size_t nodes;		/* of all files, as many at most as one may have */
	struct vh_err *err;
};

/* One byte more than is taken, so that the parser sees what is too long. */
static int read_file(struct reading *file, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autofree char *text = malloc(VH_YAML_MAX_BYTES + 1);
	/* The caller's may be a pipe; nobody waits for another. */
	vh_autoclose int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (file->by ? O_NONBLOCK : 0));
	struct stat st = { 0 };
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return vh_err_nomem(err);
	if (fd >= 0 && fstat(fd, &st) < 0)
		n = -1;
	if (fd >= 0 && n > 0 && file->by && !S_ISREG(st.st_mode))
		return vh_err_refuse(err, EINVAL, "%s: is no regular file", file->path);
	while (fd >= 0 && n > 0 && len <= VH_YAML_MAX_BYTES) {
		n = read(fd, text + len, VH_YAML_MAX_BYTES + 1 - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (fd < 0 || n < 0)
		return vh_err_refuse(err, errno, "%s: %s", file->path, strerror(errno));
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	*ret = vh_steal(&text);
	*ret_len = len;
	return 0;
}

/* --- what is included comes under */

/* Moves key and value to the end of another map. */
static int move_pair(struct vh_yaml *to, struct vh_yaml **pair)
{
	struct vh_yaml **grown = reallocarray(to->items, to->n + 2, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	to->items = grown;
	for (size_t i = 0; i < 2; i++)
		to->items[to->n++] = vh_steal(&pair[i]);
	return 0;
}

static int merge_maps(struct vh_yaml *over, struct vh_yaml *under, const char *but);

static int merge_lists(struct vh_yaml *over, struct vh_yaml *under)
{
	struct vh_yaml **grown = reallocarray(under->items, under->n + over->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	for (size_t i = 0; i < over->n; i++)
		grown[under->n + i] = over->items[i];
	under->items = over->items;
	over->items = grown;
	over->n += under->n;
	under->n = 0;
	return 0;
}

static int merge(struct vh_yaml *over, struct vh_yaml *under)
{
	if (over->type == VH_YAML_MAP && under->type == VH_YAML_MAP)
		return merge_maps(over, under, NULL);
	return over->type == VH_YAML_LIST && under->type == VH_YAML_LIST ? merge_lists(over, under) : 0;
}

/* What under says and over does not goes over to it; but: a key that stays. */
static int merge_maps(struct vh_yaml *over, struct vh_yaml *under, const char *but)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < under->n; i += 2) {
		struct vh_yaml *there = (struct vh_yaml *)vh_yaml_get(over, under->items[i]->text);

		if (but && !strcmp(under->items[i]->text, but))
			continue;
		r = there ? merge(there, under->items[i + 1]) : move_pair(over, &under->items[i]);
	}
	return r;
}

static void mark(struct vh_yaml *node, const char *source)
{
	node->source = source;
	for (size_t i = 0; i < node->n; i++)
		mark(node->items[i], source);
}

static size_t count(const struct vh_yaml *node)
{
	size_t all = 1;

	for (size_t i = 0; i < node->n; i++)
		all += count(node->items[i]);
	return all;
}

static int load_tree(struct load *l, struct reading *file, struct vh_yaml **ret);

static int refuse_cycle(const struct load *l, const struct reading *file)
{
	for (const struct reading *by = file->by; by; by = by->by)
		if (by->dev == file->dev && by->ino == file->ino) {
			vh_err_refuse(l->err, ELOOP, "%s: includes itself", file->path);
			return vh_err_hint(l->err, "take one include of these out");
		}
	return 0;
}

/* The path from the including file's directory; kept among the sources. */
static char *path_of(struct load *l, const struct reading *by, const char *name)
{
	const char *slash = strrchr(by->path, '/');
	int dir = slash && *name != '/' ? (int)(slash - by->path) + 1 : 0;

	return vh_strv_pushf(&l->sources, "%.*s%s", dir, by->path, name) < 0 ? NULL : l->sources[vh_strv_len(l->sources) - 1];
}

static int refuse_include(const struct load *l, const struct reading *file, const struct vh_yaml *is, const char *expected)
{
	return vh_err_refuse(l->err, EINVAL, "%s:%u:%u: %s: %s is expected, not %s", file->path, is->line, is->column, l->include,
			     expected, vh_yaml_type_name(is));
}

static int include(struct load *l, const struct reading *by, const struct vh_yaml *name, struct vh_yaml *into)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *tree = NULL;
	struct reading file = { .by = by };
	int r;

	/* The first file's keys are read, and what is wrong with them is told then. */
	if (name->type != VH_YAML_SCALAR || name->null)
		return by->by ? refuse_include(l, by, name, "a value") : 0;
	if (vh_strv_len(l->sources) == FILES_MAX)
		return vh_err_refuse(l->err, E2BIG, "%s:%u:%u: more than %d files are included", by->path, name->line, name->column,
				     FILES_MAX);
	file.path = path_of(l, by, name->text);
	r = file.path ? load_tree(l, &file, &tree) : vh_err_nomem(l->err);
	if (r < 0)
		return r == -ENOMEM ? r : vh_err_within(l->err, "%s:%u:%u: include", by->path, name->line, name->column);
	return merge_maps(into, tree, l->include) < 0 ? vh_err_nomem(l->err) : 0;
}

/* A file with what it includes; of two that it includes the later goes before the earlier. */
static int load_tree(struct load *l, struct reading *file, struct vh_yaml **ret)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *tree = NULL;
	vh_autofree char *text = NULL;
	const struct vh_yaml *names;
	size_t len = 0;
	int r = read_file(file, &text, &len, l->err);

	if (r == 0)
		r = refuse_cycle(l, file);
	if (r == 0)
		r = vh_yaml_parse(file->path, text, len, &tree, l->err);
	if (r < 0)
		return r;
	if (file->by && tree->type != VH_YAML_MAP)
		return vh_err_refuse(l->err, EINVAL, "%s:%u:%u: a document of keys is expected, not %s", file->path, tree->line,
				     tree->column, vh_yaml_type_name(tree));
	l->nodes += count(tree);
	if (l->nodes > VH_YAML_MAX_NODES)
		return vh_err_refuse(l->err, E2BIG, "%s: more than %d values, with what includes it", file->path, VH_YAML_MAX_NODES);
	if (file->by)
		mark(tree, file->path);
	names = l->include && tree->type == VH_YAML_MAP ? vh_yaml_get(tree, l->include) : NULL;
	if (file->by && names && names->type != VH_YAML_LIST)
		return refuse_include(l, file, names, "a list");
	for (size_t i = names && names->type == VH_YAML_LIST ? names->n : 0; r == 0 && i-- > 0; )
		r = include(l, file, names->items[i], tree);
	if (r == 0)
		*ret = vh_steal(&tree);
	return r;
}

int vh_doc_load(const char *path, const struct vh_key *keys, void *out, struct vh_err *err)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *tree = NULL;
	struct load l = { .err = err };
	struct reading file = { .path = path };
	int r;

	for (const struct vh_key *key = keys; key->name; key++)
		if (key->includes)
			l.include = key->name;
	r = load_tree(&l, &file, &tree);
	if (r == 0)
		r = vh_doc_read(path, tree, keys, out, NULL, err);
	vh_strv_free(l.sources);
	return r;
}
