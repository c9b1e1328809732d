// SPDX-License-Identifier: Apache-2.0
/* Who a node is: what its VM is told of itself at boot (docs/formats/identity.md). */
#ifndef VH_CLUSTER_STEPS_IDENTITY_H
#define VH_CLUSTER_STEPS_IDENTITY_H

#include "tools/cluster/steps/steps.h"

/* Makes each node's directory in dir: its host key's public half, and the identity, which carries the other, and
 * the key by which the nodes' user goes from node to node; no private half stays anywhere else. The cluster's own
 * key, of which nodes are told the public half, is there. */
int identities_make(const char *dir, const struct cluster *c, struct vh_err *err);

/* Its parts, for an identity that is made of another's (lines_of): the lines of all nodes, of their
 * public host keys in dir, and the node's own, of its host key's private half in base64. For ssh_secret_free. */
int identity_nodes(const char *dir, const struct cluster *c, char **ret, struct vh_err *err);
int identity_own(const char *dir, const struct cluster *c, const struct node *n, const char *hostkey, char **ret, struct vh_err *err);
/* Writes it, of those lines, for whom the node's QEMU runs as; refused where it is too large. */
int identity_write(const char *dir, const struct cluster *c, const struct node *n, const char *lines, struct vh_err *err);

/* The lines of all identities that are about users (docs/formats/identity.md), "" without users. */
int users_lines(const struct cluster *c, char **ret, struct vh_err *err);
/* And those of each user's key for the way from node to node, whose public half stays in dir/users, and the private one
 * in the lines alone. Those of known, an identity, stay (NULL: none), the others are made. *ret is for ssh_secret_free. */
int users_keys(const char *dir, const struct cluster *c, const char *known, char **ret, struct vh_err *err);

/* Its lines about Slurm, of those that slurm_make has for all: "" of nodes for data. For ssh_secret_free; NULL without memory. */
char *identity_slurm(const struct cluster *c, const struct node *n, const char *lines);

/* The lines of munge's key and Slurm's files, of the nodes that have a part in it; "" without Slurm. The key stays
 * in dir, where a cluster that has lost others finds it again. *ret as above. */
int slurm_make(const char *dir, const struct cluster *c, char **ret, struct vh_err *err);

#endif
