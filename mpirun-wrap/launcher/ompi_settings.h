// SPDX-License-Identifier: Apache-2.0
/* What Open MPI's mpirun is set to, but where ranks go. */
#ifndef VH_MPIRUN_OMPI_SETTINGS_H
#define VH_MPIRUN_OMPI_SETTINGS_H

#include "mpirun-wrap/plan/plan.h"

/* Where Debian has them, of release 5. */
#define VH_OMPI_COMPONENTS "/usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi40"
#define VH_PMIX_COMPONENTS "/usr/lib/x86_64-linux-gnu/pmix2/lib/pmix"

/* Appends the rows of 4.1, or of 5.0 (prrte), that apply: 0 or -ENOMEM. */
int vh_ompi_settings(const struct vh_mpi_input *in, struct vh_mpi_job *job, bool prrte);

/* What the user's words, or his environment, say of a parameter or a whole option; borrowed, NULL: nothing. */
const char *vh_ompi_in_args(char *const *args, const char *key);
const char *vh_ompi_in_env(char *const *env, const char *key);

#endif
