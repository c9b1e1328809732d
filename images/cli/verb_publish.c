// SPDX-License-Identifier: Apache-2.0
/* publish: into a directory, or into a cloud. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "images/cloud/cloud.h"
#include "images/images.h"
#include "images/store/store.h"
#include "images/cli/cli.h"
#include "images/cli/verb_exchange.h"
#include "lib/show/progress.h"
#include "lib/strv.h"
#include "lib/show/table.h"

enum { STALL_S = 60, STALL_MAX_S = 24 * 3600 };

#define AT(member) offsetof(struct vh_image_publish_opts, member)
const struct vh_opt vh_image_publish_opts[] = {
	{ "store", 0, VH_OPT_STR, AT(store), "DIR",
	  "The image store (default: VHPC_STORE, or images under the state directory)" },
	{ "cloud", 0, VH_OPT_STR, AT(cloud), "CLOUD",
	  "To Glance of this cloud of clouds.yaml, or envvars: that of the OS_* variables (default without DIR: OS_CLOUD, else envvars)" },
	{ "boot", 0, VH_OPT_STR, AT(boot), "WAY",
	  "In a cloud: boot it by uefi or direct (default: uefi if the image has it)" },
	{ "visibility", 0, VH_OPT_STR, AT(visibility), "WHO",
	  "In a cloud: private, shared, community or public (default: private)" },
	{ "replace", 0, VH_OPT_FLAG, AT(replace), NULL,
	  "In a cloud: remove the project's other images of that name once this one is there" },
	{ "dry-run", 0, VH_OPT_FLAG, AT(dry_run), NULL, "In a cloud: print what would be done, and change nothing" },
	{ "timeout", 0, VH_OPT_UINT, AT(timeout), "SECONDS",
	  "In a cloud: give up when nothing moved for so long (default: 60)" },
	{ .name = NULL },
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

/* From here on a signal ends the work in order, and removes what is half-made. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int print_result(const struct vh_cli *cli, json_t *rows, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "IMAGE", "image", VH_COL_TEXT }, { "ACTION", "action", VH_COL_TEXT }, { "SIZE", "size", VH_COL_SIZE },
		{ "ID", "id", VH_COL_TEXT }, { "REPLACES", "replaces", VH_COL_TEXT }, { .head = NULL },
	};
	const struct vh_image_publish_opts *o = cli->opts;

	if (cli->json || o->dry_run)
		return vh_listing(cli, "vhpc.image.publish/1", "images", cols, rows, err);
	/* The disk, which is what machines boot, is last. */
	printf("%s\n", json_string_value(json_object_get(json_array_get(rows, json_array_size(rows) - 1), "id")));
	json_decref(rows);
	return 0;
}

static bool all_there(const json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (strcmp(json_string_value(json_object_get(row, "action")), "there"))
			return false;
	return true;
}

static int to_cloud(const struct vh_cli *cli, struct vh_cloud_publish *p, struct vh_err *err)
{
	vh_autofree char *title = vh_strf("image %s", p->name);
	json_t *rows = NULL;

	catch_signals();
	p->progress = vh_progress_start(title ? title : "image", cli->quiet);
	int r = vh_image_publish_cloud(p, &rows, err);
	if (r < 0) {
		vh_progress_end(p->progress, NULL);
		return r;
	}
	vh_progress_end(p->progress, "%s: %s", p->cloud, p->dry_run ? "nothing was changed" : all_there(rows) ? "has it already" :
			"has it, byte for byte");
	return print_result(cli, rows, err);
}

static int check_visibility(const char *visibility, struct vh_err *err)
{
	static const char *const known[] = { "private", "shared", "community", "public" };

	for (size_t i = 0; i < vh_array_len(known); i++)
		if (!strcmp(visibility, known[i]))
			return 0;
	return vh_err_usage(err, "--visibility %s: is neither private nor shared nor community nor public", visibility);
}

static int cloud_opts(const struct vh_cli *cli, const char *store, struct vh_cloud_publish *p, struct vh_err *err)
{
	const struct vh_image_publish_opts *o = cli->opts;

	*p = (struct vh_cloud_publish){
		.store = store, .name = cli->argv[0], .state = cli->state, .cloud = o->cloud ? o->cloud : vh_cloud_chosen(environ),
		.boot = VH_BOOTS, .visibility = o->visibility ? o->visibility : "private", .replace = o->replace,
		.dry_run = o->dry_run, .stall_s = o->timeout ? (unsigned)o->timeout : STALL_S, .stop = &stop,
	};
	if (!p->cloud) {
		vh_err_usage(err, "where to? a directory, or a cloud");
		return vh_err_hint(err, "DIR, --cloud CLOUD, OS_CLOUD or OS_AUTH_URL");
	}
	if (o->timeout > STALL_MAX_S)
		return vh_err_usage(err, "--timeout: at most %d", STALL_MAX_S);
	if (o->boot && vh_image_find_boot(o->boot, &p->boot, err) < 0)
		return -err->num;
	return check_visibility(p->visibility, err);
}

int vh_image_publish(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_image_publish_opts *o = cli->opts;
	bool of_clouds = o->cloud || o->boot || o->visibility || o->replace || o->dry_run || o->timeout || cli->json;
	vh_autofree char *store = vh_image_store(o->store, cli->state);
	struct vh_cloud_publish p;
	int r;

	if (!store)
		return vh_err_nomem(err);
	if (cli->argc == 2 && of_clouds)
		return vh_err_usage(err, "with a directory only --store goes");
	if (cli->argc == 2)
		return vh_image_publish_to(store, cli->argv[0], cli->argv[1], err);
	r = cloud_opts(cli, store, &p, err);
	return r < 0 ? r : to_cloud(cli, &p, err);
}
