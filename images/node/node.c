// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include "images/node/node.h"

/* How the recipe was written, what the store calls it, and the ways by which it is booted. */
static const struct vh_subject_key others[] = {
	{ "include", NULL, NULL },
	{ "replace", NULL, NULL },
	{ "name", NULL, NULL },
	{ "formats", NULL, NULL },
	{ NULL, NULL, NULL },
};
static const struct vh_subject no_node = { NULL, others };

/* What packages brought goes first, the recipe's files have the last word, and units may be among them. */
const struct vh_subject *const vh_subjects[] = {
	&no_node, &vh_subject_packages, &vh_subject_base, &vh_subject_archives, &vh_subject_kernel, &vh_subject_mpi,
	&vh_subject_logins, &vh_subject_limits, &vh_subject_cloud_init, &vh_subject_files, &vh_subject_units, NULL,
};

int vh_furnish(const struct vh_furnish *to, struct vh_err *err)
{
	int r = 0;

	for (const struct vh_subject *const *s = vh_subjects; r == 0 && *s; s++)
		r = (*s)->put ? (*s)->put(to, err) : 0;
	return r;
}
