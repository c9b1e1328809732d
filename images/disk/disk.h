// SPDX-License-Identifier: Apache-2.0
/* What an image boots from: file systems and the initrd, out of a tree, and the disk of firmware. */
#ifndef VH_DISK_H
#define VH_DISK_H

#include <stdint.h>
#include "images/disk/ext4.h"
#include "images/disk/initrd.h"
#include "images/disk/squashfs.h"
#include "images/disk/uki.h"
#include "lib/err.h"

/* The disk that UEFI firmware boots: GPT, EFI system partition with one unified kernel image,
 * and the root file system, last, so that it grows with the disk. */
struct vh_disk {
	const char *stub, *kernel, *initrd, *root;	/* files; root is the file system, raw */
	const char *cmdline;
	const char *digest;	/* of the image: identifiers come from it */
};

/* Writes it to path, sparse and to the disk, without mounting anything; the same bytes from the same files.
 * On failure path may hold a part of it. */
int vh_disk_write(const struct vh_disk *disk, const char *path, struct vh_err *err);

/* What it adds to the root file system's size, in bytes. */
extern const uint64_t vh_disk_overhead;

#endif
