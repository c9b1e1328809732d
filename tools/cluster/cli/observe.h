// SPDX-License-Identifier: Apache-2.0
/* A cluster as it is, again and again: a table that is drawn over on a terminal, or with --json a line each time. */
#ifndef VH_CLUSTER_OBSERVE_H
#define VH_CLUSTER_OBSERVE_H

#include "lib/cli.h"

struct manifest;

/* Whenever a node starts or ends, and every so many seconds; until SIGINT or SIGTERM ends the process, or it cannot be
 * looked at any more. given: as for status_look. */
int observe(const struct vh_cli *cli, const char *name, const struct manifest *given, unsigned seconds, struct vh_err *err);

#endif
