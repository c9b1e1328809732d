// SPDX-License-Identifier: Apache-2.0
/* A cluster's keys and identities: lost and made anew, or behind the nodes that there are by now. */
#ifndef VH_CLUSTER_STEPS_KEYS_H
#define VH_CLUSTER_STEPS_KEYS_H

#include "tools/cluster/steps/steps.h"

/* In a node's directory: its VM has another identity than the files there, and is to be restarted. */
#define RESTART_MARK "restart"

/* Whether the cluster's key is not there, or no identity of which a lost one could be made. */
bool keys_are_lost(const struct cluster *c);
/* Whether the node's host key or identity is not there, so that it cannot be logged in to. */
bool keys_lack(const struct cluster *c, const struct node *n);
/* New ones for the whole cluster, and its nodes marked to be restarted. */
int keys_renew(const struct cluster *c, struct vh_err *err);

/* Whether all nodes have an identity, and those that run were told of all nodes and users. */
bool identities_tell_all(const struct cluster *c);
/* Makes one for nodes that lack theirs, which are marked to be restarted, and has those of the others tell of all nodes and
 * users; they are marked to be told (node_tell). */
int identities_mend(const struct cluster *c, bool *ret_changed, struct vh_err *err);

#endif
