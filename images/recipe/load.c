// SPDX-License-Identifier: Apache-2.0
/* A recipe is read in layers: what it includes first, then itself over that. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include "lib/files/read.h"
#include "images/recipe/complete.h"
#include "lib/strv.h"

/* The directory that paths must not leave; fd -1: there is none. */
struct place { int fd; char *dir; };

struct layers {
	struct place own, shipped;
	char **chain;		/* being read, the outermost first */
	char **done;
	struct vh_recipe recipe;
	uint64_t given;
};
#define LAYERS_NONE { .own.fd = -1, .shipped.fd = -1 }

/* One file of them. */
struct layer {
	const struct place *place;
	const char *path;	/* below it, without dots */
	char *shown;
	struct vh_recipe recipe;
	uint64_t given;
};

static void layers_clear(struct layers *l)
{
	vh_close_fd(&l->own.fd);
	vh_close_fd(&l->shipped.fd);
	free(l->own.dir);
	free(l->shipped.dir);
	vh_strv_free(l->chain);
	vh_strv_free(l->done);
	vh_recipe_clear(&l->recipe);
}

static void layer_clear(struct layer *l)
{
	free(l->shown);
	vh_recipe_clear(&l->recipe);
}

static char *show(const struct place *p, const char *path)
{
	return p->dir && strcmp(p->dir, ".") ? vh_strf("%s/%s", p->dir, path) : strdup(path);
}

/* "sub/../x" is "x": path as written in the file from, below the same place; NULL where it leaves it. */
static char *resolve(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');
	vh_autofree char *whole = slash ? vh_strf("%.*s/%s", (int)(slash - from), from, path) : strdup(path);
	vh_autostrv parts = NULL;
	size_t n = 0;
	char *out;

	if (!whole || *path == '/')
		return NULL;
	for (char *save, *p = strtok_r(whole, "/", &save); p; p = strtok_r(NULL, "/", &save)) {
		if (!strcmp(p, "."))
			continue;
		if (strcmp(p, "..")) {
			if (vh_strv_push(&parts, p) < 0)
				return NULL;
			n++;
			continue;
		}
		if (n == 0)
			return NULL;
		free(parts[--n]);
		parts[n] = NULL;
	}
	out = n ? strdup(parts[0]) : NULL;
	for (size_t i = 1; out && i < n; i++) {
		char *longer = vh_strf("%s/%s", out, parts[i]);
		free(out);
		out = longer;
	}
	return out;
}

/* Of a file that a recipe names: path relative to that recipe. */
static int read_named(const struct layer *l, const char *path, const char *key, char **ret, size_t *ret_len,
		      struct vh_err *err)
{
	vh_autofree char *below = resolve(l->path, path), *shown = below ? show(l->place, below) : NULL;
	int r = -EXDEV;

	if (l->place->fd < 0)
		return vh_err_refuse(err, EINVAL, "%s: %s: there is no file beside it", l->shown, key);
	if (below && !shown)
		return vh_err_nomem(err);
	if (below)
		r = vh_host_file_below(l->place->fd, below, shown, ret, ret_len, err);
	if (r == -EXDEV) {
		vh_err_refuse(err, EXDEV, "%s: %s: '%s' leaves the directory of the recipe", l->shown, key, path);
		return vh_err_hint(err, "copy it below %s", l->place->dir);
	}
	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "%s: %s", l->shown, key);
	}
	return 0;
}

static int read_content(const struct layer *l, struct vh_recipe_file *f, struct vh_err *err)
{
	if (!f->content == !f->source)
		return vh_err_refuse(err, EINVAL, "%s: files: %s: needs content or source, and not both", l->shown, f->path);
	if (f->source)
		return read_named(l, f->source, "files", &f->data, &f->len, err);
	f->data = strdup(f->content);
	f->len = strlen(f->content);
	return f->data ? 0 : vh_err_nomem(err);
}

