// SPDX-License-Identifier: Apache-2.0
/* A virtual cluster as `vhpc cluster apply` leaves it in STATE/clusters/NAME/cluster.json
 * (docs/formats/cluster.md). The text is untrusted: what is read here becomes words of
 * a command line and lines of a host list. */
#ifndef VH_MPIRUN_CLUSTER_H
#define VH_MPIRUN_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

enum { VH_MPI_MAX_NODES = 16384, VH_MPI_MAX_SLOTS = 4096 };

/* A CPU of a node: its number there, the vNUMA cell and the last-level cache it is in. */
struct vh_mpi_cpu { unsigned id, cell, cache; };

/* A port of an RDMA device in a node. Ports of the same link and fabric reach each other,
 * on InfiniBand where their P_Keys have the same low 15 bits and one is a full member's. */
struct vh_mpi_device {
	char *name;		/* in the node: "mlx5_0" */
	unsigned port;		/* from 1 */
	bool ethernet;		/* RoCE; else InfiniBand */
	int cell;		/* -1: not known */
	unsigned pkey;		/* InfiniBand: bit 15 says full member; 0: the port's first */
	int gid_index;		/* RoCE; -1: MPI chooses */
	char *fabric;		/* the network it is on; NULL: all unnamed ones are one */
};

struct vh_mpi_node {
	char *name;		/* host name, and the ssh alias */
	char *address;		/* IPv4 */
	unsigned slots;
	unsigned host;		/* which of hosts runs it */
	struct vh_mpi_cpu *cpus;	/* by cell, cache and number; NULL: one cell and cache */
	size_t n_cpus;
	struct vh_mpi_device *devices;
	size_t n_devices;
};

struct vh_mpi_cluster {
	char *name, *user;
	char **users;		/* who has a login of his own there, or NULL */
	char *cidr;		/* of the MPI network, "10.119.0.0/24" */
	char *interface;	/* that network's, on every node */
	char *accel;		/* "kvm" or "tcg" */
	char *ssh_config;	/* absolute path */
	char *mpi, *version;	/* "openmpi", "4.1.4" */
	uint64_t region;	/* bytes that nodes of one host share, or 0 */
	bool slurm;		/* it has a Slurm of its own */
	char **hosts;		/* of the VMs; "": not named */
	size_t n_hosts;
	struct vh_mpi_node *nodes;
	size_t n_nodes;
};

/* A record's text; source names the file in errors. Refused (exit 3) when anything is not as it must be. */
int vh_mpi_cluster_parse(const char *source, const char *text, size_t len, struct vh_mpi_cluster **ret,
			 struct vh_err *err);
/* The same of a file. */
int vh_mpi_cluster_load(const char *path, struct vh_mpi_cluster **ret, struct vh_err *err);
void vh_mpi_cluster_free(struct vh_mpi_cluster *c);
static inline void vh_mpi_cluster_freep(struct vh_mpi_cluster **c) { vh_mpi_cluster_free(*c); }
#define vh_autocluster vh_cleanup(vh_mpi_cluster_freep) struct vh_mpi_cluster *

/* what: a cluster's name, its manifest (YAML), or a cluster.json. A cluster that is not
 * applied is -ENOENT, refused. */
int vh_mpi_cluster_find(const char *state, const char *what, struct vh_mpi_cluster **ret, struct vh_err *err);

/* The one of the state directory that has all these nodes. -ENOENT (no error text): none. */
int vh_mpi_cluster_with(const char *state, char *const *nodes, struct vh_mpi_cluster **ret, struct vh_err *err);

/* The top-level `name` of a manifest, whose other keys are not looked at; malloc'd. */
int vh_mpi_manifest_name(const char *path, const char *text, size_t len, char **ret, struct vh_err *err);

/* A whole file (lib/files/read.h); what cannot be read is refused. */
int vh_mpi_read(const char *path, char **ret, size_t *ret_len, struct vh_err *err);

/* --- inside.c: on a node itself */

/* Where a node keeps the record of its cluster, and how its ssh reaches the others. */
#define VH_MPI_NODE_RECORD "/etc/vhpc/cluster.json"
#define VH_MPI_NODE_SSH_CONFIG "/etc/vhpc/ssh_config"

/* The list of hosts of who starts mpirun itself there. */
#define VH_MPI_NODE_HOSTS "/etc/vhpc/hosts"

/* Whether this machine is a node: it has a record of its own cluster. */
bool vh_mpi_is_node(void);

/* This machine's address, where it has one of the nodes'; static, "" where it has none. */
const char *vh_mpi_own_address(const struct vh_mpi_cluster *c);

/* Puts the node of that address before the others, where it is one: an mpirun fills the node that it runs on first. */
void vh_mpi_own_first(struct vh_mpi_cluster *c, const char *address);

/* --- ssh.c: the way to a node */

/* ssh's words up to the node, to which a command is added: with the cluster's key, or, where that is another
 * user's, with the keys and settings of this one, and as himself where he is one of the cluster's users. A strv; refused where ssh_config cannot be read. */
int vh_mpi_ssh(const struct vh_mpi_cluster *c, const struct vh_mpi_node *n, char ***ret, struct vh_err *err);

/* The file of an ssh_config line "IdentityFile PATH"; malloc'd, NULL for any other line. */
char *vh_mpi_identity_file(const char *line);

/* The path of a file in ssh_config's directory; malloc'd, NULL without memory. */
char *vh_mpi_beside(const struct vh_mpi_cluster *c, const char *file);

/* --- slurm.c: a batch job's share of a cluster, as Slurm's environment tells it */

/* The nodes of the job that env belongs to, a strv; *ret is NULL where there is no job. */
int vh_mpi_slurm_nodes(char *const *env, char ***ret, struct vh_err *err);

/* Leaves in c the job's nodes alone, in the job's order, with as many slots as the job has
 * tasks (where it asked for tasks) or CPUs there. *ret_note (static, or NULL) says what was
 * done otherwise: a job none of whose nodes are c's leaves c whole. Refused when only some are. */
int vh_mpi_slurm_narrow(struct vh_mpi_cluster *c, char *const *env, const char **ret_note, struct vh_err *err);

#endif
