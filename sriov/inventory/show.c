// SPDX-License-Identifier: Apache-2.0
/* One device with all that the kernel says of it. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "sriov/function/function.h"
#include "sriov/inventory/device.h"
#include "sriov/inventory/gpu.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/json.h"
#include "sriov/inventory/rdma.h"
#include "sriov/pci/pci.h"

static json_t *bar_json(int number, const struct vh_pci_bar *bar)
{
	return json_pack("{si sI ss si sb}", "bar", number, "size", (json_int_t)bar->size,
			 "kind", bar->io ? "io" : "memory", "bits", bar->wide ? 64 : 32, "prefetch", bar->prefetch);
}

static json_t *bars_json(const struct vh_pci_bar *bars)
{
	json_t *list = json_array();

	for (int i = 0; i < VH_PCI_BARS; i++)
		if (bars[i].size)
			json_array_append_new(list, bar_json(i, &bars[i]));
	return list;
}

/* The words of a file, such as "flr bus". */
static json_t *words(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = vh_pci_text(root, address, file);
	json_t *list = json_array();
	char *rest = text, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			json_array_append_new(list, json_string(word));
	return list;
}

/* "Unknown" is how a VF, or a device without a PCIe link, answers. */
static json_t *link_speed(const struct vh_root *root, const char *address, const char *file)
{
	vh_autofree char *text = vh_pci_text(root, address, file);

	return vh_pci_json_text(text && strncmp(text, "Unknown", strlen("Unknown")) ? text : NULL);
}

/* So do these with 0, or with more lanes than there can be. */
static json_t *link_width(const struct vh_root *root, const char *address, const char *file)
{
	int64_t lanes = vh_pci_count(root, address, file);

	return lanes > 0 && lanes <= 32 ? json_integer(lanes) : json_null();
}

static json_t *boolean(const struct vh_root *root, const char *address, const char *file)
{
	int64_t is = vh_pci_count(root, address, file);

	return is < 0 ? json_null() : json_boolean(is);
}

static json_t *hex(const struct vh_root *root, const char *address, const char *file, size_t digits)
{
	char text[8];

	vh_pci_hex(root, address, file, digits, text);
	return vh_pci_json_text(text);
}

static json_t *subsystem(const struct vh_root *root, const char *address)
{
	char vendor[5], device[5];

	vh_pci_hex(root, address, "subsystem_vendor", 4, vendor);
	vh_pci_hex(root, address, "subsystem_device", 4, device);
	return *vendor && *device ? json_sprintf("%s:%s", vendor, device) : json_null();
}

static json_t *vf_addresses(const struct vh_root *root, const char *address)
{
	vh_autovfs vfs = { 0 };
	json_t *list = json_array();

	if (vh_pci_vfs(root, address, &vfs) == 0)
		for (size_t i = 0; i < vfs.n; i++)
			json_array_append_new(list, json_string(vfs.v[i].address));
	return list;
}

static json_t *details(const struct vh_root *root, const char *address, bool pf)
{
	struct vh_pci_bar bars[VH_PCI_RESOURCES] = { 0 };

	vh_pci_resources(root, address, bars);
	return json_pack("{so so so so so so so so so so so so so so so so}",
			 "class", hex(root, address, "class", 6),
			 "subsystem", subsystem(root, address),
			 "revision", hex(root, address, "revision", 2),
			 "cpus", vh_pci_json_file(root, address, "local_cpulist"),
			 "power", vh_pci_json_file(root, address, "power_state"),
			 "reset_methods", words(root, address, "reset_method"),
			 "ari", boolean(root, address, "ari_enabled"),
			 "pcie_speed", link_speed(root, address, "current_link_speed"),
			 "pcie_width", link_width(root, address, "current_link_width"),
			 "pcie_speed_max", link_speed(root, address, "max_link_speed"),
			 "pcie_width_max", link_width(root, address, "max_link_width"),
			 "iommu_members", vh_pci_json_dir(root, address, "iommu_group/devices"),
			 "bars", bars_json(bars),
			 "vf_bars", pf ? bars_json(bars + VH_PCI_VF_BAR) : json_array(),
			 "vf_addresses", vf_addresses(root, address),
			 "vfs_autoprobe", boolean(root, address, "sriov_drivers_autoprobe"));
}

/* What its PF has set of a VF, and its override; null where the PF cannot be asked. */
static json_t *attributes(const struct vh_root *root, const char *address, const struct vh_fn *set)
{
	vh_autofree char *override = vh_pci_text(root, address, "driver_override");
	json_t *j = vh_pci_json_set(set && set->have ? set : NULL);

	if (json_is_object(j))
		json_object_set_new(j, "override", vh_pci_json_text(override && strcmp(override, "(null)") ? override : NULL));
	return j;
}

/* Of a VF: what its PF alone knows. */
static int ask_pf(const struct vh_root *root, struct vh_pci_device *device, struct vh_pf *ret_set)
{
	vh_autovfs vfs = { 0 };

	if (device->function != VH_PCI_VF)
		return 0;
	if (vh_pci_vfs(root, device->pf, &vfs) < 0)
		return -ENOMEM;
	device->vf = vh_pci_vf_index(&vfs, device->address);
	return device->vf < 0 ? 0 : vh_pf_attributes(root, device->pf, &vfs, ret_set);
}

static int show_device(const struct vh_root *root, const char *address, json_t **ret)
{
	vh_autodevice device = { 0 };
	vh_autojson row = NULL;
	vh_autojson more = NULL;
	vh_autopf set = { 0 };

	if (vh_pci_device_read(root, address, vh_pci_kind(root, address), &device) < 0 || ask_pf(root, &device, &set) < 0)
		return -ENOMEM;
	row = vh_pci_json_row(&device);
	more = details(root, address, device.function == VH_PCI_PF);
	if (!row || !more || json_object_update(row, more) < 0 || vh_pci_set_gpu(root, &device, row) < 0 ||
	    vh_pci_set_rdma(root, &device, row) < 0 ||
	    json_object_set_new(row, "attributes", attributes(root, address, vh_pf_find(&set, device.vf, address))) < 0)
		return -ENOMEM;
	*ret = vh_steal(&row);
	return 0;
}

int vh_sriov_show(const struct vh_root *root, const char *text, json_t **ret, struct vh_err *err)
{
	char address[VH_PCI_ADDRESS_SIZE];
	int r = vh_check_device(root, text, address, err);

	if (r < 0)
		return r;
	return show_device(root, address, ret) < 0 ? vh_err_nomem(err) : 0;
}
