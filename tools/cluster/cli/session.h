// SPDX-License-Identifier: Apache-2.0
/* What the verbs of vhpc cluster share: the cluster that they work on, opened. */
#ifndef VH_CLUSTER_SESSION_H
#define VH_CLUSTER_SESSION_H

#include "lib/cli.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/roll/roll.h"
#include "tools/cluster/steps/steps.h"

struct manifest;
struct pool;

struct session {
	struct cluster cluster;
	struct manifest *was;	/* what a cluster that exists was until now; NULL without one */
	bool changes;		/* of one that exists: its plan is another than the record's */
	struct vh_store *store;
	struct vh_virt *virt;
	struct vh_image **images;	/* one a pool; NULL: not looked for */
	size_t n_images;
	struct vh_progress *progress;
	int lock;
};
void session_clear(struct session *s);
#define autosession vh_cleanup(session_clear) struct session
void session_forget_was(struct session *s);

/* The cluster's lock, for whoever changes it. */
int session_lock(const struct vh_cli *cli, const char *name, int *ret_fd, struct vh_err *err);
/* Whether that word names the node: "2", or its whole name. */
bool node_is(const struct cluster *c, const struct node *n, const char *word);
/* The node that is meant, or refused. */
int session_node(const struct session *s, const char *word, const struct node **ret, struct vh_err *err);
/* For verbs that look: store and plan of a cluster that is applied, or refused. */
int session_load(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err);
/* The plan of a cluster that is applied, or refused. */
int session_record(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err);
/* The same, with libvirt where it runs: none is started that has nothing. */
int session_look(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err);
/* For verbs that change: rights, the cluster's lock, the store for writing, progress. */
int session_open(const struct vh_cli *cli, const char *name, struct session *s, struct vh_err *err);
/* Finds the image of the next pool (store: as --store has it, or NULL); p NULL: that one needs none. Forgets those of
 * all. A cluster that exists keeps what it was made with. */
int session_image(const struct vh_cli *cli, const char *store, const struct pool *p, struct session *s, struct vh_err *err);
void session_forget_images(struct session *s);
/* ready_s 0: the default. */
struct context session_context(const struct vh_cli *cli, const struct session *s, uint64_t ready_s);
/* Has vhpc cluster watch know whether the context's nodes are to run. */
int session_want(const struct context *ctx, bool running, struct vh_err *err);
/* Before a cluster that is there is changed or brought up: a run that was killed while it replaced nodes may have left some half
 * done, which go back, or are done. Opens libvirt where there are some. */
int session_settle(const struct vh_cli *cli, struct session *s, struct vh_err *err);
/* Before disks are made anew: refused where there are snapshots, which would lack these. */
int session_check_snapshots(const struct session *s, struct vh_err *err);
/* After the other nodes were brought up: makes those that are behind what their pools are, one after the other, and tells the others; what fails
 * goes back, and stops it. *changed grows by what was done. */
int session_change(const struct context *ctx, struct session *s, roll_tell *tell, void *arg, unsigned *changed, struct vh_err *err);
/* After all were brought up: what such a run asked of their Slurm is taken back. */
int session_release(const struct context *ctx, struct session *s, struct vh_err *err);
/* Removes the nodes that leave, then gives back their leases and forgets them. The context is the session's. */
int session_leave(const struct context *ctx, struct session *s, struct vh_err *err);
/* A node's domain holds what its lease says while it runs: else that goes back now. What floats makes room. */
int session_hold(const struct context *ctx, const struct node *n, struct vh_err *err);
/* Undoes every step, then gives back the leases and forgets the cluster. */
int session_undo(const struct context *ctx, struct vh_store *store, struct vh_err *err);

#endif
