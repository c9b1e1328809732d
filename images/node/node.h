// SPDX-License-Identifier: Apache-2.0
/* What a tree of Debian packages lacks to be the node that a recipe wants, and how a running one is asked whether
 * it is that: a subject a file. A key of the recipe stands in the file of its subject. */
#ifndef VH_NODE_H
#define VH_NODE_H

#include <sha256.h>
#include <stdio.h>
#include "images/node/judge.h"
#include "images/node/mpi.h"
#include "images/recipe/recipe.h"
#include "images/tree/tree.h"
#include "lib/err.h"

struct vh_furnish {
	struct vh_tree *tree;		/* of installed packages */
	const struct vh_recipe *recipe;
	const char *guest;		/* directory of the static programs */
	const char *sources;		/* apt's sources.list */
};

/* ask writes lines of a shell script that says "@WHAT VALUE"; NULL: what is said of every machine tells it.
 * judge adds the rows; NULL: nothing of the key is left in a machine. Both take the key's value, which may be NULL. */
struct vh_subject_key {
	const char *name;
	void (*ask)(FILE *f, const json_t *value);
	int (*judge)(const struct vh_judge *j, const char *key, const json_t *value);
};

struct vh_subject {
	int (*put)(const struct vh_furnish *to, struct vh_err *err);	/* NULL: nothing */
	const struct vh_subject_key *keys;	/* up to one without a name */
};
extern const struct vh_subject vh_subject_archives, vh_subject_base, vh_subject_cloud_init, vh_subject_files,
	vh_subject_kernel, vh_subject_limits, vh_subject_logins, vh_subject_mpi, vh_subject_packages, vh_subject_units;
/* In the order in which they are put and asked; ends in NULL. Every key of a recipe is of one of them. */
extern const struct vh_subject *const vh_subjects[];

/* The static programs that every image has in /usr/lib/vhpc; ends in NULL. */
extern const char *const vh_guest_programs[];

/* Puts all subjects. */
int vh_furnish(const struct vh_furnish *to, struct vh_err *err);
/* Adds every fixed text of the base to a digest. */
void vh_furnish_digest(SHA256_CTX *s);

#endif
