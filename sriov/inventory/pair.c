// SPDX-License-Identifier: Apache-2.0
/* Which HCA is nearest to a GPU, by what their ways to the root have in common. */
#include "sriov/inventory/pair.h"

#include <string.h>

#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "sriov/pci/pci.h"

/* From the nearest on: one switch or root port in common, one root complex, one NUMA node. */
static const char *const distances[] = { "switch", "complex", "node", "system" };

/* An index of distances; -1 where a way is not known. */
static int distance(const struct vh_root *root, const json_t *a, const json_t *b)
{
	vh_autostrv way_a = NULL;
	vh_autostrv way_b = NULL;
	size_t common;

	if (vh_pci_way(root, json_string_value(json_object_get(a, "address")), &way_a) < 0 ||
	    vh_pci_way(root, json_string_value(json_object_get(b, "address")), &way_b) < 0)
		return -1;
	common = vh_pci_common(way_a, way_b);
	if (common > 0)
		return common > 1 ? 0 : 1;
	return json_equal(json_object_get(a, "numa"), json_object_get(b, "numa")) ? 2 : 3;
}

static bool is_hca(const json_t *row)
{
	const char *kind = json_string_value(json_object_get(row, "kind"));

	return strcmp(json_string_value(json_object_get(row, "function")), "vf") && kind &&
	       (!strcmp(kind, "ib") || (!strcmp(kind, "ethernet") && json_array_size(json_object_get(row, "ibdevs")) > 0));
}

const json_t *vh_pci_nearest_hca(const struct vh_root *root, const json_t *gpu, const json_t *rows, int *ret_distance)
{
	const json_t *best = NULL, *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		int d = is_hca(row) ? distance(root, gpu, row) : -1;

		if (d < 0 || (best && d >= *ret_distance))
			continue;
		best = row;
		*ret_distance = d;
	}
	return best;
}

int vh_pci_set_pair(const struct vh_root *root, json_t *gpu, const json_t *rows)
{
	int d = 0;
	const json_t *hca = vh_pci_nearest_hca(root, gpu, rows, &d);

	return json_object_set(gpu, "hca", hca ? json_object_get(hca, "address") : json_null()) |
	       json_object_set_new(gpu, "hca_distance", hca ? json_string(distances[d]) : json_null());
}
