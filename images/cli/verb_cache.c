// SPDX-License-Identifier: Apache-2.0
/* lock and prune: the verbs that work on the cache. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "images/build/build.h"
#include "images/packages/packages.h"
#include "images/cache/cache.h"
#include "images/cli/cli.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"

enum { DEFAULT_GIB = 8 };

const struct vh_opt vh_image_lock_opts[] = {
	{ "again", 0, VH_OPT_FLAG, offsetof(struct vh_image_lock_opts, again), NULL,
	  "Ask the archive for its packages of today" },
	{ .name = NULL },
};

const struct vh_opt vh_image_prune_opts[] = {
	{ "size", 0, VH_OPT_STR, offsetof(struct vh_image_prune_opts, size), "SIZE",
	  "What may stay (default: 8G)" },
	{ .name = NULL },
};

/* The version without epoch and revision of the package of that name, or null. */
static json_t *upstream(const struct vh_pins *pins, const char *name)
{
	const struct vh_pin *p = name ? vh_pins_find(pins, name) : NULL;
	vh_autofree char *version = p ? vh_version_upstream(p->version) : NULL;

	return !p ? json_null() : version ? json_string(version) : NULL;
}

/* The package that the kernel's name stands for: linux-image-6.1.0-9-cloud-amd64. */
static json_t *kernel(const struct vh_pins *pins)
{
	static const char prefix[] = "linux-image-";

	for (size_t i = 0; i < pins->n; i++) {
		const struct vh_pin *p = &pins->items[i];
		if (!strncmp(p->name, prefix, strlen(prefix)) && isdigit((unsigned char)p->name[strlen(prefix)]))
			return json_pack("{s:s, s:s}", "package", p->name, "version", p->version);
	}
	return json_null();
}

int vh_image_lock(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_lock_opts *o = cli->opts;
	vh_autorecipe recipe = { 0 };
	vh_autopins pins = { 0 };
	vh_autoroot root = NULL;
	int r;

	if ((r = vh_root_open(&root, cli->root, err)) < 0 ||
	    (r = vh_image_recipe(cli->argv[0], root, &recipe, err)) < 0 ||
	    (r = vh_image_check_host(root, err)) < 0)
		return r;
	struct vh_build b = { .recipe = &recipe, .cache = cli->cache, .again = o->again };
	b.progress = vh_progress_start("lock", cli->quiet);
	r = vh_base_pins(&b, &pins, err);
	vh_progress_end(b.progress, NULL);
	if (r < 0)
		return r;
	json_t *doc = vh_pins_json(&pins);
	if (!doc || json_object_set_new(doc, "kernel", kernel(&pins)) < 0 ||
	    json_object_set_new(doc, "mpi", upstream(&pins, vh_mpi_package(recipe.mpi))) < 0 ||
	    json_object_set_new(doc, "ucx", upstream(&pins, "libucx0")) < 0) {
		json_decref(doc);
		return vh_err_nomem(err);
	}
	return vh_json_print(VH_LOCK_SCHEMA, doc, err);
}

int vh_image_prune(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_prune_opts *o = cli->opts;
	uint64_t size = (uint64_t)DEFAULT_GIB << 30;
	char removed[16], kept[16];
	struct vh_pruned p;
	int r = o->size ? vh_size_parse(o->size, &size, err) : 0;

	if (r < 0)
		return vh_err_usage(err, "--size %s: is no size", o->size);
	if ((r = vh_userns_enter("pruning the cache", err)) < 0 || (r = vh_cache_prune(cli->cache, size, &p, err)) < 0)
		return r;
	vh_size_format(removed, sizeof removed, p.removed);
	vh_size_format(kept, sizeof kept, p.kept);
	if (cli->json)
		return vh_json_print("vhpc.image.prune/1", json_pack("{s:I, s:i, s:I, s:i}", "removed",
				     (json_int_t)p.removed, "removed_count", (int)p.n_removed, "kept",
				     (json_int_t)p.kept, "kept_count", (int)p.n_kept), err);
	printf("removed %s in %u, kept %s in %u\n", removed, p.n_removed, kept, p.n_kept);
	return 0;
}
