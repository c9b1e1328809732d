// SPDX-License-Identifier: Apache-2.0
/* The files of a node, below STATE/clusters/NAME. */
#ifndef VH_CLUSTER_STEPS_FILES_H
#define VH_CLUSTER_STEPS_FILES_H

#include "tools/cluster/steps/steps.h"

struct cluster_pool;

/* The path of a file in the node's own directory; malloc'd, NULL without memory. */
char *node_file(const struct cluster *c, const struct node *n, const char *file);
/* The path in dir (the cluster's, or one still being made) of what the pool's nodes boot: "kernel", "initrd";
 * and of what their disks are overlays of; malloc'd, NULL without memory. */
char *files_of_pool(const struct cluster_pool *p, const char *dir, const char *file);
char *files_base_disk(const struct cluster_pool *p, const char *dir);

/* cluster.json, where it stands, as it is to be now. */
int publish_settle(const struct cluster *c, struct vh_err *err);

#endif
