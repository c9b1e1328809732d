// SPDX-License-Identifier: Apache-2.0
/* The steps from a plan to a cluster that runs, each with its undo, and the walk over them. */
#ifndef VH_CLUSTER_STEPS_H
#define VH_CLUSTER_STEPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/show/progress.h"

struct cluster;
struct cluster_pool;
struct node;
struct snapshot_disks;
struct step_event;
struct users_diff;
struct vh_image;
struct vh_store;
struct vh_virt;

/* What a walk has at hand. */
struct context {
	const struct cluster *cluster;
	struct vh_image *const *images;	/* one a pool, NULL for one that has its files; NULL when undoing, and when all have */
	struct vh_virt *const *virts;	/* a connection a host, in the cluster's order; NULL where no daemon runs */
	const char *state;		/* the state directory */
	struct vh_store *store;		/* of it, open for writing; set by the walk */
	struct vh_progress *progress;
	int ready_ms;			/* how long a node may take until it answers */
	const struct node *only;	/* the one node that is meant, and what it needs; NULL: all */
	const bool *among;		/* the nodes that are meant, and what they need: one a node of the cluster; NULL: all */
	bool leaving;			/* undoing: what of nodes is to go that leave, and nothing else */
	uint64_t least;			/* applying: so many of the cluster's nodes have to be ready */
	char **lost;			/* why a node was not, one a node of the cluster, malloc'd; NULL: all have to be */
	const char *untold;		/* looking: what nodes are behind, "knows other nodes"; static; NULL: nothing */
	const char *untold_costs;	/* and what telling them costs; static; NULL: nothing */
	/* Is told of each step, never by two threads at once; NULL: nobody listens. */
	void (*tell)(void *arg, const struct step_event *event);
	void *tell_arg;
};

/* Whether the node is meant, which does not leave; whether some are not. */
bool context_means(const struct context *ctx, const struct node *n);
bool context_is_part(const struct context *ctx);

enum scope { ONCE_A_CLUSTER, ONCE_A_HOST, ONCE_A_NODE };

/* Where a step is done. */
struct spot {
	size_t host;			/* index in the cluster; of ONCE_A_CLUSTER 0 */
	const struct node *node;	/* NULL: not for one node */
};

/* A step's object beside what is planned of it. */
enum look_is {
	LOOK_SAME,		/* as planned */
	LOOK_OTHER,		/* there, and apply changes it */
	LOOK_MISSING,		/* apply makes it */
	LOOK_NOTHING,		/* nothing of it is there now, nor to be made */
	LOOK_LEAVING,		/* there, of a node that leaves: apply removes it */
};
struct look {
	enum look_is is;
	const char *cause;	/* of OTHER and MISSING: "is gone", "is paused"; static */
	const char *costs;	/* what bringing it to its planned state costs; static; NULL: nothing */
};

/* One small effect. */
struct step {
	const char *what;		/* the journal's name of it */
	enum scope scope;
	/* Brings the object to its planned state; *ret_changed says whether anything was done. Steps that do not need each
	 * other run at once, in threads. */
	int (*apply)(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err);
	/* Takes it away; 0 when it is not there. */
	int (*undo)(const struct context *ctx, const struct spot *at, struct vh_err *err);
	/* What of it is there; changes nothing. */
	int (*look)(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err);
	/* What it works on, as the plan prints it and the journal keeps it; malloc'd. */
	char *(*object)(const struct cluster *c, const struct spot *at);
	/* Applying or undoing it once more does no harm, whatever became of the try before: what fails by a cause that passes is
	 * tried again. */
	bool again;
	/* How long after a killed run what it asked for may still be done; undoing waits so long. 0: it dies with the run. */
	int late_ms;
};

/* Of a step that begins or has ended. */
struct step_event {
	const struct step *step;
	const struct spot *at;
	const char *object, *node;	/* node NULL: it is not for one node */
	bool undo;
	enum { STEP_BEGINS, STEP_CHANGED, STEP_SAME, STEP_FAILED } state;	/* SAME: there was nothing to do */
	double seconds;			/* since it began */
	const struct vh_err *err;	/* of FAILED */
};

/* The spots of a step: how many, and the i-th. Those of nodes that leave come last. */
size_t step_spots(const struct step *s, const struct cluster *c);
struct spot step_spot(const struct step *s, const struct cluster *c, size_t i);
/* Whether it has anything to do with that spot. */
bool step_is_at(const struct step *s, const struct cluster *c, const struct spot *at);
/* Whether undoing it leaves all that it made there: volumes that are kept. */
bool step_keeps(const struct step *s, const struct cluster *c, const struct spot *at);
/* The name of its node; NULL: it is not for one. */
const char *spot_node(const struct spot *at);
/* Whether it is for a node that is new, or that leaves. */
bool spot_is_new(const struct spot *at);
bool spot_leaves(const struct cluster *c, const struct spot *at);

/* Each defined in the file of its subject: files.c, region.c, network.c, disk.c, domain.c,
 * slurm.c, ready.c, publish.c. */
