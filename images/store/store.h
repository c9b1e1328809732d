// SPDX-License-Identifier: Apache-2.0
/* How an image lies in a directory, and how it gets into the store. */
#ifndef VH_IMAGE_STORE_H
#define VH_IMAGE_STORE_H

#include <stdbool.h>
#include <jansson.h>
#include "lib/err.h"

#define VH_IMAGE_SCHEMA "vhpc.image/1"

/* The files that an image may have, image.json last; ends with NULL. */
extern const struct vh_image_file { const char *name; bool always; } vh_image_files[];

/* STORE/NAME/image.json, checked; -ENOENT without error text when there is none. */
int vh_image_json(const char *store, const char *name, json_t **ret, struct vh_err *err);

/* A directory for one writer: PARENT/.PREFIX-PID, with a lock beside it that ends with
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

/* Makes STORE/NAME the image that lies in dir (hard links, copies across file systems). */
int vh_image_install(const char *dir, const char *store, const char *name, struct vh_err *err);
/* RFC 3339, or empty. */
void vh_image_built(const char *store, const char *name, char *buf, size_t len);
int vh_image_remove(const char *store, const char *name, struct vh_err *err);

#endif
