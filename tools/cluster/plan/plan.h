// SPDX-License-Identifier: Apache-2.0
/* Everything that apply does, decided before anything is done; and its record in the store. */
#ifndef VH_CLUSTER_PLAN_H
#define VH_CLUSTER_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/cidr.h"
#include "lib/doc/doc.h"
#include "lib/store/store.h"

struct cluster_pool;
struct manifest;
struct slurm;
struct vh_domain_lease;
struct vh_findings;
struct vh_hosts_query;
struct vh_image;
struct vh_layout;
struct volume;

/* A ROM of it needs no store of variables. */
#define UEFI_FIRMWARE "/usr/share/ovmf/OVMF.fd"

struct host {
	char *name;		/* NULL: this one, the only one yet */
};

struct nic {
	char *address, *mac;	/* in the guest */
	char *tap;		/* on the host */
};

struct node {
	char *name;
	char *domain;		/* NULL: its domain was made for it, and has its name; else it was imported, and this is its name */
	char *uuid;		/* made with the record; NULL before */
	size_t pool, host;	/* index in the cluster */
	size_t slot;		/* its number among the cluster's addresses, MACs and taps, from 0: it keeps it */
	bool is_new;		/* planned just now, in no record yet */
	bool is_unproven;	/* that, or known to have failed since it was planned: it holds nothing of anybody's */
	size_t former;		/* 0: it was made of what its pool is; n: of what that was, the cluster's formers[n - 1] */
	size_t was;		/* that of it before, while it is being replaced; else the same */
	struct nic *nics;	/* the first is that of MPI and ssh */
	size_t n_nics;
	struct vh_layout *layout;	/* what it has of the host */
	struct vh_layout *other;	/* what it is to have instead, and while it is being replaced what it had; NULL: it keeps it */
};

enum cluster_accel { CLUSTER_TCG, CLUSTER_KVM };
extern const char *const cluster_accel_names[];

struct cluster {
	char *name, *owner;	/* "two-node", "cluster/two-node" */
	char *dir;		/* STATE/clusters/NAME; not stored */
	char *volumes_dir;	/* STATE/volumes/NAME, a directory a node with the disks of its volumes, and the disks of data; not stored */
	struct cluster_pool *pools;
	struct cluster_pool *formers;	/* what pools were, and some of their nodes still are */
	struct host *hosts;
	struct node *nodes;
	size_t n_pools, n_formers, n_hosts, n_nodes;
	size_t n_leaving_pools, n_leaving;	/* those behind: in the record until they are removed */
	struct vh_cidr cidr;
	struct vh_doc_list users;	/* of struct login; their keys are keys, not files */
	struct vh_doc_list gone;	/* of struct named: who was one, and whose files and number stay his */
	struct vh_doc_list groups;	/* of struct named: further groups of users, so far as they were numbered before users changed */
	struct vh_doc_list volumes;	/* of struct volume */
	bool slurm;		/* it has a Slurm of its own */
	char *ready;		/* of its manifest */
	struct vh_doc_list missing;	/* of struct missing: nodes that it goes on without */
	char *bridge;
	uint64_t region_node;	/* host node of the memory that the nodes share */
	char *region_id;	/* what it is named after since other nodes came; NULL: the first node's UUID */
	uint64_t region_size;	/* that it keeps, for nodes that run have it; 0: by the ranks */
	uint64_t uid;		/* whom its QEMUs run as, and nobody else; 0: whom libvirt has for all */
	int accel;		/* enum cluster_accel */
	char *accel_why;
};

const struct cluster_pool *cluster_pool_of(const struct cluster *c, const struct node *n);
/* What the node was made of: image, boot and disk; else its pool says all of it. */
const struct cluster_pool *cluster_made_of(const struct cluster *c, const struct node *n);

/* Plans a new cluster on the query's host, or on that of a file as vh_plan_host_load takes it, with what others
 * hold (store) left out; refused where it does not fit. images: one a pool, in the manifest's order. The query's notes are the caller's to say and to free, also after a failure.
 * cluster_clear frees what a cluster holds, also a zeroed one. */
int cluster_plan(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		 struct vh_store *store, struct cluster *ret, struct vh_err *err);
/* The same of one that exists, as the manifest has it now: nodes that stay keep all that they have, those of the
 * manifest that are not there are planned, the others leave. images: NULL for a pool that it has. old is emptied, also
 * after a failure. */
int cluster_change(const struct manifest *m, struct vh_image *const *images, struct vh_hosts_query *q, const char *file,
		   struct vh_store *store, struct cluster *old, struct cluster *ret, struct vh_err *err);
/* Whether it can go on without a node that fails: an unproven one, neither the head nor what others mount from. */
bool cluster_can_spare(const struct cluster *c, const struct node *n);
/* It goes on without those of its nodes of which why says so, one a node: they leave, and are missing. */
int cluster_go_without(struct cluster *c, char *const *why, struct vh_err *err);
/* The manifest that it is by now, with what is missing of it; manifest_clear frees it. */
int cluster_manifest(const struct cluster *c, struct manifest *ret, struct vh_err *err);
void cluster_clear(struct cluster *c);

