// SPDX-License-Identifier: Apache-2.0
/* What apply and scale do alike. */
#ifndef VH_CLUSTER_APPLY_H
#define VH_CLUSTER_APPLY_H

#include "tools/cluster/cli/session.h"
#include "tools/cluster/compare/compare.h"

/* Brings the cluster of that name, which the session has opened, to what is wanted. cli is of a verb with struct apply_opts. */
int apply_wanted(const struct vh_cli *cli, const struct saved *want, struct session *s, struct vh_err *err);

#endif
