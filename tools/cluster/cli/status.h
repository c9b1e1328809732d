// SPDX-License-Identifier: Apache-2.0
/* A cluster as it is, for people and as JSON (docs/formats/cluster-views.md). */
#ifndef VH_CLUSTER_STATUS_H
#define VH_CLUSTER_STATUS_H

#include <jansson.h>
#include <stdio.h>

#include "lib/cli.h"

struct manifest;

struct status {
	json_t *nodes, *findings;
	json_t *snapshots;	/* names of those that are whole */
	bool up;		/* all is as planned */
};
void status_clear(struct status *s);
#define autostatus vh_cleanup(status_clear) struct status

/* Looks at all of it, by libvirt and over ssh; refused where there is no such cluster. given: a manifest to compare it with,
 * or NULL. */
int status_look(const struct vh_cli *cli, const char *name, const struct manifest *given, struct status *ret, struct vh_err *err);
void status_print(FILE *f, const struct status *s);

#endif