/* The pool of that name (NULL: without), of those that leave too; NULL: it has none. */
struct cluster_pool *cluster_pool_named(const struct cluster *c, const char *name);
/* The node of the role head, else the first. */
const struct node *cluster_head(const struct cluster *c);
/* Whether it is one of the role compute, which nodes without groups are. */
bool cluster_computes(const struct cluster *c, const struct node *n);
/* What is told of its Slurm, with what is missing of its nodes; the texts are the cluster's, slurm_clear frees the rest. -ENOMEM. */
int cluster_slurm(const struct cluster *c, struct slurm *ret, struct vh_err *err);
/* The same with those of n nodes alone, and nothing that is missing. */
int cluster_slurm_of(const struct cluster *c, const struct node *nodes, size_t n, struct slurm *ret, struct vh_err *err);
/* The host's own address on the bridge, "a.b.c.d/p"; its length. */
int cluster_host_address(const struct cluster *c, char buf[24]);

/* The memory that all nodes share, where there are two or more: its name in /dev/shm, room for two
 * jobs of all ranks, and its host node. */
struct region { char name[48]; uint64_t size; unsigned node; };
struct region cluster_region(const struct cluster *c);

/* The volumes that the node has a disk for, one after the other: after NULL the first; NULL: no more. */
const struct volume *cluster_next_volume(const struct cluster *c, const struct node *n, const struct volume *after);
/* That disk; malloc'd, NULL without memory. */
char *cluster_volume_disk(const struct cluster *c, const struct node *n, const struct volume *v);
/* The sets of data that the node (NULL: any node) reads, and a set's disk, in the same way. */
const struct volume *cluster_next_data(const struct cluster *c, const struct node *n, const struct volume *after);
char *cluster_data_disk(const struct cluster *c, const struct volume *v);
/* What the host serves to the node (NULL: to any), in the same way: the image of its file system, and the directory that
 * this is mounted on. */
const struct volume *cluster_next_served(const struct cluster *c, const struct node *n, const struct volume *after);
char *cluster_served_image(const struct cluster *c, const struct volume *v);
char *cluster_served_dir(const struct cluster *c, const struct volume *v);
/* The node that has the disk of a shared volume, which no host serves. */
const struct node *cluster_server(const struct cluster *c, const struct volume *v);
/* Prints the lines of the node's identity about volumes. */
void cluster_put_volumes(FILE *f, const struct cluster *c, const struct node *n);
/* What a shell on the node says yes to once all is mounted; malloc'd. "": it mounts nothing; NULL without memory. */
char *cluster_volumes_question(const struct cluster *c, const struct node *n);

/* Takes the manifest's users, of one that was old so far (NULL: it is new); refused where one is the images' own. The pools are
 * there. */
int cluster_take_users(struct cluster *c, const struct cluster *old, const struct manifest *m, struct vh_err *err);
/* Refused where one of these would have a name, or a number, that is or was another's. */
int cluster_can_have(const struct cluster *c, const struct vh_doc_list *users, struct vh_err *err);
/* Groups that users are in and that are no user's: a name each with the number that it has where the image lacks
 * it. *ret is a strv of "NAME GID". */
int cluster_groups(const struct cluster *c, char ***ret, struct vh_err *err);

/* --- foreign.c: clusters of domains that somebody else made */

/* What the node's domain is called. */
const char *node_domain(const struct node *n);
/* Whether its nodes were imported: all of them are then, or none. Of such a cluster there is no network, image or key. */
bool cluster_is_foreign(const struct cluster *c);
/* Refused where they were: what does not go with such nodes, as "snapshot". */
int cluster_check_own(const struct cluster *c, const char *what, struct vh_err *err);
/* A domain's XML as it is defined and as it is now, read for this host; foreign_free frees it, also NULL. Both are untrusted. */
struct foreign;
int foreign_read(const char *defined, const char *now, struct foreign **ret, struct vh_err *err);
void foreign_free(struct foreign *f);
const char *foreign_uuid(const struct foreign *f);
/* Whether it is the node's; whether it runs on any CPU. */
bool foreign_is_of(const struct foreign *f, const struct node *n);
bool foreign_floats(const struct foreign *f);
/* What a domain is beside what the manifest asks for its node (its whole name), a finding each; what differs is wrong, and stops.
 * Refused where the manifest has no such node, or it makes no sense. */
int foreign_compare(const struct manifest *m, const char *node, const struct foreign *f, struct vh_findings *ret, struct vh_err *err);
/* What is not compared: a strv. */
int foreign_uncompared(const struct manifest *m, const char *node, char ***ret, struct vh_err *err);
/* The cluster with that domain as a node, in old's place (which is emptied; NULL: there is none): the nodes that the manifest has besides
 * are missing. Refused where old has nodes that the manifest has not, or asks for something else. */
int cluster_import(const struct manifest *m, const char *node, const struct foreign *f, const char *state, struct vh_store *store,
		   struct cluster *old, struct cluster *ret, struct vh_err *err);
