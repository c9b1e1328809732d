// SPDX-License-Identifier: Apache-2.0
/* The image store, as its users see it: STORE/NAME/ holds kernel, initrd, root.ext4
 * and image.json (docs/formats/image.md). A directory without image.json is no image. */
#ifndef VH_IMAGES_H
#define VH_IMAGES_H

#include <jansson.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_image {
	char *name;
	char *digest;		/* sha256 of what it was built from, hexadecimal */
	char *suite;		/* "bookworm" */
	char *kernel, *initrd, *root;	/* absolute paths; root is raw ext4, never written to */
	char *kernel_version;
	char *cmdline;		/* what the kernel must be told to find root and console */
	char *user;		/* login of the cluster's users; root has the same keys */
	char *mpi, *mpi_version;	/* "openmpi", "4.1.4" */
	uint64_t root_size;	/* bytes, virtual */
};

/* The store directory: explicit (--store), VHPC_STORE, or STATE/images; malloc'd. */
char *vh_image_store(const char *option, const char *state);

/* -ENOENT, refused, with the nearest name or how to build one as hint. */
int vh_image_find(const char *store, const char *name, struct vh_image **ret, struct vh_err *err);
void vh_image_free(struct vh_image *image);
static inline void vh_image_freep(struct vh_image **i) { vh_image_free(*i); }

/* Rows: name, suite, kernel, mpi, size (bytes on disk), digest, built (RFC 3339). */
int vh_image_list(const char *store, json_t **ret, struct vh_err *err);

#endif
