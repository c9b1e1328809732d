// SPDX-License-Identifier: Apache-2.0
/* What an image is made of, as its recipe (YAML, docs/formats/recipe.md) says it. */
#ifndef VH_RECIPE_H
#define VH_RECIPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/doc/doc.h"
#include "lib/err.h"
#include "lib/sysroot.h"

enum vh_suite { VH_SUITE_HOST, VH_SUITE_BOOKWORM, VH_SUITE_TRIXIE, VH_SUITE_JAMMY, VH_SUITE_NOBLE };
enum vh_mpi { VH_MPI_NONE, VH_MPI_OPENMPI, VH_MPI_MPICH };
enum vh_mitigations { VH_MITIGATIONS_AUTO, VH_MITIGATIONS_OFF };

struct vh_recipe_repository {
	char *name, *url, *suite;
	char **components;
	char *key;		/* file, as written */
	char *key_data;		/* what stands in it */
	size_t key_len;
};

struct vh_recipe_file {
	char *path, *content, *source, *mode, *owner;
	char *data;		/* either's bytes */
	size_t len;
};

struct vh_recipe_user {
	char *name;
	uint64_t uid;
	char *shell;
	char **groups, **keys;
};

struct vh_recipe {
	char **include;		/* done with once loaded */
	char **replace;
	char *name;
	int suite;		/* enum vh_suite; never VH_SUITE_HOST once loaded */
	char *mirror;		/* URL; NULL: the distribution's own */
	char *mirror_key;	/* file, as written */
	char *mirror_key_data;	/* what stands in it; NULL: the distribution's key */
	size_t mirror_key_len;
	char **components;
	struct vh_doc_list repositories;	/* struct vh_recipe_repository */
	char *kernel;		/* package, once loaded */
	int mpi;		/* enum vh_mpi */
	bool rdma, ucx;
	char **packages;
	char **backports;	/* packages taken from the suite's backports */
	char **without;		/* packages left out although others depend on them */
	char **exclude;		/* paths that packages must not install */
	uint64_t size;
	char *user;
	struct vh_doc_list users;	/* struct vh_recipe_user */
	struct vh_doc_list files;	/* struct vh_recipe_file */
	char **enable, **mask;	/* unit names */
	char **modules;		/* kernel modules loaded at boot */
	char **blacklist;	/* kernel modules that are not */
	char **sysctl;		/* "name=value" */
	char **sysfs;		/* "path below /sys=value" */
	char **limits;		/* "name=value" */
	int mitigations;	/* enum vh_mitigations */
	char **cmdline;
	char **formats;		/* beyond the direct-boot set: "uefi", "squashfs" */
	bool cloud_init;	/* has the seeds, instead of our own program */
	bool console_login;
};

extern const struct vh_key vh_recipe_keys[];

/* With what it includes: paths below its directory, and plain names from the directory of shipped
 * recipes. host is asked for its own suite where the recipe names none. */
int vh_recipe_load(const char *path, const char *shipped, const struct vh_root *host,
		   struct vh_recipe *ret, struct vh_err *err);
/* The same from memory, where nothing can be included; name stands for the file in errors. */
int vh_recipe_parse(const char *name, const char *text, size_t len, const struct vh_root *host,
		    struct vh_recipe *ret, struct vh_err *err);
void vh_recipe_clear(struct vh_recipe *r);
/* Empties what one key of the table holds. */
void vh_recipe_empty(struct vh_recipe *r, const struct vh_key *key);
#define vh_autorecipe vh_cleanup(vh_recipe_clear) struct vh_recipe

/* Of enum vh_suite and enum vh_mpi; not to be freed. */
const char *vh_suite_name(int suite);		/* "bookworm" */
bool vh_suite_is_ubuntu(int suite);
const char *vh_mpi_name(int mpi);		/* "openmpi" */
const char *vh_mpi_package(int mpi);		/* the package whose version is the MPI's; NULL for none */

/* All that decides an image, defaults filled in, of files and keys the hashes; NULL without memory. */
json_t *vh_recipe_json(const struct vh_recipe *r);

/* Whether the recipe's formats have this one. */
bool vh_recipe_format(const struct vh_recipe *r, const char *format);

/* Paths that are left out of every image, unless VH_KEEP matches them too. */
#define VH_EXCLUDE "/usr/share/doc/*"
#define VH_KEEP "/usr/share/doc/*/copyright"

/* What a yes to that key installs, up to a NULL; NULL: nothing. */
const char *const *vh_recipe_set(const char *key);
/* Every package to install: those of the recipe, of its kernel and MPI, and those that
 * any image needs; sorted, without doubles. NULL without memory. */
char **vh_recipe_packages(const struct vh_recipe *r);
/* Those, as apt is asked for them ("NAME/SUITE-backports"). */
char **vh_recipe_requests(const struct vh_recipe *r);

#endif
