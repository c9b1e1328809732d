// SPDX-License-Identifier: Apache-2.0
/* The face of the core: memory that VMs share, the ways to it, rings and streams in it. Nothing
 * in here knows of Open MPI. */
#ifndef VH_IVSHM_CORE_H
#define VH_IVSHM_CORE_H

#include "mpirun-wrap/ivshm/core/copy.h"
#include "mpirun-wrap/ivshm/core/map.h"
#include "mpirun-wrap/ivshm/core/region.h"
#include "mpirun-wrap/ivshm/core/ring.h"
#include "mpirun-wrap/ivshm/core/self.h"
#include "mpirun-wrap/ivshm/core/stream.h"
#include "mpirun-wrap/ivshm/core/table.h"

#endif
