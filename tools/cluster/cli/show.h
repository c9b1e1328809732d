// SPDX-License-Identifier: Apache-2.0
/* A plan, for people and as JSON (docs/formats/cluster-views.md). */
#ifndef VH_CLUSTER_SHOW_H
#define VH_CLUSTER_SHOW_H

#include "lib/cli.h"
#include "tools/cluster/steps/steps.h"

struct data;

/* exists: the plan is that of a cluster that was applied. sights: all of it, as it is now; data: of its sets what was seen. */
int plan_show(const struct vh_cli *cli, const struct cluster *c, bool exists, const struct sights *sights, const struct data *data,
	      struct vh_err *err);
#endif
