// SPDX-License-Identifier: Apache-2.0
/* The way to a cluster's nodes, for verbs that only go there. */
#ifndef VH_CLUSTER_VERB_SSH_H
#define VH_CLUSTER_VERB_SSH_H

#include <stdbool.h>

#include "lib/cli.h"

struct way {
	char *cluster;		/* its name */
	char *config;		/* ssh's, with key and known hosts */
	char *user;		/* whom it knows by that key */
	char **nodes;		/* their names, a strv */
	size_t head;		/* the one of that role, else the first */
};
void way_clear(struct way *w);
#define autoway vh_cleanup(way_clear) struct way

/* To the nodes of a cluster that is applied, by a manifest or its name, as user, or as the cluster's where that is
 * NULL. Refused where there is none, or its key is gone. */
int way_find(const struct vh_cli *cli, const char *file_or_name, const char *user, struct way *ret, struct vh_err *err);
/* Whether that word names the i-th node: "2", or its whole name. */
bool way_is(const struct way *w, size_t i, const char *word);

#endif
