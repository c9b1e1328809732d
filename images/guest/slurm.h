// SPDX-License-Identifier: Apache-2.0
/* Slurm in a node. */
#ifndef VH_GUEST_SLURM_H
#define VH_GUEST_SLURM_H

#include "images/guest/parse_slurm.h"

/* Puts munge's key and Slurm's files, and the marks in etc/vhpc/slurm by which the units of the image know what
 * to start; without a key nothing. 0, or -1 after saying why. */
int vh_slurm_apply(int root, const struct vh_id_slurm *s);

#endif
