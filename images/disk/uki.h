// SPDX-License-Identifier: Apache-2.0
/* A unified kernel image: systemd's EFI stub with kernel, initrd and command line as sections
 * (the UAPI group's specification of it). */
#ifndef VH_UKI_H
#define VH_UKI_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/err.h"

struct vh_uki_section {
	const char *name;	/* ".linux"; at most 8 */
	const void *data;
	size_t len;
};

/* Whether it is a PE file for x86-64, by its real length, with room for the sections of a unified kernel image. */
bool vh_uki_is_stub(const void *stub, size_t stub_len);

/* The sections behind those that stub (a PE file for x86-64) has; nothing in it depends on
 * the time. *ret is malloc'd. -EBADMSG: stub is none, or has no room for them in its header. */
int vh_uki_make(const void *stub, size_t stub_len, const struct vh_uki_section *sections, size_t n,
		char **ret, size_t *ret_len, struct vh_err *err);

#endif
