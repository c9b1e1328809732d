// SPDX-License-Identifier: Apache-2.0
/* Ways to the shared region's memory: a file, the memory BAR of an ivshmem device, or a devdax
 * device, where the host shares its memory as an NVDIMM. */
#ifndef VH_IVSHM_MAP_H
#define VH_IVSHM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ivshm_mapping {
	void *base;
	size_t size;
	const char *by;		/* "file", "resource2_wc", "resource2", "devdax" */
	char path[256];
	bool cached;		/* loads come from the cache; else stores need fences */
	double load_ns;
};

/* path: a file, a device of sysfs (its directory), a devdax device (/dev/daxX.Y), or NULL: the
 * first ivshmem device, by the first way that is cached, else by the one that loads fastest.
 * -ENODEV no device, -EACCES and the like: ret->path is what could not be opened. */
int ivshm_map(const char *path, struct ivshm_mapping *ret);
/* Harmless where nothing is mapped. */
void ivshm_unmap(struct ivshm_mapping *m);

/* Bytes of the devdax device of that number, as sysfs (root, usually /sys) tells them
 * (Documentation/ABI/testing/sysfs-bus-dax). -ENODEV: it tells of none, -EINVAL: no size. */
int ivshm_dax_size(const char *root, unsigned major, unsigned minor, size_t *ret);

#endif
