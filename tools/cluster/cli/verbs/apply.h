// SPDX-License-Identifier: Apache-2.0
/* What plan, apply and scale do alike; cli is of a verb with struct apply_opts. */
#ifndef VH_CLUSTER_APPLY_H
#define VH_CLUSTER_APPLY_H

#include "lib/cli.h"
#include "tools/cluster/compare/compare.h"

struct manifest;

/* How a cluster that is applied is to change. */
struct change {
	/* Makes of m, which is a copy of was, the manifest of the cluster by now, what it is to be. */
	int (*make)(void *arg, const struct cluster *is, const struct manifest *was, struct manifest *m, struct vh_err *err);
	/* Says so, when nothing can be refused any more and before anything is done. */
	void (*say)(void *arg);
	void *arg;
};
/* Does it, or with --dry-run shows how. */
int apply_change(const struct vh_cli *cli, const char *name, const struct change *change, struct vh_err *err);
/* Shows how what is wanted would be done, and changes nothing. */
int plan_wanted(const struct vh_cli *cli, const struct saved *want, struct vh_err *err);

#endif
