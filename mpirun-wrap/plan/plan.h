// SPDX-License-Identifier: Apache-2.0
/* The launch plan: what mpirun is told beyond what the user told it. Pure: the same
 * input gives the same plan, on any machine, without an MPI installed. */
#ifndef VH_MPIRUN_PLAN_H
#define VH_MPIRUN_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include "mpirun-wrap/cluster/cluster.h"

/* --- args.c: what the user's words mean to mpirun, as far as a plan must know */

enum vh_mpi_meaning {
	VH_MPI_OTHER,
	VH_MPI_RANKS,		/* its argument is the number of ranks */
	VH_MPI_PLACEMENT,	/* where ranks go, or what they are bound to */
	VH_MPI_HOSTS,		/* the same, by naming hosts */
	VH_MPI_OVERSUBSCRIBE,
	VH_MPI_CONTEXTS,	/* a file of several programs */
};

/* An option by its name without dashes; ends with a NULL name. */
struct vh_mpi_option { const char *name; unsigned char words; enum vh_mpi_meaning meaning; };

struct vh_mpi_args {
	size_t program;		/* its place; where the words end: there is none */
	uint64_t ranks;		/* 0: not said */
	const char *placement;	/* the first option about it, as the user wrote it, or NULL */
	const char *placement_value;	/* its argument, or NULL */
	bool hosts;
	bool oversubscribe;
	bool contexts;		/* several programs: which ranks are whose is mpirun's */
};

/* The option that word is, with one dash or two, its argument perhaps behind '='; NULL: none of these. */
const struct vh_mpi_option *vh_mpi_option_find(const char *word, const struct vh_mpi_option *options, const char **ret_inline);

/* Reads the user's words up to the program; they are borrowed. */
void vh_mpi_args_read(char *const *args, const struct vh_mpi_option *options, struct vh_mpi_args *ret);

/* --- the plan */

struct vh_mpi_input {
	const struct vh_mpi_cluster *cluster;
	char *const *args;		/* the user's: mpirun's options, the program, its arguments */
	char *const *env;		/* NAME=VALUE */
	const char *hostfile;		/* where the host list will stand */
	const char *rankfile;		/* and the list of ranks */
	const char *head;		/* address of the node that mpirun runs on */
	bool batch;			/* a batch job's nodes, and how they are reached, are left to the batch system */
};

enum vh_mpi_transport { VH_MPI_SM, VH_MPI_IVSHM, VH_MPI_RDMA, VH_MPI_TCP, VH_MPI_TRANSPORTS };

/* Where ranks go: in blocks, a node after the other; inside a node, blocks over caches. */
struct vh_mpi_ranks {
	bool ours;		/* the plan decides it; else mpirun and the user do */
	bool bound;		/* every rank has CPUs of its own */
	bool listed;		/* by a list of ranks: nodes have an inside, or ranks have threads */
	uint64_t n;		/* 0: not known */
	unsigned cpus_a_rank;
	unsigned *count;	/* ranks of each node; NULL: not known */
	unsigned *cpus;		/* listed: cpus_a_rank for each rank */
};

/* The ports that carry messages between hosts: the same names in every node that has any. */
struct vh_mpi_rails {
	const struct vh_mpi_device **ports;	/* those of the first node that has them */
	size_t n;
	bool *has;		/* by node: it has all of them */
	size_t n_has;
};

/* What mpirun is told, and by whom. */
struct vh_mpi_setting {
	char *what, *value;
	char *ours;		/* what the plan would have said where the user did, or NULL */
	const char *why;	/* static */
	bool user;
};

struct vh_mpi_ops;

/* A job as it is planned; everything in it is its own, but what rails point to in the cluster. */
struct vh_mpi_job {
	const struct vh_mpi_ops *ops;
	char **argv;
	char **env;		/* NAME=VALUE to add */
	char **users;		/* settings that the user made, and so we did not */
	char **notes;		/* conflicts, and what could not be had */
	char *hostfile;		/* the text of the host list */
	char *rankfile;		/* of the list of ranks, or NULL */
	struct vh_mpi_args args;
	struct vh_mpi_ranks ranks;
	struct vh_mpi_rails rails;
	uint64_t pairs[VH_MPI_TRANSPORTS];	/* pairs of ranks; of nodes where ranks are not known */
	bool ucx;		/* one library carries all: no ivshm */
	struct vh_mpi_setting *settings;
	size_t n_settings;
};

/* The launcher's options that make a transport the only one; a word that ends with '=' is
 * completed by the pair's port, "mlx5_0:1". */
struct vh_mpi_way {
	const char *name;	/* of what then carries the messages; NULL: the transport's in names */
	const char *options[8];	/* ends with NULL */
};

/* A file of settings that mpirun reads of itself, and the option that says the same on its command line. */
struct vh_mpi_params { const char *option, *path; };