static int read_data(struct layer *l, struct vh_err *err)
{
	struct vh_recipe_file *f = l->recipe.files.items;
	struct vh_recipe_repository *p = l->recipe.repositories.items;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->recipe.files.n; i++)
		r = read_content(l, &f[i], err);
	for (size_t i = 0; r == 0 && i < l->recipe.repositories.n; i++)
		r = read_named(l, p[i].key, "repositories", &p[i].key_data, &p[i].key_len, err);
	if (r == 0 && l->recipe.mirror_key)
		r = read_named(l, l->recipe.mirror_key, "mirror_key", &l->recipe.mirror_key_data,
			       &l->recipe.mirror_key_len, err);
	return r;
}

static int refuse_cycle(const struct layers *l, const char *shown, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool inside = false;

	if (!f)
		return vh_err_nomem(err);
	for (char **c = l->chain; *c; c++) {
		inside |= !strcmp(*c, shown);
		if (inside)
			fprintf(f, "%s -> ", *c);
	}
	fclose(f);
	return text ? vh_err_refuse(err, ELOOP, "%s: includes itself: %s%s", shown, text, shown) : vh_err_nomem(err);
}

/* What the key says in layers below is forgotten. */
static int begin_anew(struct layers *all, const struct layer *l, struct vh_err *err)
{
	for (char **name = l->recipe.replace; name && *name; name++) {
		const struct vh_key *key = vh_recipe_keys;
		while (key->name && strcmp(key->name, *name))
			key++;
		if (!key->name || (key->type != VH_KEY_STRV && key->type != VH_KEY_STRMAP && key->type != VH_KEY_LIST) ||
		    key->offset == offsetof(struct vh_recipe, include) || key->offset == offsetof(struct vh_recipe, replace))
			return vh_err_refuse(err, EINVAL, "%s: replace: '%s' is no key of a list", l->shown, *name);
		vh_recipe_empty(&all->recipe, key);
		all->given &= ~(1ULL << (key - vh_recipe_keys));
	}
	return 0;
}

static uint64_t bit_of(const char *name)
{
	const struct vh_key *key = vh_recipe_keys;
	while (key->name && strcmp(key->name, name))
		key++;
	return 1ULL << (key - vh_recipe_keys);
}

static int load_layer(struct layers *all, const struct place *place, const char *path, struct vh_err *err);

static int include_one(struct layers *all, const struct layer *l, const char *what, struct vh_err *err)
{
	bool shipped = !strpbrk(what, "/.");
	vh_autofree char *path = shipped ? vh_strf("%s.yaml", what) : resolve(l->path, what);
	const struct place *place = shipped ? &all->shipped : l->place;
	int r;

	if (l->place->fd < 0)
		return vh_err_refuse(err, EINVAL, "%s: include: there is no file beside it", l->shown);
	if (!path) {
		vh_err_refuse(err, EXDEV, "%s: include: '%s' leaves the directory of the recipe", l->shown, what);
		return vh_err_hint(err, "copy it below %s, or include a shipped recipe by its name", l->place->dir);
	}
	if (shipped && place->fd < 0)
		return vh_err_refuse(err, ENOENT, "%s: include: %s: no recipes are shipped here", l->shown, what);
	r = load_layer(all, place, path, err);
	if (r == -EXDEV && !err->num)
		return vh_err_refuse(err, EXDEV, "%s: include: '%s' leaves the directory of the recipe", l->shown, what);
	return r;
}

static int lay(struct layers *all, struct layer *l, struct vh_err *err)
{
	int r = 0;

	for (char **i = l->recipe.include; r == 0 && i && *i; i++)
		r = include_one(all, l, *i, err);
	if (r == 0)
		r = begin_anew(all, l, err);
	if (r < 0)
		return r;
	/* Each recipe has a name of its own. */
	all->given &= ~bit_of("name");
	all->given |= l->given;
	if (l->recipe.mirror_key_data) {
		free(all->recipe.mirror_key_data);
		all->recipe.mirror_key_data = vh_steal(&l->recipe.mirror_key_data);
		all->recipe.mirror_key_len = l->recipe.mirror_key_len;
	}
	return vh_doc_lay(vh_recipe_keys, &all->recipe, &l->recipe, l->given, err);
}

