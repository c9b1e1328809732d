// SPDX-License-Identifier: Apache-2.0
/* Snapshots of a cluster that is off: all disks of its nodes, those of volumes too, as they were at one moment. Each is in
 * the disks themselves, under a tag; a file in the cluster's directory says that it is whole, and of which disks. What is
 * begun stands in the journal: the next that has the nodes off or starts them finishes or undoes it (snapshots_settle). */
#ifndef VH_CLUSTER_SNAPSHOT_H
#define VH_CLUSTER_SNAPSHOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"
#include "lib/store/store.h"

/* All texts are malloc'd. */
struct snapshot_disk {
	char *node, *uuid;	/* whose; one of the same name that was made anew has another UUID */
	char *volume;		/* NULL: its root disk */
	char *path;
};
/* All disks of a cluster. */
struct snapshot_disks {
	char *cluster;		/* its name */
	char *run;		/* as which the journal knows it: "cluster/two-node" */
	char *dir;		/* its directory */
	struct snapshot_disk *v;
	size_t n;
};
/* Also of a zeroed one. */
void snapshot_disks_clear(struct snapshot_disks *disks);
#define autodisks vh_cleanup(snapshot_disks_clear) struct snapshot_disks

/* The names of those that are whole, sorted; a strv, NULL: none. */
int snapshots_names(const char *dir, char ***ret, struct vh_err *err);
/* Rows of vhpc.cluster.snapshots/1 (docs/formats/cluster-views.md), those that are half taken too. */
int snapshots_list(const struct snapshot_disks *disks, struct vh_store *store, json_t **ret, struct vh_err *err);

/* Those that follow need the cluster's lock, and its nodes off. */

/* Takes one, of all disks or of none; refused where one of that name is there. */
int snapshot_take(const struct snapshot_disks *disks, struct vh_store *store, const char *name, struct vh_err *err);
/* Whether snapshot_revert would go back to it, and to when (malloc'd, "2026-11-30T15:56:38Z"); else refused with the cause. */
int snapshot_check(const struct snapshot_disks *disks, const char *name, char **ret_created, struct vh_err *err);
/* All disks go back to it, or none; it stays. */
int snapshot_revert(const struct snapshot_disks *disks, struct vh_store *store, const char *name, struct vh_err *err);
/* Removes it; *ret_there: there was one. */
int snapshot_remove(const struct snapshot_disks *disks, struct vh_store *store, const char *name, bool *ret_there, struct vh_err *err);

/* Whether a run was killed before it had done: nodes are not to start before snapshots_settle. */
int snapshots_are_settled(const char *run, struct vh_store *store, bool *ret, struct vh_err *err);
/* Takes back what was half taken, finishes what was begun to be removed or gone back to. */
int snapshots_settle(const struct snapshot_disks *disks, struct vh_store *store, struct vh_err *err);
/* Drops all of a disk, which outlives the cluster; one that is gone, or damaged, stays as it is. */
int snapshots_strip(const char *disk, struct vh_err *err);

#endif
