// SPDX-License-Identifier: Apache-2.0
/* The Slurm of a cluster: what its nodes are told of it, and what it says of them (docs/formats/manifest.md, Slurm). */
#ifndef VH_CLUSTER_SLURM_H
#define VH_CLUSTER_SLURM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/* A node that runs jobs, as its VM is. */
struct slurm_node {
	const char *name;
	size_t host;			/* number of its hypervisor, from 0 */
	unsigned sockets, cores, threads;	/* cores of a socket, threads of a core */
	uint64_t memory;		/* bytes that the VM has */
	size_t gpus;			/* of the hypervisor's, its own */
	bool missing;			/* the cluster goes on without it: there is no such VM */
};

/* By what Slurm has those that are missing: down for that reason, at an address that nobody has (RFC 5737), as it would wait
 * long for that of a name that nobody knows, and then not list the node. */
#define SLURM_MISSING "vhpc: not started"
#define SLURM_NOWHERE "192.0.2.1"

/* All texts are somebody else's. */
struct slurm {
	const char *cluster, *head;	/* names of the cluster, and of the node that runs slurmctld */
	const char *mpi;		/* of its images: "openmpi" */
	struct slurm_node *nodes;
	size_t n_nodes;
};
void slurm_clear(struct slurm *s);

/* Files in /etc/slurm, alike on all nodes: of 22.05 (Debian 12) and 24.11 (13). text is malloc'd; "": there is
 * none of that name; NULL without memory. Ends with a NULL name. */
struct slurm_file { const char *name; char *(*text)(const struct slurm *s); };
extern const struct slurm_file slurm_files[];

/* MiB that are said of a VM of so many bytes: less than its kernel finds, or Slurm would not take the node. */
uint64_t slurm_memory(uint64_t bytes);

/* --- key.c */

enum { SLURM_KEY = 128 };	/* bytes, as many as mungekey makes */

/* munge's key of the cluster whose directory is dir, dir/munge.key (0600): random bytes, made where it is not there. */
int slurm_key(const char *dir, unsigned char ret[SLURM_KEY], struct vh_err *err);

/* --- judge.c */

/* Which nodes do not take part, of those that are not missing, by what sinfo answers of all, which is untrusted: "two-2 is down*
 * (Not responding), two-3 is unknown to it", a few named and the others counted; "": all do. malloc'd, NULL without memory. */
char *slurm_absent(const struct slurm *s, const char *answer);

/* --- wait.c: of one that runs, whose head ssh reaches by that configuration */

/* "" where all nodes take part that are not missing, it knows these and those alone, as such, and none drains for that reason; else
 * what is amiss, as above or what sinfo says. malloc'd. */
int slurm_amiss(const struct slurm *s, const char *ssh_config, const char *reason, char **ret, struct vh_err *err);
/* Waits until it answers, -ETIMEDOUT as below, and resumes nodes that drain for that reason. *ret_others: it knows other
 * nodes, or takes one for missing that is there, or the other way round, and is to be restarted, for it reads its files at its start alone. */
int slurm_bring_up(const struct slurm *s, const char *ssh_config, const char *reason, int within_ms, bool *ret_resumed, bool *ret_others,
		   struct vh_err *err);
int slurm_restart(const struct slurm *s, const char *ssh_config, struct vh_err *err);
/* Waits until all nodes take part, which may be a few of the cluster's; -ETIMEDOUT, with who does not. *ret_waited: one did not. */
int slurm_wait(const struct slurm *s, const char *ssh_config, int within_ms, bool *ret_waited, struct vh_err *err);

/* --- drain.c: of one that runs, likewise; its nodes may be a few of the cluster's, of which those count that it knows, and
 * that are not missing */

/* Has them take no new jobs, for that reason (without a quote), and waits until none runs there: -ETIMEDOUT, naming jobs; they
 * drain on until they are resumed. Those that drain already keep the reason that they have. */
int slurm_drain(const struct slurm *s, const char *ssh_config, const char *reason, int within_ms, struct vh_err *err);
/* Has those take jobs again that drain, or are down, for that reason; *ret_any: there were some. */
int slurm_resume(const struct slurm *s, const char *ssh_config, const char *reason, bool *ret_any, struct vh_err *err);
/* Has them count as down, for that reason, so that what ran there is queued again. Those that drain for another one keep that. */
int slurm_down(const struct slurm *s, const char *ssh_config, const char *reason, struct vh_err *err);
/* The jobs there: "job 12 of ada, job 13_2 of bob, and 3 more"; "": none. malloc'd. */
int slurm_jobs(const struct slurm *s, const char *ssh_config, char **ret, struct vh_err *err);

/* --- cancel.c: of one that runs, likewise */

/* Jobs of users by those n numbers, which wait or run: "12 13"; "": there are none. malloc'd. */
int slurm_jobs_of(const struct slurm *s, const char *ssh_config, const uint64_t *uids, size_t n, char **ret, struct vh_err *err);
/* Those that squeue, which is untrusted, answers; NULL without memory. */
char *slurm_jobs_said(const char *answer, const uint64_t *uids, size_t n);
/* Ends such jobs. */
int slurm_cancel(const struct slurm *s, const char *ssh_config, const char *jobs, struct vh_err *err);

#endif
