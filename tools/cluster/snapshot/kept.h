// SPDX-License-Identifier: Apache-2.0
/* What is kept of a snapshot beside the disks: DIR/snapshot-NAME.json, which says of which disks it is. */
#ifndef VH_CLUSTER_SNAPSHOT_KEPT_H
#define VH_CLUSTER_SNAPSHOT_KEPT_H

#include "tools/cluster/snapshot/snapshot.h"

/* With the time of now. */
int kept_save(const struct snapshot_disks *disks, const char *name, struct vh_err *err);
/* -ENOENT (no error text): there is none; -EBADMSG: it is damaged. */
int kept_load(const struct snapshot_disks *disks, const char *name, json_t **ret, struct vh_err *err);
int kept_remove(const struct snapshot_disks *disks, const char *name, struct vh_err *err);

/* Why it is not of the disks that there are, malloc'd; NULL: it is, or without memory. */
char *kept_differs(const struct snapshot_disks *disks, const json_t *kept);
/* How many nodes it is of. */
size_t kept_nodes(const json_t *kept);

#endif
