// SPDX-License-Identifier: Apache-2.0
/* The cluster's keys, how ssh is told of its nodes, and how a node that runs is told anew. */
#ifndef VH_CLUSTER_SSH_H
#define VH_CLUSTER_SSH_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

/* Whom ssh reaches; all texts are somebody else's. */
struct ssh_host { const char *name, *address; };
struct ssh_hosts {
	const char *dir;		/* the cluster's directory */
	const char *user;		/* who logs in unless it is said */
	const struct ssh_host *v;
	size_t n;
};

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
int ssh_make_known_hosts(const char *dir, const struct ssh_hosts *hosts, bool *ret_changed, struct vh_err *err);
/* ssh_config in dir, which is still to become the cluster's: the paths in it are of that. */
int ssh_make_config(const char *dir, const struct ssh_hosts *hosts, bool *ret_changed, struct vh_err *err);

/* --- lines.c: the lines of an identity (docs/formats/identity.md), by whom they are of */

enum lines {
	LINES_OWN,	/* the node's own: name, address, host key, its group's volumes */
	LINES_NODES,	/* alike on all nodes, and otherwise when nodes come and go */
	LINES_KEPT,	/* alike on all nodes, for as long as there is a cluster: keys */
	LINES_USERS,	/* alike on all nodes, and otherwise when users come, change and go: they, their groups and what lets them in */
	LINES_KEYS,	/* of each user, for as long as he is one: his way from node to node */
	LINES_STAMP,	/* when it was written: no two of a node are the same */
	LINES_SLURM,	/* a node's part in Slurm, munge's key and Slurm's files: made anew of the plan, with that key */
};
/* The text's lines of that kind, in their order; malloc'd, for ssh_secret_free; NULL without memory. */
char *lines_of(const char *text, enum lines kind);
/* Whether it tells of other nodes at all: one that lost its text, or of an early release, does not. */
bool lines_tell_nodes(const char *text);

/* --- users.c */

/* Names of users, a strv each. users_diff_clear frees them, also of a zeroed one. */
struct users_diff { char **come, **change, **go; };
void users_diff_clear(struct users_diff *d);
/* Who of wanted is not in told or is otherwise there, and who of told is not in wanted; both are LINES_USERS. -ENOMEM. */
int users_diff(const char *told, const char *wanted, struct users_diff *ret);
bool users_differ(const struct users_diff *d);

/* --- tell.c */

/* In a node's directory, DIR/NODE: the identity there is another than its VM was told. */
#define UNTOLD_MARK "untold"
/* Whether the mark is there; dir: the cluster's. */
bool node_is_untold(const char *dir, const char *node);
/* Gives a node that is marked its identity over ssh, which applies it as at boot but restarts nothing but Slurm's daemon for
 * jobs, and takes the mark away. *ret_told: whether it was marked. */
int node_tell(const char *dir, const char *node, bool *ret_told, struct vh_err *err);
/* The same whether it is marked or not; no mark goes. */
int node_tell_again(const char *dir, const char *node, struct vh_err *err);

#endif
