// SPDX-License-Identifier: Apache-2.0
/* All disks of a cluster at once, and what each has. */
#ifndef VH_CLUSTER_SNAPSHOT_ALL_H
#define VH_CLUSTER_SNAPSHOT_ALL_H

#include "tools/cluster/snapshot/snapshot.h"

/* The tag of what the disks were before they went back, until all have. No snapshot is called so. */
extern const char tag_before[];
/* That of a snapshot; malloc'd, NULL without memory. */
char *tag_of(const char *name);
/* Whether it is one of these. */
bool tag_is_ours(const char *tag);

/* One of disk.h with each disk, whatever becomes of the others; the first error. */
int disks_do(const struct snapshot_disks *disks, int (*one)(const char *path, const char *tag, struct vh_err *err), const char *tag,
	   struct vh_err *err);

/* What each disk has, by the disks' order, or why that is not known. */
struct seen { const struct snapshot_disks *disks; struct { char **tags; struct vh_err err; } *v; };
/* Also of a zeroed one. */
void seen_clear(struct seen *s);
/* -ENOMEM. */
int disks_see(const struct snapshot_disks *disks, struct seen *ret);
/* Why one cannot be gone back to, malloc'd; "": it can; NULL without memory. */
char *why_not(const struct seen *seen, const json_t *kept, const char *name);

#endif
