// SPDX-License-Identifier: Apache-2.0
/* Who a process is, and whether it still lives. */
#ifndef VH_IVSHM_SELF_H
#define VH_IVSHM_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Who a process is, to those who must tell whether it is gone. */
struct ivshm_self {
	uint64_t machine;		/* the same for processes that see each other's pids */
	uint64_t started;		/* tells a pid from its next owner, over reboots too */
	uint64_t job;			/* the same for processes that may talk to each other */
	uint32_t rank;
	pid_t pid;
	/* Whether a process of this machine lives. */
	bool (*alive)(pid_t pid, uint64_t started);
};

/* The usual self: this process on this machine. */
void ivshm_self_here(struct ivshm_self *ret, uint64_t job, uint32_t rank);
/* Whether it lives and is the one that started then (0: any of that pid). */
bool ivshm_process_alive(pid_t pid, uint64_t started);

#endif
