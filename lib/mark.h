// SPDX-License-Identifier: Apache-2.0
/* Where in a file of a node's image the image's part ends and the node's own begins. */
#ifndef VH_MARK_H
#define VH_MARK_H

/* A line of its own. mpirun-wrap/launch/defaults.c writes it at boot; what verifies the image stops there. */
#define VH_NODE_MARK "# What follows is this node's cluster's, written at boot."

#endif
