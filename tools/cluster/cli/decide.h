// SPDX-License-Identifier: Apache-2.0
/* What plan and apply decide alike, before anything is done. */
#ifndef VH_CLUSTER_DECIDE_H
#define VH_CLUSTER_DECIDE_H

#include "tools/cluster/compare/compare.h"
#include "tools/cluster/cli/session.h"

/* The session's plan: a new one, or that of what is recorded as the manifest has it now; *ret_exists says which. Refused
 * where the plan that is wanted was saved, and this is another. cli is of a verb with struct apply_opts. */
int decide_plan(const struct vh_cli *cli, const struct saved *want, struct session *s, bool *ret_exists, struct vh_err *err);
/* Of a new cluster. Names come from the cluster's alone, so a cluster of another state directory has the same. */
int decide_bridge(const struct cluster *c, struct vh_err *err);
/* Disks of volumes that an earlier cluster of the name has kept: of another size, or of a volume that this one does not
 * keep, they are refused. Of new nodes. */
int decide_volumes(const struct cluster *c, struct vh_err *err);

/* Of sets of data: refused where one that is to be packed cannot be, or is another than a saved plan was made of. */
int decide_data(const struct cluster *c, const struct saved *want, struct vh_err *err);

/* Domains are other people's too: a new node's name that is taken is refused before anything is made. */
int decide_names(struct session *s, struct vh_err *err);
/* A daemon that can be given no file system serves none to nodes. */
int decide_daemon(struct session *s, struct vh_err *err);

#endif
