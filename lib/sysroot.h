// SPDX-License-Identifier: Apache-2.0
/* /sys, /proc and /dev through one root object: a directory descriptor and openat.
 * The live root is "/"; a captured host stands in as any other directory, and then
 * every real effect (write, ioctl, netlink, exec) is refused with -EROFS.
 * Paths have no leading slash and are printf formats; ".." components are refused. */
#ifndef VH_SYSROOT_H
#define VH_SYSROOT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_root;

/* path NULL or "/": this host, live. */
int vh_root_open(struct vh_root **ret, const char *path, struct vh_err *err);
void vh_root_free(struct vh_root *root);
static inline void vh_root_freep(struct vh_root **r) { vh_root_free(*r); }
#define vh_autoroot vh_cleanup(vh_root_freep) struct vh_root *

/* The same root with that directory kept open: what is below it is found from there, which is
 * what makes many files of one device cheap. root must outlive it. -errno. */
int vh_root_near(struct vh_root **ret, const struct vh_root *root, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool vh_root_is_live(const struct vh_root *root);
const char *vh_root_path(const struct vh_root *root);

/* Whole small file (at most 16 MiB), trailing newlines removed; malloc'd. -errno. */
int vh_root_read(const struct vh_root *root, char **ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* One integer: decimal, or hexadecimal with 0x; may be negative (numa_node is -1). */
int vh_root_read_int(const struct vh_root *root, int64_t *ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The last component of a symbolic link's target; malloc'd. */
int vh_root_link_name(const struct vh_root *root, char **ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Whole target of a symbolic link; malloc'd. */
int vh_root_readlink(const struct vh_root *root, char **ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Entries of a directory but "." and "..", sorted; a strv. */
int vh_root_list(const struct vh_root *root, char ***ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool vh_root_exists(const struct vh_root *root, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Opens with flags | O_CLOEXEC; the descriptor or -errno. Write access needs a live root. */
int vh_root_openf(const struct vh_root *root, int flags, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Writes text to an existing file in one write(2), as sysfs wants it. */
int vh_root_write(const struct vh_root *root, const char *text, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
