// SPDX-License-Identifier: Apache-2.0
/* What a node does in its cluster's Slurm, as an identity has it. */
#ifndef VH_PARSE_SLURM_H
#define VH_PARSE_SLURM_H

#include <stdbool.h>
#include <stddef.h>

enum { VH_ID_SLURM_FILES = 4 };

/* The files that a node is told, in /etc/slurm; ends with NULL. */
extern const char *const vh_id_slurm_names[VH_ID_SLURM_FILES + 1];

struct vh_id_slurm {
	char *key;		/* munge's, bytes; NULL: the cluster has no Slurm */
	size_t key_len;
	char *files[VH_ID_SLURM_FILES];	/* text of each of the names, or NULL */
	bool controller, compute;	/* it runs slurmctld; it runs slurmd */
};

/* As vh_id_users_line. */
const char *vh_id_slurm_line(struct vh_id_slurm *s, const char *key, size_t len, char *rest, bool *ret_known);
void vh_id_slurm_clear(struct vh_id_slurm *s);

#endif
