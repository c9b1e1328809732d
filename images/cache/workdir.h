// SPDX-License-Identifier: Apache-2.0
/* Directories of one writer each, which the next one removes where the writer died. */
#ifndef VH_WORKDIR_H
#define VH_WORKDIR_H

#include "lib/err.h"

/* A directory for one writer and nobody else (0700): PARENT/.PREFIX-PID, with a lock beside it that ends with
 * the process (and those that inherit the descriptor). What dead writers left under
 * the same prefix is removed. */
struct vh_workdir {
	char *path, *lock_path;
	int lock;
};
#define VH_WORKDIR_NONE { .lock = -1 }
int vh_workdir_make(struct vh_workdir *ret, const char *parent, const char *prefix, struct vh_err *err);
/* Removes what dead writers left under the prefix. */
void vh_workdir_sweep(const char *parent, const char *prefix);
/* Removes it and its contents. */
void vh_workdir_remove(struct vh_workdir *w);
#define vh_autoworkdir vh_cleanup(vh_workdir_remove) struct vh_workdir

#endif