static int read_layer(struct layers *all, struct layer *l, const char *text, size_t len, struct vh_err *err)
{
	int r = vh_doc_layer(l->shown, text, len, vh_recipe_keys, &l->recipe, &l->given, err);

	if (r == 0)
		r = read_data(l, err);
	if (r == 0 && vh_strv_push(&all->chain, l->shown) < 0)
		r = vh_err_nomem(err);
	if (r < 0)
		return r;
	r = lay(all, l, err);
	size_t n = vh_strv_len(all->chain);
	free(all->chain[n - 1]);
	all->chain[n - 1] = NULL;
	if (r == 0 && vh_strv_push(&all->done, l->shown) < 0)
		r = vh_err_nomem(err);
	return r;
}

static int load_layer(struct layers *all, const struct place *place, const char *path, struct vh_err *err)
{
	vh_cleanup(layer_clear) struct layer l = { .place = place, .path = path, .shown = show(place, path) };
	vh_autofree char *text = NULL;
	size_t len;
	int r;

	if (!l.shown)
		return vh_err_nomem(err);
	if (vh_strv_has(all->chain, l.shown))
		return refuse_cycle(all, l.shown, err);
	if (vh_strv_has(all->done, l.shown))
		return 0;
	r = vh_host_file_below(place->fd, path, l.shown, &text, &len, err);
	if (r == -EXDEV)
		return r;
	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return all->chain && *all->chain ?
			vh_err_within(err, "%s: include", all->chain[vh_strv_len(all->chain) - 1]) : r;
	}
	return read_layer(all, &l, text, len, err);
}

static int finish(struct layers *l, const char *name, const struct vh_root *host, struct vh_recipe *ret,
		  struct vh_err *err)
{
	int r = vh_doc_close(name, vh_recipe_keys, &l->recipe, l->given, err);

	if (r < 0)
		return r;
	if (vh_recipe_complete(&l->recipe, host, err) < 0)
		return vh_err_within(err, "%s", name);
	*ret = l->recipe;
	l->recipe = (struct vh_recipe){ 0 };
	return 0;
}

static int open_place(struct place *p, const char *dir)
{
	p->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->dir = strdup(dir);
	return p->dir ? 0 : -ENOMEM;
}

int vh_recipe_load(const char *path, const char *shipped, const struct vh_root *host,
		   struct vh_recipe *ret, struct vh_err *err)
{
	vh_cleanup(layers_clear) struct layers l = LAYERS_NONE;
	vh_autofree char *a = strdup(path), *b = strdup(path);
	int r;

	if (!a || !b || open_place(&l.own, dirname(a)) < 0 || (shipped && open_place(&l.shipped, shipped) < 0))
		return vh_err_nomem(err);
	if (l.own.fd < 0)
		return vh_err_refuse(err, ENOENT, "%s: %s", path, strerror(ENOENT));
	r = load_layer(&l, &l.own, basename(b), err);
	if (r == -EXDEV && !err->num)
		return vh_err_refuse(err, EXDEV, "%s: is a link that leaves its directory", path);
	return r < 0 ? r : finish(&l, path, host, ret, err);
}

int vh_recipe_parse(const char *name, const char *text, size_t len, const struct vh_root *host,
		    struct vh_recipe *ret, struct vh_err *err)
{
	vh_cleanup(layers_clear) struct layers l = LAYERS_NONE;
	vh_cleanup(layer_clear) struct layer only = { .place = &l.own, .path = name, .shown = strdup(name) };
	int r = only.shown ? read_layer(&l, &only, text, len, err) : vh_err_nomem(err);

	return r < 0 ? r : finish(&l, name, host, ret, err);
}
