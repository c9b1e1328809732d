// SPDX-License-Identifier: Apache-2.0
/* How an image lies in a directory, gets into the store, leaves it and comes back. What other
 * directories need of it is images/images.h. */
#ifndef VH_IMAGE_STORE_H
#define VH_IMAGE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include "images/store/diff.h"
#include "images/store/import.h"
#include "images/store/members.h"
#include "images/store/publish.h"
#include "images/store/sbom.h"
#include "lib/err.h"

#define VH_IMAGE_SCHEMA "vhpc.image/1"

/* The files that an image may have, image.json last; ends with NULL. */
extern const struct vh_image_file { const char *name; bool always; } vh_image_files[];

/* STORE/NAME/image.json, checked; -ENOENT without error text when there is none. */
int vh_image_json(const char *store, const char *name, json_t **ret, struct vh_err *err);

/* Brings to disk the files of the image that lies in dir, and their names. */
int vh_image_sync(const char *dir, struct vh_err *err);
/* Makes STORE/NAME the image that lies in dir (hard links, copies across file systems); on disk when it returns. */
int vh_image_install(const char *dir, const char *store, const char *name, struct vh_err *err);
/* RFC 3339, or empty. */
void vh_image_built(const char *store, const char *name, char *buf, size_t len);
int vh_image_remove(const char *store, const char *name, struct vh_err *err);

#endif
