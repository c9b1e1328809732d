// SPDX-License-Identifier: Apache-2.0
/* Internal snapshots of one qcow2 disk that nobody writes to, by qemu-img, which knows each by a tag. */
#ifndef VH_CLUSTER_SNAPSHOT_DISK_H
#define VH_CLUSTER_SNAPSHOT_DISK_H

#include "lib/err.h"

/* The tags that it has, a strv; NULL: none. Refused, as by those that follow, where its data are in another file. */
int disk_tags(const char *path, char ***ret, struct vh_err *err);
/* Takes one, instead of one of that tag. -ENOSPC: the file system is full; what is there of it disk_drop drops. */
int disk_take(const char *path, const char *tag, struct vh_err *err);
/* Back to it, where there is one; what was written since is lost. */
int disk_go_back(const char *path, const char *tag, struct vh_err *err);
/* Drops it; 0 when it, or the disk, is not there. */
int disk_drop(const char *path, const char *tag, struct vh_err *err);

#endif
