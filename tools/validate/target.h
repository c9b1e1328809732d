// SPDX-License-Identifier: Apache-2.0
/* The cluster that is measured, and our directory in its guests. */
#ifndef VALIDATE_TARGET_H
#define VALIDATE_TARGET_H

#include <stdbool.h>
#include "lib/cli.h"
#include "lib/err.h"

enum { MAX_PAIR = 2 };

struct target {
	char *cluster, *accel, *mpi_version, *ssh_config;
	char *node[MAX_PAIR];	/* the first VM, and the second or NULL */
	unsigned vcpus;		/* of the first VM */
	int cpus[MAX_PAIR];	/* host CPUs of its first two vCPUs; -1: not pinned, or not known */
	char dir[48];		/* in the guests; "" before it is made */
	char *wrap;		/* mpirun-wrap, beside this program */
	char *kernels, *pingpong;
};

/* Reads everything about the cluster (name NULL: the only one there is) and finds our
 * programs. Refused when it is not applied. */
int target_open(struct target *t, const struct vh_cli *cli, const char *name, struct vh_err *err);
void target_clear(struct target *t);

/* Makes the directory in each node and copies what runs there; target_leave removes it. */
int target_enter(struct target *t, struct vh_err *err);
int target_leave(struct target *t, struct vh_err *err);

/* "ssh -F CONFIG NODE COMMAND" as argv, 5 words, borrowed. */
void target_ssh(const struct target *t, unsigned node, const char *command, char *argv[6]);

#endif
