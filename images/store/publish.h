// SPDX-License-Identifier: Apache-2.0
/* Images that leave the store, and come back. */
#ifndef VH_PUBLISH_H
#define VH_PUBLISH_H

#include <signal.h>
#include <stdbool.h>
#include "images/images.h"

/* The files of a published image, in the order of SHA256SUMS; ends with a name of NULL. */
extern const struct vh_published {
	const char *name;
	bool always;		/* what is not belongs to formats of which an image need not have one */
	bool disk;		/* as large as the root disk, others at most 64 MiB */
	const char *as;		/* the file of the store that it is, byte for byte; NULL: none */
} vh_published[];

/* Writes the disk that the image boots by that way to path: "raw" (sparse), or "qcow2"
 * compressed with zstd. The file appears whole. */
int vh_image_export_disk(const char *store, const char *name, enum vh_boot boot, const char *format,
			 const char *path, struct vh_err *err);
/* The same, not whole on failure; stop: what a signal's handler sets, or NULL. */
int vh_image_write_disk(const struct vh_image *image, enum vh_boot boot, const char *format, const char *path,
			const volatile sig_atomic_t *stop, struct vh_err *err);
/* Makes DIR/NAME: kernel, initrd, root.qcow2, image.json, sbom.spdx.json, glance.json, SHA256SUMS;
 * and, as its formats are, stub.efi, disk.qcow2 and glance-uefi.json, or root.squashfs. */
int vh_image_publish_to(const char *store, const char *name, const char *dir, struct vh_err *err);
#endif
