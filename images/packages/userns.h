// SPDX-License-Identifier: Apache-2.0
/* Root without root: a user namespace in which this process may install packages. */
#ifndef VH_USERNS_H
#define VH_USERNS_H

#include <stdint.h>
#include "lib/err.h"

/* Does nothing as root. Otherwise this process becomes root of a user namespace in which its own
 * id is 0 and those from 1 are the ids that /etc/subuid and /etc/subgid lend its user
 * (newuidmap and newgidmap set them). Refused where that cannot be. what: what for. */
int vh_userns_enter(const char *what, struct vh_err *err);

/* A user namespace for the scripts of packages, whose root is nobody here, neither root nor the user: its ids
 * are ours from vh_userns_base() on. *ret_fd: it, for struct vh_spawn. Refused where this machine allows none.
 * Needs a process that vh_userns_enter has seen. */
int vh_userns_open(int *ret_fd, struct vh_err *err);
/* Of this process: the id that is 0 in such a namespace. */
unsigned vh_userns_base(void);

/* The first range of at least 65535 ids that a subuid(5) text lends the user, by name or number; -ENOENT. */
int vh_userns_range(const char *text, const char *name, unsigned id, uint64_t *ret_start, uint64_t *ret_n);

#endif
