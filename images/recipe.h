// SPDX-License-Identifier: Apache-2.0
/* What an image is made of, as its recipe (YAML, docs/formats/recipe.md) says it. */
#ifndef VH_RECIPE_H
#define VH_RECIPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/doc.h"
#include "lib/err.h"
#include "lib/sysroot.h"

enum vh_suite { VH_SUITE_HOST, VH_SUITE_BOOKWORM, VH_SUITE_TRIXIE };
enum vh_mpi { VH_MPI_NONE, VH_MPI_OPENMPI, VH_MPI_MPICH };

struct vh_recipe {
	char *name;
	int suite;		/* enum vh_suite; never VH_SUITE_HOST once loaded */
	char *kernel;		/* package */
	int mpi;		/* enum vh_mpi */
	char **packages;
	char **without;		/* packages left out although others depend on them */
	char **exclude;		/* paths that packages must not install */
	uint64_t size;
	char *user;
	char **sysctl;		/* "name=value" */
	char **limits;		/* "name=value" */
	char **mask;		/* unit names */
	char **blacklist;	/* kernel modules */
	char **cmdline;
	char **formats;		/* beyond the direct-boot set: "uefi", "squashfs" */
	bool cloud_init;	/* has the seeds, instead of our own program */
	bool console_login;
};

extern const struct vh_key vh_recipe_keys[];

/* host is asked for its own suite where the recipe names none. */
int vh_recipe_load(const char *path, const struct vh_root *host, struct vh_recipe *ret,
		   struct vh_err *err);
/* The same from memory; name stands for the file in errors. */
int vh_recipe_parse(const char *name, const char *text, size_t len, const struct vh_root *host,
		    struct vh_recipe *ret, struct vh_err *err);
void vh_recipe_clear(struct vh_recipe *r);
#define vh_autorecipe vh_cleanup(vh_recipe_clear) struct vh_recipe

const char *vh_suite_name(int suite);		/* "bookworm" */
const char *vh_mpi_name(int mpi);		/* "openmpi" */
const char *vh_mpi_package(int mpi);		/* the package whose version is the MPI's; NULL for none */

/* All that the recipe says, defaults filled in; NULL without memory. */
json_t *vh_recipe_json(const struct vh_recipe *r);

/* Whether the recipe's formats have this one. */
bool vh_recipe_format(const struct vh_recipe *r, const char *format);

/* Paths that are left out of every image, unless VH_KEEP matches them too. */
#define VH_EXCLUDE "/usr/share/doc/*"
#define VH_KEEP "/usr/share/doc/*/copyright"

/* Every package to install: those of the recipe, of its kernel and MPI, and those that
 * any image needs; sorted, without doubles. NULL without memory. */
char **vh_recipe_packages(const struct vh_recipe *r);

#endif
