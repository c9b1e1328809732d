// SPDX-License-Identifier: Apache-2.0
/* list, show and rm: images as they lie in the store. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "images/images.h"
#include "images/store/store.h"
#include "images/cli/cli.h"
#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/values.h"

const struct vh_opt vh_image_store_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct vh_image_store_opts, store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ .name = NULL },
};

const struct vh_opt vh_image_show_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct vh_image_show_opts, store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ "sbom", 0, VH_OPT_FLAG, offsetof(struct vh_image_show_opts, sbom), NULL,
	  "Print the list of packages as SPDX JSON" },
	{ .name = NULL },
};

static char *store_of(const struct vh_cli *cli)
{
	const struct vh_image_store_opts *o = cli->opts;
	return vh_image_store(o->store, cli->state);
}

int vh_image_list_verb(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "NAME", "name", VH_COL_TEXT }, { "SUITE", "suite", VH_COL_TEXT },
		{ "KERNEL", "kernel", VH_COL_TEXT }, { "MPI", "mpi", VH_COL_TEXT },
		{ "SIZE", "size", VH_COL_SIZE }, { "BUILT", "built", VH_COL_TEXT },
		{ .head = NULL },
	};
	vh_autofree char *store = store_of(cli);
	json_t *rows;

	if (!store)
		return vh_err_nomem(err);
	int r = vh_image_list(store, &rows, err);
	return r < 0 ? r : vh_listing(cli, "vhpc.image.list/1", "images", cols, rows, err);
}

static const char *text(const json_t *doc, const char *object, const char *key)
{
	const json_t *o = object ? json_object_get(doc, object) : doc;
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "-";
}

static int larger(const void *a, const void *b)
{
	json_int_t x = json_integer_value(json_object_get(*(json_t *const *)a, "size"));
	json_int_t y = json_integer_value(json_object_get(*(json_t *const *)b, "size"));
	return x != y ? (x < y ? 1 : -1) : strcmp(text(*(json_t *const *)a, NULL, "name"), text(*(json_t *const *)b, NULL, "name"));
}

/* The largest first. */
static json_t *by_size(const json_t *packages)
{
	size_t n = json_array_size(packages), i;
	vh_autofree json_t **v = calloc(n + 1, sizeof *v);
	json_t *p, *sorted = json_array();

	if (!v)
		return sorted;
	json_array_foreach(packages, i, p)
		v[i] = p;
	if (n)
		qsort(v, n, sizeof *v, larger);
	for (i = 0; i < n; i++)
		json_array_append(sorted, v[i]);
	return sorted;
}

static void print(const struct vh_image *image, const json_t *doc, const char *built)
{
	vh_autojson packages = by_size(json_object_get(doc, "packages"));
	const json_t *p;
	char size[16];
	size_t i;

	printf("name     %s\nsuite    %s\nkernel   %s\nmpi      %s %s\nroot     %s, %s\ncmdline  %s\n"
	       "user     %s\nbuilt    %s\ndigest   %s\npackages %zu\n", image->name, image->suite,
	       image->kernel_version, image->mpi, image->mpi_version, image->root,
	       vh_size_format(size, sizeof size, image->root_size), image->cmdline[VH_BOOT_DIRECT], image->user,
	       built, image->digest, json_array_size(packages));
	json_array_foreach(packages, i, p)
		printf("  %9s  %s %s\n", vh_size_format(size, sizeof size,
		       (uint64_t)json_integer_value(json_object_get(p, "size"))), text(p, NULL, "name"),
		       text(p, NULL, "version"));
}

int vh_image_show(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_show_opts *o = cli->opts;
	vh_autofree char *store = vh_image_store(o->store, cli->state), *sbom = NULL;
	vh_cleanup(vh_image_freep) struct vh_image *image = NULL;
	vh_autojson doc = NULL;
	vh_autojson spdx = NULL;
	char built[32] = "";
	int r;

	if (!store)
		return vh_err_nomem(err);
	if ((r = vh_image_find(store, cli->argv[0], &image, err)) < 0)
		return r;
	if ((r = vh_image_json(store, cli->argv[0], &doc, err)) < 0)
		return r == -ENOENT ? vh_err_set(err, ENOENT, "image %s: just removed", cli->argv[0]) : r;
	if (o->sbom) {
		spdx = vh_sbom_spdx(doc);
		sbom = spdx ? json_dumps(spdx, JSON_INDENT(1)) : NULL;
		return sbom ? (puts(sbom), 0) : vh_err_nomem(err);
	}
	if (cli->json)
		return vh_json_print(VH_IMAGE_SCHEMA, vh_steal(&doc), err);
	vh_image_built(store, cli->argv[0], built, sizeof built);
	print(image, doc, built);
	return 0;
}

int vh_image_rm(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *store = store_of(cli);
	if (!store)
		return vh_err_nomem(err);
	return vh_image_remove(store, cli->argv[0], err);
}
