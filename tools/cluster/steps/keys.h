// SPDX-License-Identifier: Apache-2.0
/* A cluster's keys and identities: lost, and made anew. */
#ifndef VH_CLUSTER_STEPS_KEYS_H
#define VH_CLUSTER_STEPS_KEYS_H

#include "tools/cluster/steps/steps.h"

/* In a node's directory: its VM has another identity than the files there, and is to be restarted. */
#define RESTART_MARK "restart"

/* Whether a key or an identity is not there, so that some node cannot be logged in to. */
bool keys_are_lost(const struct cluster *c);
/* New ones for the whole cluster, and its nodes marked to be restarted. */
int keys_renew(const struct cluster *c, struct vh_err *err);

#endif
