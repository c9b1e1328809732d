// SPDX-License-Identifier: Apache-2.0
/* Images that leave the store, and come back. */
#ifndef VH_PUBLISH_H
#define VH_PUBLISH_H

#include <signal.h>
#include "images/images.h"

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
/* Takes such a directory into the store under its own name, once its checksums hold. */
int vh_image_import_from(const char *store, const char *dir, char **ret_name, struct vh_err *err);

#endif
