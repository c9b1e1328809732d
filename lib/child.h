// SPDX-License-Identifier: Apache-2.0
/* Processes that tell us something, and waiting for processes with a deadline. */
#ifndef VH_CHILD_H
#define VH_CHILD_H

#include <sys/types.h>
#include "lib/err.h"

struct vh_root;

/* Starts a child that ends with what run(arg, to) returns. What it writes to to comes out of *ret_from, to its end; then
 * it is waited for with vh_child_wait. */
int vh_child_start(int (*run)(void *arg, int to), void *arg, int *ret_from, pid_t *ret_pid, struct vh_err *err);
/* Waits for a child of ours; past the deadline kills it. Its wait status; -ETIMEDOUT. */
int vh_child_wait(pid_t pid, int deadline_ms);
/* Ends any process: SIGTERM, past the deadline SIGKILL. 0 when it is gone; -errno. */
int vh_process_end(int pidfd, int deadline_ms);
/* pidfd_open(2). */
int vh_process_open(pid_t pid);

/* When a process was started, in ticks since boot: with its number, what no other one has. -ESRCH: it has
 * ended, whether or not its parent has noticed; another -errno: that cannot be told. */
enum { VH_PROCESS_START = 32 };
int vh_process_start(const struct vh_root *root, pid_t pid, char ret[VH_PROCESS_START]);

#endif