extern const struct step step_files, step_region, step_isolate, step_bridge, step_tap, step_disk, step_volume, step_data, step_served,
			 step_domain, step_start, step_vacate, step_ready, step_slurm, step_publish;

/* In the order in which the plan has them. Ends with NULL. */
extern const struct step *const cluster_steps[];

/* Every object of every step, in apply's order. */
struct sight { const struct step *step; struct spot at; struct look look; };
struct sights { struct sight *v; size_t n; };
void sights_clear(struct sights *s);
/* All of them MISSING: of a cluster that is not there yet. -ENOMEM. */
int sights_new(const struct cluster *c, struct sights *ret);
/* As they are now, those of nodes that are new MISSING; leaving: those alone that stay behind until undo takes them away, whom nobody need wait for. */
int sights_look(const struct context *ctx, bool leaving, struct sights *ret, struct vh_err *err);

/* Brings the cluster to its planned state with the journal written ahead; *ret_changed counts
 * the steps that did anything. With nodes lost (the context's) all else is done but for what needs them.
 * What a killed run left of a snapshot comes to its end first. */
int steps_apply(const struct context *ctx, struct vh_store *store, unsigned *ret_changed, struct vh_err *err);
/* Undoes all steps, backwards, whatever of them was done; or (the context's leaving) those of nodes that leave. */
int steps_undo(const struct context *ctx, struct vh_store *store, struct vh_err *err);

/* Has Slurm, where the cluster has one and it answers, queue again the jobs on nodes that leave before they were drained. */
void slurm_give_up(const struct context *ctx);
/* Has it count a node as down that has ended (why: without a quote), and queue again what ran there, rather than wait for it. */
void slurm_lose(const struct context *ctx, const struct node *n, const char *why);

/* --- life.c: of the context's nodes, all at once */

/* Shuts down those that run; at the deadline it fails, with force it cuts their power at once. Their leases go back. Exit 4
 * where one would not: others are off. */
int nodes_stop(const struct context *ctx, int deadline_ms, bool force, unsigned *ret_changed, struct vh_err *err);
/* Halts those that run, with all that they hold; exit 4 as above. */
int nodes_suspend(const struct context *ctx, unsigned *ret_changed, struct vh_err *err);
/* Refused where one is off. */
int nodes_check_on(const struct context *ctx, struct vh_err *err);
/* Refused where one is not, of all nodes, those that leave too. */
int nodes_check_off(const struct context *ctx, struct vh_err *err);

/* --- disk.c: what snapshots are of */

/* The disks of all nodes; snapshot_disks_clear frees what it holds. */
int disks_of(const struct cluster *c, struct snapshot_disks *ret, struct vh_err *err);
/* Finishes or undoes what a killed run began with a snapshot; refused where a node runs. */
int disks_settle(const struct context *ctx, struct vh_store *store, struct vh_err *err);

/* --- disk.c: a node's own disk, kept beside while another is in its place */

/* Refused where it has none. */
int disk_put_aside(const struct cluster *c, const struct node *n, struct vh_err *err);
bool disk_is_aside(const struct cluster *c, const struct node *n);
/* In the place of the one that is there by now; and removed for good. 0 also where none is beside. */
int disk_put_back(const struct cluster *c, const struct node *n, struct vh_err *err);
int disk_drop_aside(const struct cluster *c, const struct node *n, struct vh_err *err);

/* Makes STATE/clusters/NAME whole, or finds it made. images: as in the context. Refused (-ESTALE) where that
 * takes an image other than the planned one. */
int files_make(const struct cluster *c, struct vh_image *const *images, bool *ret_made, struct vh_err *err);
/* The way to its key, malloc'd; -ENODATA, refused: it is gone. */
int files_key(const struct cluster *c, char **ret, struct vh_err *err);

/* Whether all that its nodes boot is there, so that no image is asked for; those of the i-th pool alone. */
bool files_are_whole(const struct cluster *c);
bool files_have_pool(const struct cluster *c, size_t i);
/* Removes what a pool's nodes booted. */
int files_drop_pool(const struct cluster *c, const struct cluster_pool *p, struct vh_err *err);
/* Tells ssh's configuration and cluster.json where the cluster's directory is now, should its name be another. */
int files_settle(const struct cluster *c, struct vh_err *err);
/* Of a cluster that exists: refused where a VM runs on a disk that is gone, as apply would make an empty one; where
 * the VM is off, and where keys are gone, that is noted. */
int lost_check(const struct context *ctx, struct vh_err *err);

/* The users of whom the nodes are still to be told (ssh.h), by the identities that they have; users_diff_clear frees what it
 * holds. */
int identities_diff(const struct cluster *c, struct users_diff *ret, struct vh_err *err);

/* cluster.json, which mpirun-wrap reads (docs/formats/cluster.md); NULL without memory. */
json_t *publish_doc(const struct cluster *c, const char *ssh_config);

#endif
