// SPDX-License-Identifier: Apache-2.0
/* What a GPU brings along, and what of it can be had in parts. */
#include "sriov/inventory/gpu.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/inventory/json.h"
#include "sriov/inventory/nvml.h"
#include "sriov/pci/pci.h"

/* All functions of the slot that share its IOMMU group, itself included; a strv, NULL without memory. */
static char **slot_functions(const struct vh_root *root, const char *address)
{
	vh_autostrv members = vh_pci_names(root, address, "iommu_group/devices");
	vh_autostrv same = NULL;

	for (char **m = members; m && *m; m++)
		if (vh_pci_is_address(*m) && !strncmp(*m, address, strlen(address) - 1) && vh_strv_push(&same, *m) < 0)
			return NULL;
	if (!same && vh_strv_push(&same, address) < 0)
		return NULL;
	return vh_steal(&same);
}

/* Adds the 64-bit prefetchable BARs of a function; *largest sets the alignment of all. */
static void add_bars(const struct vh_root *root, const char *address, uint64_t *sum, uint64_t *largest)
{
	struct vh_pci_bar bars[VH_PCI_RESOURCES];

	if (vh_pci_resources(root, address, bars) < 0)
		return;
	for (int i = 0; i < VH_PCI_BARS; i++) {
		uint64_t size = bars[i].size;

		if (bars[i].io || !bars[i].prefetch || !bars[i].wide)
			continue;
		*sum = *sum > UINT64_MAX - size ? UINT64_MAX : *sum + size;
		*largest = size > *largest ? size : *largest;
	}
}

/* A bridge's window is as large as its BARs together, and aligned like the largest. */
static json_t *window(const struct vh_root *root, char *const *functions)
{
	uint64_t sum = 0, largest = 1;

	for (; *functions; functions++)
		add_bars(root, *functions, &sum, &largest);
	if (sum > INT64_MAX / 2)
		return json_null();
	return json_integer((json_int_t)((sum + largest - 1) / largest * largest));
}

static json_t *mdev_types(const struct vh_root *root, const char *address)
{
	vh_autostrv types = vh_pci_names(root, address, "mdev_supported_types");
	json_t *list = json_array();

	for (char **t = types; t && *t; t++) {
		const char *name = *t;
		vh_autofree char *title = vh_strf("mdev_supported_types/%s/name", name);
		vh_autofree char *left = vh_strf("mdev_supported_types/%s/available_instances", name);
		vh_autofree char *api = vh_strf("mdev_supported_types/%s/device_api", name);

		if (title && left && api)
			json_array_append_new(list, json_pack("{ss so so so}", "type", name,
							      "name", vh_pci_json_file(root, address, title),
							      "available",
							      vh_pci_json_count(vh_pci_count(root, address, left)),
							      "api", vh_pci_json_file(root, address, api)));
	}
	return list;
}

/* "557 : NVIDIA A40-1B": what a VF of such a GPU can become, below a line of headings. */
static json_t *vgpu_types(const struct vh_root *root, const char *address)
{
	vh_autofree char *text = vh_pci_text(root, address, "nvidia/creatable_vgpu_types");
	json_t *list = json_array();
	char *rest = text, *line;

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
static int set_mig(const struct vh_root *root, const struct vh_pci_device *gpu, json_t *row)
{
	bool on, pending;
	bool known = vh_root_is_live(root) && gpu->driver && !strcmp(gpu->driver, "nvidia") &&
		     vh_nvml_mig("libnvidia-ml.so.1", gpu->address, &on, &pending) == 0;

	return json_object_set_new(row, "mig", known ? json_boolean(on) : json_null()) |
	       json_object_set_new(row, "mig_pending", known ? json_boolean(pending) : json_null());
}

static int set_hca(const struct vh_root *root, const struct vh_pci_device *gpu, json_t *row)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	enum vh_pci_distance distance = VH_PCI_SYSTEM;
	vh_autoerr ignored = VH_ERR_NONE;
	const struct vh_pci_device *hca;

	if (vh_sriov_list(root, &devices, &ignored) < 0)
		return -ENOMEM;
	hca = vh_pci_nearest_hca(gpu, &devices, &distance);
	return vh_pci_json_add_hca(row, hca ? hca->address : "", distance);
}

int vh_pci_set_gpu(const struct vh_root *root, const struct vh_pci_device *device, json_t *row)
{
	const char *address = device->address;
	vh_autostrv functions = slot_functions(root, address);

	if (!functions ||
	    json_object_set_new(row, "slot_functions", vh_pci_json_names(functions, vh_strv_len(functions))) < 0 ||
	    json_object_set_new(row, "window", window(root, functions)) < 0 ||
	    json_object_set_new(row, "mdev_types", mdev_types(root, address)) < 0 ||
	    json_object_set_new(row, "vgpu_types", vgpu_types(root, address)) < 0)
		return -ENOMEM;
	if (device->kind != VH_PCI_GPU)
		return 0;
	return set_mig(root, device, row) < 0 || set_hca(root, device, row) < 0 ? -ENOMEM : 0;
}
