// SPDX-License-Identifier: Apache-2.0
/* A virtual cluster: manifest -> plan -> steps -> what the host shows. Private to
 * tools/cluster. */
#ifndef VH_CLUSTER_H
#define VH_CLUSTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "images/images.h"
#include "lib/cli.h"
#include "lib/doc.h"
#include "lib/progress.h"
#include "lib/store.h"
#include "netctl/netctl.h"
#include "vmm/vmm.h"

/* --- manifest.c: what the user wants */

struct manifest {
	char *name, *image;
	uint64_t nodes, vcpus, memory;
	int cpu_policy;		/* enum vh_cpu_policy */
	int boot;		/* enum vh_boot */
	uint64_t disk;		/* bytes; 0: as the image has it */
	struct { char *cidr; } network;
};

extern const struct vh_key manifest_keys[];

int manifest_load(const char *path, struct manifest *ret, struct vh_err *err);
void manifest_clear(struct manifest *m);
/* The cluster that an argument means: a manifest's name for a file, else a name. */
int cluster_name(const char *file_or_name, char **ret, struct vh_err *err);

/* A ROM of it needs no store of variables. */
#define UEFI_FIRMWARE "/usr/share/ovmf/OVMF.fd"

/* --- plan.c: everything that apply does, decided before anything is done */

struct node_plan {
	char *name, *address, *mac;
	char *uuid;		/* made with the record */
	char tap[IFNAMSIZ];
	struct vh_layout layout;
};

struct plan {
	char *name, *owner;	/* "two-node", "cluster/two-node" */
	char *dir;		/* STATE/clusters/NAME; not stored */
	char *image, *image_digest, *suite, *kernel_cmdline, *user, *mpi, *mpi_version;
	uint64_t vcpus, memory;
	int cpu_policy;
	int boot;
	uint64_t disk;
	struct vh_cidr cidr;
	char bridge[IFNAMSIZ];
	bool kvm;
	char *accel_why;
	struct node_plan *nodes;
	size_t n_nodes;
};

/* Plans a new cluster on this host with what others hold (store) left out. */
int plan_make(const struct manifest *m, const struct vh_image *image, const struct vh_cli *cli,
	      struct vh_store *store, struct plan *ret, struct vh_err *err);
/* What of a manifest differs from a plan made earlier: 0, or refused with the difference. */
int plan_matches(const struct plan *p, const struct manifest *m, struct vh_err *err);
void plan_clear(struct plan *p);
/* The host's own address on the bridge, "a.b.c.d/p". */
int plan_host_address(const struct plan *p, char buf[24]);

/* The memory that all nodes share: its name in /dev/shm, and room for two jobs of all ranks. */
struct plan_region { char name[48]; uint64_t size; };
struct plan_region plan_region(const struct plan *p);

/* --- record.c: the plan in the store */

json_t *plan_to_json(const struct plan *p);
int plan_from_json(const json_t *j, const char *state, struct plan *ret, struct vh_err *err);
/* -ENOENT without error text: no such cluster. */
int record_load(struct vh_store *store, const char *state, const char *name, struct plan *ret, struct vh_err *err);
/* Takes the leases and writes the record in one transaction. */
int record_create(struct vh_store *store, const struct plan *p, struct vh_err *err);
/* Gives back the leases and forgets record and journal. */
int record_remove(struct vh_store *store, const struct plan *p, struct vh_err *err);

/* --- files.c: keys, identities, ssh configuration, disks */

/* Makes STATE/clusters/NAME whole, or finds it made. */
int files_make(const struct plan *p, const struct vh_image *image, bool *ret_made, struct vh_err *err);
int files_make_disk(const struct plan *p, const struct node_plan *n, bool *ret_made, struct vh_err *err);
char *node_file(const struct plan *p, const struct node_plan *n, const char *file);

/* --- steps.c: one small effect each, with its undo */

struct context {
	const struct plan *plan;
	const struct vh_image *image;	/* NULL when undoing, and when the cluster has its files */
	struct vh_virt *virt;		/* NULL when no daemon runs */
	const struct vh_cli *cli;
	struct vh_progress *progress;
	int ready_ms;			/* how long a node may take until it answers */
	bool cut_short;			/* an earlier run ended in the middle of a step */
};

enum scope { ONCE_A_CLUSTER, ONCE_A_NODE };

struct step_kind {
	const char *what;		/* the journal's name of it */
	enum scope scope;		/* node steps that follow each other run in parallel over the nodes */
	/* Brings the object to its planned state; *ret_changed says whether anything was done. */
	int (*apply)(const struct context *c, const struct node_plan *n, bool *ret_changed, struct vh_err *err);
	/* Takes it away; 0 when it is not there. */
	int (*undo)(const struct context *c, const struct node_plan *n, struct vh_err *err);
	/* What it works on, as the plan prints it and the journal keeps it; malloc'd. */
	char *(*object)(const struct plan *p, const struct node_plan *n);
};

/* In the order in which apply takes them; undo goes backwards. Ends with a NULL what. */
extern const struct step_kind cluster_steps[];

/* --- publish.c */

/* cluster.json; NULL without memory. */
json_t *publish_doc(const struct plan *p, const char *ssh_config);

/* --- nodes.c: readiness */

/* Waits until the node answers over ssh; fails early when its domain has ended. */
int node_wait_ready(const struct context *c, const struct node_plan *n, bool *ret_waited, struct vh_err *err);
/* Whether it answers over ssh now. */
bool node_answers(const struct plan *p, const struct node_plan *n);

/* --- apply.c */

int steps_apply(const struct context *c, struct vh_store *store, unsigned *ret_changed, struct vh_err *err);
/* Undoes what the journal has of this cluster, backwards. */
int steps_undo(const struct context *c, struct vh_store *store, struct vh_err *err);

/* --- views.c */

int plan_show(const struct vh_cli *cli, const struct plan *p, bool exists, struct vh_err *err);
/* *ret_exit: 0 when all nodes run and answer, else VH_EXIT_PARTIAL. */
int status_show(const struct vh_cli *cli, const struct context *c, int *ret_exit, struct vh_err *err);

#endif
