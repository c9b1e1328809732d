// SPDX-License-Identifier: Apache-2.0
/* The cluster's keys, and how ssh is told of its nodes. */
#ifndef VH_CLUSTER_SSH_H
#define VH_CLUSTER_SSH_H

#include "tools/cluster/plan/plan.h"

/* An ed25519 key without a passphrase at path, its public half at PATH.pub. */
int ssh_make_key(const char *path, const char *comment, struct vh_err *err);
/* Makes one named in dir that goes on in identities alone: *ret is its private half in base64, and only the public
 * half stays. */
int ssh_take_key(const char *dir, const char *name, const char *comment, char **ret, struct vh_err *err);
/* The public half of the key named in dir, with its newline. */
int ssh_read_public(const char *dir, const char *key, char **ret, struct vh_err *err);
int ssh_base64(const char *bytes, size_t len, char **ret, struct vh_err *err);
/* Overwrites and frees; also NULL. */
void ssh_secret_free(char **text);
/* Both leave what says it already, and *ret_changed false. known_hosts in dir, of the nodes' public host keys there. */
int ssh_make_known_hosts(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err);
/* ssh_config in dir, which is still to become the cluster's: the paths in it are of that. */
int ssh_make_config(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err);

#endif
