// SPDX-License-Identifier: Apache-2.0
/* Memory of a NUMA node. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

/* Bytes of a line "MemFree:  123 kB", after whatever stands before it. */
static uint64_t field(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	uint64_t kb;

	return at && sscanf(at + strlen(key), "%" SCNu64, &kb) == 1 && kb < UINT64_MAX >> 10 ? kb << 10 : 0;
}

/* Where there is one node, memory that was added while the system ran may be counted for
 * the machine but not for the node. */
static bool only_node(const struct vh_root *root)
{
	vh_autofree char *online = NULL;

	return vh_root_read(root, &online, "sys/devices/system/node/online") < 0 ||
	       !strpbrk(online, "-,");
}

int vh_node_memory(const struct vh_root *root, unsigned node, uint64_t *ret_total, uint64_t *ret_free)
{
	vh_autofree char *text = NULL;
	bool only = only_node(root);
	int r = only ? vh_root_read(root, &text, "proc/meminfo")
		     : vh_root_read(root, &text, "sys/devices/system/node/node%u/meminfo", node);
	uint64_t total, left;

	if (r < 0)
		return r;
	total = field(text, "MemTotal:");
	left = only ? field(text, "MemAvailable:")
		    : field(text, "MemFree:") + field(text, "Active(file):") + field(text, "Inactive(file):");
	if (!total)
		return -ENODATA;
	*ret_total = total;
	*ret_free = left < total ? left : total;
	return 0;
}
