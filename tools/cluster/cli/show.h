// SPDX-License-Identifier: Apache-2.0
/* A plan, and a cluster as it is, for people and as JSON (docs/formats/cluster-views.md). */
#ifndef VH_CLUSTER_SHOW_H
#define VH_CLUSTER_SHOW_H

#include "lib/cli.h"
#include "tools/cluster/steps/steps.h"

struct manifest;

/* exists: the plan is that of a cluster that was applied. sights: all of it, as it is now. */
int plan_show(const struct vh_cli *cli, const struct cluster *c, bool exists, const struct sights *sights, struct vh_err *err);
/* m: the manifest that was given, or NULL. *ret_exit: 0 when all is as planned, else VH_EXIT_PARTIAL. */
int status_show(const struct vh_cli *cli, const struct context *ctx, const struct manifest *m, int *ret_exit, struct vh_err *err);

/* What destroy would remove; ctx NULL: there is no such cluster. */
int dry_run_show(const struct vh_cli *cli, const struct context *ctx, struct vh_store *store, struct vh_err *err);

#endif
