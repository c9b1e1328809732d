// SPDX-License-Identifier: Apache-2.0
/* A virtual cluster as `vhpc cluster apply` leaves it in STATE/clusters/NAME/cluster.json
 * (docs/formats/cluster.md). The text is untrusted: what is read here becomes words of
 * a command line and lines of a host list. */
#ifndef VH_MPIRUN_CLUSTER_H
#define VH_MPIRUN_CLUSTER_H

#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_mpi_node {
	char *name;		/* host name, and the ssh alias */
	char *address;		/* IPv4 */
	unsigned slots;
};

struct vh_mpi_cluster {
	char *name, *user;
	char *cidr;		/* of the MPI network, "10.119.0.0/24" */
	char *interface;	/* that network's, on every node */
	char *accel;		/* "kvm" or "tcg" */
	char *ssh_config;	/* absolute path */
	char *mpi, *version;	/* "openmpi", "4.1.4" */
	uint64_t region;	/* bytes that nodes of one host share, or 0 */
	struct vh_mpi_node *nodes;
	size_t n_nodes;
};

/* source names the file in errors. Refused (exit 3) when anything is not as it must be. */
int vh_mpi_cluster_parse(const char *source, const char *text, size_t len, struct vh_mpi_cluster **ret,
			 struct vh_err *err);
int vh_mpi_cluster_load(const char *path, struct vh_mpi_cluster **ret, struct vh_err *err);
void vh_mpi_cluster_free(struct vh_mpi_cluster *c);
static inline void vh_mpi_cluster_freep(struct vh_mpi_cluster **c) { vh_mpi_cluster_free(*c); }
#define vh_autocluster vh_cleanup(vh_mpi_cluster_freep) struct vh_mpi_cluster *

/* what: a cluster's name, its manifest (YAML), or a cluster.json. A cluster that is not
 * applied is -ENOENT, refused. */
int vh_mpi_cluster_find(const char *state, const char *what, struct vh_mpi_cluster **ret, struct vh_err *err);

/* The top-level `name` of a manifest, the rest of which is not looked at; malloc'd. */
int vh_mpi_manifest_name(const char *path, const char *text, size_t len, char **ret, struct vh_err *err);

/* A whole file of at most 16 MiB, NUL-terminated; malloc'd. */
int vh_mpi_read(const char *path, char **ret, size_t *ret_len, struct vh_err *err);

#endif