/* What the node's domain holds while it runs, by which it is known; vh_domain_lease_clear frees it. -ENOMEM. */
int foreign_lease(const struct cluster *c, const struct node *n, struct vh_domain_lease *ret, struct vh_err *err);

/* --- renew.c: pools that come to be another, and nodes that are replaced one after the other until all are as it is */

/* Has pools boot these images from now on (one a pool, NULL: it stays, as where it boots that already); nodes that are
 * there are of the former pool. Refused where an image does not do. */
int cluster_renew(struct cluster *c, struct vh_image *const *images, struct vh_err *err);
/* The node is as its pool is by now; as it was again; and so for good. */
void node_renew(struct node *n);
void node_revert(struct node *n);
void node_keep(struct node *n);
/* Whether no node was made of what a pool is by now, and some are of what it was. */
bool cluster_is_unmade(const struct cluster *c, size_t pool);
/* Pools of which no node was made are again what they were, so far as there is a node of that. */
void cluster_unrenew(struct cluster *c);
/* Whether the node was made of another image, or asks for something else, than its pool by now; an image built anew is no
 * other. Whether its disk is another's when it is made of what its pool is. */
bool cluster_is_behind(const struct cluster *c, const struct node *n);
bool cluster_is_remade(const struct cluster *c, const struct node *n);
/* Whether nodes of another pool boot the same files. */
bool cluster_shares_boot(const struct cluster *c, const struct cluster_pool *p);
/* A former pool that no node is of, or would go back to; NULL: there is none. */
struct cluster_pool *cluster_unused(const struct cluster *c);
/* Forgets it. */
void cluster_drop_former(struct cluster *c, struct cluster_pool *former);

/* --- record.c: whom its QEMUs run as */

struct cluster_user { unsigned uid, gid; };
/* Whom its QEMUs run as; false: nobody else than we. */
bool cluster_user(const struct cluster *c, struct cluster_user *ret);
/* Gives it a user that nobody else has. */
int cluster_take_user(struct vh_store *store, struct cluster *c, struct vh_err *err);
/* Makes a file, of mode 0600, that of whom the cluster's QEMUs run as, where that is a user of its own. */
int cluster_give(const struct cluster *c, const char *path, struct vh_err *err);
/* Has those read a file of ours, and nobody write it. */
int cluster_show(const struct cluster *c, const char *path, struct vh_err *err);

/* --- match.c */

/* What of a manifest differs from a plan made earlier: 0, or refused with the difference. */
int cluster_matches(const struct cluster *c, const struct manifest *m, struct vh_err *err);
/* Takes over what may change while nodes run (pool_take_policy), by the pools' names; whether anything did. */
bool cluster_take_policy(struct cluster *c, const struct manifest *m);
/* The same, whichever nodes there are. */
int cluster_asks_alike(const struct cluster *c, const struct manifest *m, struct vh_err *err);
/* The same of what cannot be changed while the cluster exists. */
int cluster_can_become(const struct cluster *c, const struct manifest *m, struct vh_err *err);

/* --- json.c */

/* The plan as the record has it (docs/formats/cluster-views.md); NULL without memory. */
json_t *cluster_to_json(const struct cluster *c);
/* -EBADMSG where it is damaged. state: the directory that its files are in. */
int cluster_from_json(const json_t *j, const char *state, struct cluster *ret, struct vh_err *err);

/* --- record.c */

/* -ENOENT without error text: no such cluster. */
int record_load(struct vh_store *store, const char *state, const char *name, struct cluster *ret, struct vh_err *err);
/* Takes the leases of new nodes, gives back what others were to have and are not to have any more, and writes the record, within
 * the caller's transaction. */
int record_create(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* Writes that of one that has its leases. */
int record_put(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* The same of a cluster that may run, whose nodes' leases vh_vm_recover takes. */
int record_recover(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* Writes that of one that has its leases or more of them: what nodes were to have and are not to have any more is given back. */
int record_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err);
/* Gives back the leases of those that leave, which are removed, and forgets them. */
int record_leave(struct vh_store *store, struct cluster *c, struct vh_err *err);
/* Gives back the leases and forgets record and journal. */
int record_remove(struct vh_store *store, const struct cluster *c, struct vh_err *err);

/* The record as record.json in dir, the cluster's or what is to become it, from where record_saved has it when the
 * store is lost. -ENOENT (no error text): there is none. */
int record_save(const struct cluster *c, const char *dir, struct vh_err *err);
int record_saved(const char *state, const char *name, struct cluster *ret, struct vh_err *err);
/* Whether record.json in its directory has the same of what may change (cluster_take_policy), or there is none. */
bool record_is_kept(const struct cluster *c);
/* Refused while a node of it runs, whoever runs it. */
int record_check_off(const struct cluster *c, struct vh_err *err);
/* Of a cluster without a record: refused where it has a directory, so that the store has lost it. */
int record_lost(const char *state, const char *name, struct vh_err *err);

#endif
