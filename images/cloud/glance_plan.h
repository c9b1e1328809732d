// SPDX-License-Identifier: Apache-2.0
/* What of an image goes to Glance, and what has to be done there for it: pure, from what Glance has. */
#ifndef VH_GLANCE_PLAN_H
#define VH_GLANCE_PLAN_H

#include <jansson.h>
#include <sha512.h>
#include <stdbool.h>
#include <stdint.h>
#include "images/cache/cache.h"

enum { VH_UUID_LEN = 37 };	/* with NUL */

/* One image of Glance's. */
struct vh_glance_item {
	char *name;
	char *path;		/* the file */
	uint64_t size;		/* bytes */
	char sha256[VH_DIGEST_HEX], sha512[SHA512_DIGEST_STRING_LENGTH];
	json_t *body;		/* of POST /v2/images, but for the id */
	/* The plan. */
	char id[VH_UUID_LEN];	/* the image's, or which it will have */
	bool there;		/* nothing is to be sent */
	json_t *leftovers;	/* ids: what killed runs left, removed before */
	json_t *others;		/* ids: images of that name that give way after */
};
void vh_glance_item_clear(struct vh_glance_item *item);

/* Items of an image: the disk alone (VH_BOOT_UEFI), or kernel, initrd and disk, in this order. */
enum { VH_GLANCE_ITEMS = 3 };

/* The body of such an item; image is image.json, properties what vh_sbom_glance makes of it. */
json_t *vh_glance_body(const char *name, const char *format, const char *visibility, const json_t *image);
json_t *vh_glance_disk_body(const char *name, const char *visibility, const json_t *properties);
/* The disk that kernel and initrd boot names theirs. */
int vh_glance_link(struct vh_glance_item *disk, const char *kernel_id, const char *ramdisk_id);

/* Looks at the images of that name (Glance's list, whosoever they are): fills in the plan, where item->id
 * is the id that a new one gets. The same bytes in an active image of the project: there. Another one
 * of the name is refused without replace, and with it where it is protected. */
int vh_glance_judge(struct vh_glance_item *item, const json_t *found, const char *project, bool replace,
		    struct vh_err *err);
/* Whether Glance's image has become what was sent; the text says what differs. */
int vh_glance_check(const struct vh_glance_item *item, const json_t *image, struct vh_err *err);

/* A row of the plan: image, id, action (there, send), size, sha512, replaces (ids). */
json_t *vh_glance_row(const struct vh_glance_item *item);

#endif
