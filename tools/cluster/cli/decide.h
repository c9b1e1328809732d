// SPDX-License-Identifier: Apache-2.0
/* What plan and apply decide alike, before anything is done. */
#ifndef VH_CLUSTER_DECIDE_H
#define VH_CLUSTER_DECIDE_H

#include "tools/cluster/compare/compare.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/volume/volume.h"

/* The session's plan: a new one, or that of what is recorded as the manifest has it now; *ret_exists says which. Refused
 * where the plan that is wanted was saved, and this is another. cli is of a verb with struct apply_opts. */
int decide_plan(const struct vh_cli *cli, const struct saved *want, struct session *s, bool *ret_exists, struct vh_err *err);
/* Of a new cluster. Names come from the cluster's alone, so a cluster of another state directory has the same. */
int decide_bridge(const struct cluster *c, struct vh_err *err);
/* Disks of volumes that an earlier cluster of the name has kept: of another size, or of a volume that this one does not
 * keep, they are refused. Of new nodes. */
int decide_volumes(const struct cluster *c, struct vh_err *err);

enum data_is {
	DATA_NEW,	/* to be packed */
	DATA_PACKED,
	DATA_CHANGED,	/* packed, and what it is of is another by now */
	DATA_LOST,	/* packed, and what it is of can be read no more */
};
/* Sets of data beside what they are of: of one that is packed as that was then. */
struct data_seen { const struct volume *volume; enum data_is is; struct source source; };
struct data { struct data_seen v[VOLUMES_MAX]; size_t n; };
void data_clear(struct data *d);
#define autodata vh_cleanup(data_clear) struct data
/* Looks at all of the cluster's. Refused where one that is to be packed cannot be. */
int data_see(const struct cluster *c, struct data *ret, struct vh_err *err);
/* That alone: what is packed already is not looked at. */
int decide_data(const struct cluster *c, struct vh_err *err);

/* Domains are other people's too: a new node's name that is taken is refused before anything is made. */
int decide_names(struct session *s, struct vh_err *err);

#endif
