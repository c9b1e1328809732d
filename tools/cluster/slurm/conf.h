// SPDX-License-Identifier: Apache-2.0
#ifndef VH_CLUSTER_SLURM_CONF_H
#define VH_CLUSTER_SLURM_CONF_H

#include <stdio.h>

struct slurm;

/* Prints slurm.conf; -ENOMEM. */
int put_conf(FILE *f, const struct slurm *s);

#endif
