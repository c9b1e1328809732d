// SPDX-License-Identifier: Apache-2.0
/* What a GPU brings along, and what of it can be had in parts. */
#include "sriov/inventory/gpu.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/nvml.h"
#include "sriov/inventory/pair.h"
#include "sriov/pci/pci.h"

enum { FLAG_MEMORY = 0x200, FLAG_PREFETCH = 0x2000, FLAG_64 = 0x100000, BARS = 6 };

/* All functions of the slot that share its IOMMU group, itself included. */
static json_t *slot_functions(const struct vh_root *root, const char *address)
{
	vh_autojson members = vh_pci_names(root, address, "iommu_group/devices");
	vh_autojson same = json_array();
	const json_t *member;
	size_t i;

	json_array_foreach(members, i, member)
		if (vh_pci_is_address(json_string_value(member)) &&
		    !strncmp(json_string_value(member), address, strlen(address) - 1))
			json_array_append(same, (json_t *)member);
	if (json_array_size(same) == 0)
		json_array_append_new(same, json_string(address));
	return vh_steal(&same);
}

/* Adds the 64-bit prefetchable BARs of a function; *largest sets the alignment of all. */
static void add_bars(const struct vh_root *root, const char *address, uint64_t *sum, uint64_t *largest)
{
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/resource", address) < 0)
		return;
	rest = text;
	for (int i = 0; i < BARS && (line = strsep(&rest, "\n")); i++) {
		uint64_t start, end, flags, size;

		if (sscanf(line, "0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &start, &end, &flags) != 3 || end <= start ||
		    (flags & (FLAG_MEMORY | FLAG_PREFETCH | FLAG_64)) != (FLAG_MEMORY | FLAG_PREFETCH | FLAG_64))
			continue;
		size = end - start + 1;
		*sum = *sum > UINT64_MAX - size ? UINT64_MAX : *sum + size;
		*largest = size > *largest ? size : *largest;
	}
}

/* A bridge's window is as large as its BARs together, and aligned like the largest. */
static json_t *window(const struct vh_root *root, const json_t *functions)
{
	uint64_t sum = 0, largest = 1;
	const json_t *fn;
	size_t i;

	json_array_foreach(functions, i, fn)
		add_bars(root, json_string_value(fn), &sum, &largest);
	if (sum > INT64_MAX / 2)
		return json_null();
	return json_integer((json_int_t)((sum + largest - 1) / largest * largest));
}

static json_t *mdev_types(const struct vh_root *root, const char *address)
{
	vh_autojson types = vh_pci_names(root, address, "mdev_supported_types");
	json_t *list = json_array();
	const json_t *type;
	size_t i;

	json_array_foreach(types, i, type) {
		const char *name = json_string_value(type);
		vh_autofree char *title = vh_strf("mdev_supported_types/%s/name", name);
		vh_autofree char *left = vh_strf("mdev_supported_types/%s/available_instances", name);
		vh_autofree char *api = vh_strf("mdev_supported_types/%s/device_api", name);

		if (title && left && api)
			json_array_append_new(list, json_pack("{ss so so so}", "type", name,
							      "name", vh_pci_text(root, address, title),
							      "available", vh_pci_count(root, address, left),
							      "api", vh_pci_text(root, address, api)));
	}
	return list;
}

/* "557 : NVIDIA A40-1B": what a VF of such a GPU can become, below a line of headings. */
static json_t *vgpu_types(const struct vh_root *root, const char *address)
{
	vh_autojson text = vh_pci_text(root, address, "nvidia/creatable_vgpu_types");
	vh_autofree char *copy = strdup(json_is_string(text) ? json_string_value(text) : "");
	json_t *list = json_array();
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *name = strchr(line, ':');
		long id = strtol(line, NULL, 10);

		if (name && id > 0)
			json_array_append_new(list, json_pack("{ss# ss}", "type", line, (int)strspn(line, "0123456789"),
							      "name", name + 1 + strspn(name + 1, " \t")));
	}
	return list;
}

/* Null where NVIDIA's library is not installed, or the GPU cannot be cut. */
static int set_mig(const struct vh_root *root, const char *address, json_t *row)
{
	const char *driver = json_string_value(json_object_get(row, "driver"));
	bool on, pending;
	bool known = vh_root_is_live(root) && driver && !strcmp(driver, "nvidia") &&
		     vh_nvml_mig("libnvidia-ml.so.1", address, &on, &pending) == 0;

	return json_object_set_new(row, "mig", known ? json_boolean(on) : json_null()) |
	       json_object_set_new(row, "mig_pending", known ? json_boolean(pending) : json_null());
}

int vh_pci_set_gpu(const struct vh_root *root, const char *address, json_t *row)
{
	vh_autojson functions = slot_functions(root, address);
	const char *kind = json_string_value(json_object_get(row, "kind"));
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autojson rows = NULL;

	if (json_object_set(row, "slot_functions", functions) < 0 ||
	    json_object_set_new(row, "window", window(root, functions)) < 0 ||
	    json_object_set_new(row, "mdev_types", mdev_types(root, address)) < 0 ||
	    json_object_set_new(row, "vgpu_types", vgpu_types(root, address)) < 0)
		return -ENOMEM;
	if (!kind || strcmp(kind, "gpu"))
		return 0;
	if (set_mig(root, address, row) < 0)
		return -ENOMEM;
	return vh_sriov_list(root, &rows, &ignored) < 0 ? -ENOMEM : vh_pci_set_pair(root, row, rows);
}
