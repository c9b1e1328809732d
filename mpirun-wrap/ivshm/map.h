// SPDX-License-Identifier: Apache-2.0
/* Ways to the shared region's memory: a file, or the memory BAR of an ivshmem device. */
#ifndef VH_IVSHM_MAP_H
#define VH_IVSHM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ivshm_mapping {
	void *base;
	size_t size;
	const char *by;		/* "file", "resource2_wc", "resource2" */
	char path[256];
	bool cached;		/* loads come from the cache; else stores need fences */
	double load_ns;
};

/* path: a file, a device of sysfs (its directory), or NULL: the first ivshmem device, by
 * the first way that is cached, else by the one that loads fastest. -ENODEV no device, -EACCES
 * and the like: ret->path is what could not be opened. */
int ivshm_map(const char *path, struct ivshm_mapping *ret);
void ivshm_unmap(struct ivshm_mapping *m);

#endif