/* One MPI's mpirun. */
struct vh_mpi_ops {
	const char *mpi;	/* "openmpi" */
	const char *series;	/* "4.1"; "": any */
	const char *shown;	/* "Open MPI" */
	const char *program;	/* "mpirun" */
	const char *package;	/* Debian's that has it */
	const char *daemon;	/* what runs on the nodes, found in PATH there */
	uint64_t shm_a_rank;	/* bytes of /dev/shm that a rank takes */
	const struct vh_mpi_option *options;
	const char *const *files;	/* options whose argument is a file that it reads; ends with NULL */
	const char *const *placement_variables;	/* in the environment, as PLACEMENT; ends with NULL */
	bool verbs;		/* has a transport over RDMA beside others */
	const char *names[VH_MPI_TRANSPORTS];	/* what each transport is called there; NULL: it has none such */
	const struct vh_mpi_way *ways;	/* by transport: how the benchmark has it alone; NULL: it cannot be measured */
	const struct vh_mpi_params *params;	/* ends with a NULL path */
	const char *const *node_env;	/* NAME=VALUE for who starts mpirun itself in a node; ends with NULL */
	const char *slots_mark;	/* what stands between a node's name and its slots in the list of hosts */
	/* Appends the settings to job->argv, and sets env and users. */
	int (*settings)(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err);
};

void vh_mpi_job_clear(struct vh_mpi_job *job);
#define vh_autojob vh_cleanup(vh_mpi_job_clear) struct vh_mpi_job

/* --- plan.c */

/* Whether a variable, NAME=VALUE, is one of threads or of libraries of the ranks, which are told of it. */
bool vh_mpi_forwarded(const char *variable);

/* --- ranks.c, rails.c: the plan's parts, in this order */

/* Fills job->ranks from job->args, and says in a setting where the plan stays out of it. */
int vh_mpi_ranks_make(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err);
/* Fills job->rails, of the nodes that have ranks. */
int vh_mpi_rails_make(const struct vh_mpi_input *in, struct vh_mpi_job *job, struct vh_err *err);
/* Whether the node takes part, as far as is known. */
static inline bool vh_mpi_used(const struct vh_mpi_job *job, size_t node)
{
	return !job->ranks.count || job->ranks.count[node] > 0;
}
/* The text of a list of ranks, as Open MPI reads it; malloc'd, NULL without memory. */
char *vh_mpi_rankfile(const struct vh_mpi_cluster *c, const struct vh_mpi_ranks *ranks);
/* The CPUs of a rank, where they are listed. */
static inline const unsigned *vh_mpi_rank_cpus(const struct vh_mpi_ranks *ranks, uint64_t rank)
{
	return &ranks->cpus[rank * ranks->cpus_a_rank];
}

/* For ops: a setting of ours, and one that the user made (ours then says what was planned);
 * value and ours are taken, also on failure. 0 or -ENOMEM. */
int vh_mpi_setting_add(struct vh_mpi_job *job, const char *what, char *value, const char *why);
int vh_mpi_setting_users(struct vh_mpi_job *job, const char *what, const char *value, char *ours, const char *why);
/* Appends to job->notes: 0 or -ENOMEM. */
int vh_mpi_note(struct vh_mpi_job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Joins the rails' ports, "mlx5_0:1,mlx5_1:1"; malloc'd, NULL without memory; so are these: */
char *vh_mpi_rails_names(const struct vh_mpi_rails *rails);
/* UCX_NET_DEVICES and UCX_TLS for the rails and, where pairs need it, TCP. */
char *vh_mpi_ucx_devices(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job);
char *vh_mpi_ucx_tls(const struct vh_mpi_job *job);

/* --- transports.c: what can carry messages between ranks */

/* What all nodes must have in one version where a job uses it. */
struct vh_mpi_library {
	const char *name;	/* "UCX" */
	const char *const *packages;	/* Debian's, the first that is there counts; ends with NULL */
	bool (*used)(const struct vh_mpi_job *job);
};

struct vh_mpi_transport_row {
	const char *kind;	/* "ivshm", in JSON */
	const char *between;	/* for people: the ranks whose messages it carries, "VMs of one host" */
	/* Whether it can carry messages between ranks of nodes a and b (by index), or of one. */
	bool (*carries)(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b);
	/* Whether a launcher with a component a transport is told of it. */
	bool (*beside)(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job);
	/* Whether the benchmark can have it alone between these nodes, or in one. */
	bool (*joins)(const struct vh_mpi_cluster *c, const struct vh_mpi_node *a, const struct vh_mpi_node *b);
	const struct vh_mpi_library *library;	/* that it needs on the nodes, or NULL */
};

/* The first that carries a pair is taken; the last carries all. */
extern const struct vh_mpi_transport_row vh_mpi_transports[VH_MPI_TRANSPORTS];

/* What carries messages between ranks of two nodes (by index), or of one. */
enum vh_mpi_transport vh_mpi_between(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job, size_t a, size_t b);
/* Fills job->pairs. */
void vh_mpi_pairs_count(const struct vh_mpi_cluster *c, struct vh_mpi_job *job);

/* --- show.c */

/* Schema vhpc.mpirun.plan/2; NULL without memory. */
json_t *vh_mpi_job_json(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job);
/* The same as tables for people. */
void vh_mpi_job_print(FILE *f, const struct vh_mpi_cluster *c, const struct vh_mpi_job *job);

#endif
