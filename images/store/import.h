// SPDX-License-Identifier: Apache-2.0
/* Images of others: a border. */
#ifndef VH_IMPORT_H
#define VH_IMPORT_H

#include "lib/err.h"

/* Takes a directory that publish made into the store, under the name that its image.json tells; *ret_name is malloc'd.
 * Nothing in it is trusted: its files are copied once (links and what is no file are refused), their hashes are
 * those of SHA256SUMS, every member of image.json is one that the store writes, the disk is a qcow2 that
 * reaches no other file, converted without rights, and the EFI stub is one. -EBADMSG, -ENOENT, refused. */
int vh_image_import_from(const char *store, const char *dir, char **ret_name, struct vh_err *err);

#endif
