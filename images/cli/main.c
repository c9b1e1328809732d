// SPDX-License-Identifier: Apache-2.0
/* vhpc image: the table of its verbs. */
#include "images/cli/cli.h"
#include "lib/cli.h"

static const struct vh_verb verbs[] = {
	{ "build", "RECIPE", 1, 1, "Make an image from a recipe", 0, vh_image_build_opts,
	  sizeof(struct vh_image_build_opts), vh_image_build },
	{ "lock", "RECIPE", 1, 1, "Print every package of an image with version and hash", 0, vh_image_lock_opts,
	  sizeof(struct vh_image_lock_opts), vh_image_lock },
	{ "list", "", 0, 0, "List the images of the store", VH_VERB_JSON, vh_image_store_opts,
	  sizeof(struct vh_image_store_opts), vh_image_list_verb },
	{ "show", "NAME", 1, 1, "Show what an image is made of", VH_VERB_JSON, vh_image_show_opts,
	  sizeof(struct vh_image_show_opts), vh_image_show },
	{ "verify", "NAME", 1, 1, "Boot an image and check in it what it promises", VH_VERB_JSON, vh_image_verify_opts,
	  sizeof(struct vh_image_verify_opts), vh_image_verify },
	{ "diff", "NAME OTHER", 2, 2, "Show what two images differ in", VH_VERB_JSON, vh_image_store_opts,
	  sizeof(struct vh_image_store_opts), vh_image_diff },
	{ "export", "NAME FILE", 2, 2, "Write a disk of an image to a file", 0, vh_image_export_opts,
	  sizeof(struct vh_image_export_opts), vh_image_export },
	{ "publish", "NAME [DIR]", 1, 2, "Put all of an image into a directory, with checksums, or its disk into a cloud", VH_VERB_JSON,
	  vh_image_publish_opts, sizeof(struct vh_image_publish_opts), vh_image_publish },
	{ "import", "DIR", 1, 1, "Take an image that was published into the store", 0, vh_image_store_opts,
	  sizeof(struct vh_image_store_opts), vh_image_import },
	{ "rm", "NAME", 1, 1, "Remove an image from the store", 0, vh_image_store_opts,
	  sizeof(struct vh_image_store_opts), vh_image_rm },
	{ "prune", "", 0, 0, "Keep the cache of builds within a size", VH_VERB_JSON, vh_image_prune_opts,
	  sizeof(struct vh_image_prune_opts), vh_image_prune },
	{ .name = NULL },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc image", "Build and keep images of compute nodes", verbs };
	return vh_main(&prog, argc, argv);
}
