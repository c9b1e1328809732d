// SPDX-License-Identifier: Apache-2.0
/* The root disk was made larger than its image: partition and file system follow. Both do
 * nothing where there is nothing to grow, and may be repeated. why: set when they fail. */
#ifndef VH_GROW_H
#define VH_GROW_H

/* dev: "/dev/vda2", not mounted; a whole disk has no partition to grow. */
int vh_grow_partition(const char *dev, const char **why);
/* dev is mounted on where, for writing. */
int vh_grow_ext4(const char *dev, const char *where, const char **why);
/* The UUID of the ext4 file system on dev; -1 when there is none. */
int vh_ext4_uuid(const char *dev, char uuid[37]);

#endif
