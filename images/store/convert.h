// SPDX-License-Identifier: Apache-2.0
/* Disks from one format to another, by qemu-img without rights. */
#ifndef VH_CONVERT_H
#define VH_CONVERT_H

#include <signal.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_convert {
	const char *format;	/* of from: "raw" or "qcow2" */
	const char *from;	/* a file that others may read */
	const char *to_format;	/* "raw" (sparse), or "qcow2" compressed with zstd */
	const char *to;		/* is made, mode 0644, on disk; not whole on failure */
	uint64_t max;		/* bytes that it may become; 0: any */
	const volatile sig_atomic_t *stop;	/* what a signal's handler sets, or NULL */
};

int vh_convert(const struct vh_convert *c, struct vh_err *err);

#endif
