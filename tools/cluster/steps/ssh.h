// SPDX-License-Identifier: Apache-2.0
/* The cluster's keys, and how ssh is told of its nodes. */
#ifndef VH_CLUSTER_STEPS_SSH_H
#define VH_CLUSTER_STEPS_SSH_H

#include "tools/cluster/steps/steps.h"

/* An ed25519 key without a passphrase at path, its public half at PATH.pub. */
int ssh_make_key(const char *path, const char *comment, struct vh_err *err);
/* Both leave what says it already, and *ret_changed false. known_hosts in dir, of the nodes' public host keys there. */
int ssh_make_known_hosts(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err);
/* ssh_config in dir, which is still to become the cluster's: the paths in it are of that. */
int ssh_make_config(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err);

#endif
