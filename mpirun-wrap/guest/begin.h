// SPDX-License-Identifier: Apache-2.0
/* The launcher of a job as a process of its own, and its end. */
#ifndef VH_MPIRUN_GUEST_BEGIN_H
#define VH_MPIRUN_GUEST_BEGIN_H

#include <sys/types.h>

#include "mpirun-wrap/wire/wire.h"

/* A launcher that runs, and our ends of its pipes (-1: closed); they do not block. */
struct vh_begun { pid_t pid; int in, out, err; };

/* Starts it in a process group of its own. 0, or -1 with the reason in why. */
int vh_begin(const struct vh_wire_job *job, struct vh_begun *ret, char *why, size_t why_len);

/* Ends the job whose caller is gone: SIGTERM to the launcher's group, after some seconds SIGKILL, also
 * to what the launcher left to us. Returns when the launcher is no more. */
void vh_end(const struct vh_begun *b);

#endif
