// SPDX-License-Identifier: Apache-2.0
/* Nodes as Slurm's files name them: in lists of brackets. */
#ifndef VH_CLUSTER_SLURM_NODES_H
#define VH_CLUSTER_SLURM_NODES_H

#include <stdio.h>

#include "tools/cluster/slurm/slurm.h"

enum { EVERY_HOST = -1 };

/* Prints HEAD LIST TAIL and a newline of those on the host of that number; nothing where there are none. 0, 1 where
 * there were some, or -ENOMEM. */
int put_nodes(FILE *f, const struct slurm *s, long host, const char *head, const char *tail);

/* Prints a line "NodeName=LIST TEXT" for those that follow each other with the same text, which is malloc'd, and ""
 * where there is nothing to say. -ENOMEM. */
int put_runs(FILE *f, const struct slurm *s, char *(*of)(const struct slurm_node *n));

/* What put prints as a text of its own, malloc'd; NULL without memory. */
char *text_of(int (*put)(FILE *f, const struct slurm *s), const struct slurm *s);

#endif
