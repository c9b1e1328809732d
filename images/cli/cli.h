// SPDX-License-Identifier: Apache-2.0
/* The verbs of vhpc image, one a file. */
#ifndef VH_IMAGES_CLI_H
#define VH_IMAGES_CLI_H

#include "images/recipe/recipe.h"
#include "lib/cli.h"
#include "lib/sysroot.h"

struct vh_image_store_opts { const char *store; };
extern const struct vh_opt vh_image_store_opts[];

struct vh_image_build_opts { const char *store, *log, *lock; bool again; };
extern const struct vh_opt vh_image_build_opts[];

struct vh_image_export_opts { const char *store, *format, *boot; };
extern const struct vh_opt vh_image_export_opts[];

struct vh_image_publish_opts {
	const char *store, *cloud, *boot, *visibility;
	bool replace, dry_run;
	uint64_t timeout;
};
extern const struct vh_opt vh_image_publish_opts[];

struct vh_image_verify_opts { const char *store, *boot; };
extern const struct vh_opt vh_image_verify_opts[];

struct vh_image_show_opts { const char *store; bool sbom; };
extern const struct vh_opt vh_image_show_opts[];

struct vh_image_lock_opts { bool again; };
extern const struct vh_opt vh_image_lock_opts[];

struct vh_image_prune_opts { const char *size; };
extern const struct vh_opt vh_image_prune_opts[];

/* A recipe by its path, laid over the shipped ones that it includes. */
int vh_image_recipe(const char *path, const struct vh_root *root, struct vh_recipe *ret, struct vh_err *err);

/* Refused unless images can be built here. */
int vh_image_check_host(const struct vh_root *root, struct vh_err *err);

/* The verbs, in files verb_*.c; see lib/cli.h. */
int vh_image_build(struct vh_cli *cli, struct vh_err *err);
int vh_image_lock(struct vh_cli *cli, struct vh_err *err);
int vh_image_prune(struct vh_cli *cli, struct vh_err *err);
int vh_image_export(struct vh_cli *cli, struct vh_err *err);
int vh_image_publish(struct vh_cli *cli, struct vh_err *err);
int vh_image_import(struct vh_cli *cli, struct vh_err *err);
int vh_image_diff(struct vh_cli *cli, struct vh_err *err);
int vh_image_list_verb(struct vh_cli *cli, struct vh_err *err);
int vh_image_show(struct vh_cli *cli, struct vh_err *err);
int vh_image_verify(struct vh_cli *cli, struct vh_err *err);
int vh_image_rm(struct vh_cli *cli, struct vh_err *err);

#endif
