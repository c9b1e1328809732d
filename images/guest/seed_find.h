// SPDX-License-Identifier: Apache-2.0
/* The disk that a cloud leaves a seed on: NoCloud's (label cidata) or a ConfigDrive (config-2),
 * of ISO 9660 or FAT. */
#ifndef VH_SEED_FIND_H
#define VH_SEED_FIND_H

#include "images/guest/seed.h"

struct vh_seed_files { char *text[5]; };	/* in the order of struct vh_seed */

/* 1: read; 0: there is no such disk; -1 with the reason. Mounts it for the while. A machine
 * with a controller for CD-ROMs gets the time that they take to appear. */
int vh_seed_find(struct vh_seed_files *ret, struct vh_seed *ret_seed, char *why, size_t why_len);
/* The same of a directory. */
int vh_seed_read(const char *dir, struct vh_seed_files *ret, struct vh_seed *ret_seed, char *why, size_t why_len);
void vh_seed_files_clear(struct vh_seed_files *f);

/* "cidata" or "config-2" in lower case where head, the first 64 KiB of a disk, has such a
 * label; else NULL. *ret_type: "iso9660" or "vfat". Untrusted. */
const char *vh_seed_label(const unsigned char *head, size_t len, const char **ret_type);

enum { VH_SEED_HEAD = 65536 };

#endif
