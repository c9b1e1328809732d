// SPDX-License-Identifier: Apache-2.0
/* export, import and diff. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "images/store/store.h"
#include "images/images.h"
#include "images/cli/cli.h"
#include "images/cli/verb_exchange.h"
#include "lib/json.h"
#include "lib/show/table.h"

const struct vh_opt vh_image_export_opts[] = {
	{ "store", 0, VH_OPT_STR, offsetof(struct vh_image_export_opts, store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ "format", 0, VH_OPT_STR, offsetof(struct vh_image_export_opts, format), "FORMAT",
	  "qcow2 (compressed with zstd) or raw (default: qcow2)" },
	{ "boot", 0, VH_OPT_STR, offsetof(struct vh_image_export_opts, boot), "WAY",
	  "The disk to boot by this way: direct, uefi or squashfs (default: direct)" },
	{ .name = NULL },
};

static char *store_of(const struct vh_cli *cli)
{
	const struct vh_image_store_opts *o = cli->opts;
	return vh_image_store(o->store, cli->state);
}

int vh_image_find_boot(const char *name, enum vh_boot *ret, struct vh_err *err)
{
	for (int b = 0; vh_boot_names[b]; b++)
		if (!strcmp(name, vh_boot_names[b])) {
			*ret = (enum vh_boot)b;
			return 0;
		}
	return vh_err_usage(err, "--boot %s: is neither direct nor uefi nor squashfs", name);
}

int vh_image_export(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_export_opts *o = cli->opts;
	const char *format = o->format ? o->format : "qcow2";
	vh_autofree char *store = vh_image_store(o->store, cli->state);

	enum vh_boot boot = VH_BOOT_DIRECT;
	if (o->boot && vh_image_find_boot(o->boot, &boot, err) < 0)
		return -err->num;
	if (strcmp(format, "qcow2") && strcmp(format, "raw"))
		return vh_err_usage(err, "--format %s: is neither qcow2 nor raw", format);
	return store ? vh_image_export_disk(store, cli->argv[0], boot, format, cli->argv[1], err) : vh_err_nomem(err);
}

int vh_image_import(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *store = store_of(cli), *name = NULL;
	int r = store ? vh_image_import_from(store, cli->argv[0], &name, err) : vh_err_nomem(err);

	if (r == 0)
		printf("%s\n", name);
	return r;
}

int vh_image_diff(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "WHAT", "what", VH_COL_TEXT }, { "NAME", "name", VH_COL_TEXT },
		{ "FIRST", "first", VH_COL_TEXT }, { "SECOND", "second", VH_COL_TEXT }, { .head = NULL },
	};
	vh_autofree char *store = store_of(cli);
	vh_cleanup(vh_image_freep) struct vh_image *a = NULL, *b = NULL;
	vh_autojson first = NULL;
	vh_autojson second = NULL;
	int r;

	if (!store)
		return vh_err_nomem(err);
	if ((r = vh_image_find(store, cli->argv[0], &a, err)) < 0 ||
	    (r = vh_image_find(store, cli->argv[1], &b, err)) < 0 ||
	    (r = vh_image_json(store, cli->argv[0], &first, err)) < 0 ||
	    (r = vh_image_json(store, cli->argv[1], &second, err)) < 0)
		return r;
	json_t *rows = vh_image_differences(first, second);
	if (!rows)
		return vh_err_nomem(err);
	if (!cli->json && json_array_size(rows) == 0) {
		printf("no difference\n");
		json_decref(rows);
		return 0;
	}
	return vh_listing(cli, "vhpc.image.diff/1", "differences", cols, rows, err);
}
