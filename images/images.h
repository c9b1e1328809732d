// SPDX-License-Identifier: Apache-2.0
/* The image store, as its users see it: STORE/NAME/ holds kernel, initrd, root.ext4,
 * image.json and what more its formats need (docs/formats/image.md). A directory without
 * image.json is no image. */
#ifndef VH_IMAGES_H
#define VH_IMAGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

/* How a machine gets from an image to its root file system. */
enum vh_boot {
	VH_BOOT_DIRECT,		/* kernel and initrd given to it; the disk is the file system */
	VH_BOOT_UEFI,		/* firmware and a partitioned disk, nothing else */
	VH_BOOT_SQUASHFS,	/* as DIRECT, the file system is read-only under an overlay in memory */
	VH_BOOTS
};
extern const char *const vh_boot_names[];	/* "direct", "uefi", "squashfs"; ends with NULL */

struct vh_image {
	char *name;
	char *digest;		/* sha256 of what it was built from, hexadecimal */
	char *suite;		/* "bookworm" */
	char *kernel, *initrd, *root;	/* absolute paths; root is raw ext4, never written to */
	char *kernel_version;
	char *cmdline[VH_BOOTS];	/* what the kernel must be told to find root and console;
				   NULL: the image does not come in that form */
	char *user;		/* login of the cluster's users; root has the same keys */
	char *mpi, *mpi_version;	/* "openmpi", "4.1.4" */
	bool slurmctld, slurmd;	/* whether its recipe enables these, so that a node can run them */
	bool nfs_server;	/* whether it has nfs-kernel-server, so that a node can export */
	uint64_t root_size;	/* bytes, virtual */
	char *dir;		/* absolute */
};

/* The store directory: explicit (--store), VHPC_STORE, or STATE/images; malloc'd. */
char *vh_image_store(const char *option, const char *state);

/* -ENOENT, refused, with the nearest name or how to build one as hint. */
int vh_image_find(const char *store, const char *name, struct vh_image **ret, struct vh_err *err);
void vh_image_free(struct vh_image *image);
static inline void vh_image_freep(struct vh_image **i) { vh_image_free(*i); }

/* Whether its kernel has the module, given by its path below the modules' directory ("kernel/fs/fuse/virtiofs"), to be loaded or
 * built in. */
int vh_image_has_module(const struct vh_image *image, const char *module, bool *ret, struct vh_err *err);

/* Refused unless the image comes in that form. */
int vh_image_check_boot(const struct vh_image *image, enum vh_boot boot, struct vh_err *err);
/* Bytes of the disk that a machine boots by, at least. */
uint64_t vh_image_disk_size(const struct vh_image *image, enum vh_boot boot);
/* Puts the disk that a machine boots by into path, sparse: a second name of the image's own
 * file, never to be written to, or for VH_BOOT_UEFI a new one. */
int vh_image_disk(const struct vh_image *image, enum vh_boot boot, const char *path, struct vh_err *err);

/* Rows: name, suite, kernel, mpi, size (bytes on disk), digest, built (RFC 3339). */
int vh_image_list(const char *store, json_t **ret, struct vh_err *err);

#endif
