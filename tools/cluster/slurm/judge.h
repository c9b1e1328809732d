// SPDX-License-Identifier: Apache-2.0
/* What sinfo and squeue answer, which is untrusted. */
#ifndef VH_CLUSTER_SLURM_JUDGE_H
#define VH_CLUSTER_SLURM_JUDGE_H

#include <stdbool.h>

struct slurm;

/* What a shell on the head runs to be told of all nodes; and, with a list of nodes behind it, of the jobs there. */
extern const char nodes_question[], jobs_question[];

enum nodes_kind {
	NODES_KNOWN,	/* whatever they are */
	NODES_OPEN,	/* those that do not drain, or for that reason; NULL: for none */
	NODES_HELD,	/* that drain, or are down, for that reason */
};
/* Which of the nodes are so by the answer, of those that are not missing: a strv, NULL where none is; -ENOMEM. */
int nodes_said(const struct slurm *s, const char *answer, enum nodes_kind kind, const char *reason, char ***ret);

/* Whether one of the nodes has no line in it, or one as if it were missing where it is not, or there where it is missing; or a line
 * is of no node. */
bool nodes_differ(const struct slurm *s, const char *answer);

/* "job 12 of ada, job 13_2 of bob, and 3 more"; "": there is none. malloc'd, NULL without memory. */
char *jobs_said(const char *answer);

#endif
