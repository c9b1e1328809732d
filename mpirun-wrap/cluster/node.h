// SPDX-License-Identifier: Apache-2.0
/* One of cluster.json's nodes. */
#ifndef VH_MPIRUN_NODE_H
#define VH_MPIRUN_NODE_H

#include <jansson.h>
#include "mpirun-wrap/cluster/cluster.h"

/* Reads it; hosts of the cluster grow by its host. */
int vh_mpi_node_parse(const json_t *j, struct vh_mpi_cluster *c, struct vh_mpi_node *node, struct vh_err *err);
/* Frees what is in it. */
void vh_mpi_node_clear(struct vh_mpi_node *node);

#endif
