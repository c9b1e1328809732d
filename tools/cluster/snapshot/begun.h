// SPDX-License-Identifier: Apache-2.0
/* What was begun with a snapshot, in the journal, and how that comes to its end. */
#ifndef VH_CLUSTER_SNAPSHOT_BEGUN_H
#define VH_CLUSTER_SNAPSHOT_BEGUN_H

#include "tools/cluster/snapshot/snapshot.h"

enum deed { TAKE, REMOVE, REVERT };
/* Of a run that was killed, for people; static. */
const char *deed_half(enum deed deed);
int deed_begin(enum deed deed, const struct snapshot_disks *disks, struct vh_store *store, const char *name, int64_t *ret, struct vh_err *err);
/* Calls one with each that is begun; below 0 ends it. */
int deeds_each(const char *run, struct vh_store *store, int (*one)(void *arg, const struct vh_step *row, enum deed deed, struct vh_err *err),
	       void *arg, struct vh_err *err);

/* Nothing of it is left, whatever is there of it. */
int finish_remove(const struct snapshot_disks *disks, const char *name, struct vh_err *err);

#endif
