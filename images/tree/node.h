// SPDX-License-Identifier: Apache-2.0
/* The nodes of a tree: making and unmaking them, and their order. */
#ifndef VH_TREE_NODE_H
#define VH_TREE_NODE_H

#include "images/tree/tree.h"

/* With the time of this build, root's. The parent owns it; NULL without memory. */
struct vh_node *vh_node_new(const char *name, mode_t mode);
struct vh_node *vh_node_add(struct vh_node *dir, const char *name, mode_t mode);
/* Takes it, and what is below it, out of its parent. */
void vh_node_drop(struct vh_node *node);
void vh_node_free(struct vh_node *node);

#endif
