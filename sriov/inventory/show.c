// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "sriov/function/function.h"
#include "sriov/inventory/gpu.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/rdma.h"
#include "sriov/inventory/row.h"
#include "sriov/pci/pci.h"

/* The kernel's resource flags and the lines of a device's "resource" file. */
enum { RES_IO = 0x100, RES_MEM = 0x200, RES_PREFETCH = 0x2000, RES_64 = 0x100000 };
enum { FIRST_BAR = 0, LAST_BAR = 5, FIRST_VF_BAR = 7, LAST_VF_BAR = 12 };

static json_t *bar(const char *line, int number)
{
	uint64_t start, end, flags;

	if (sscanf(line, "0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &start, &end, &flags) != 3 ||
	    !(flags & (RES_IO | RES_MEM)) || end <= start)
		return NULL;
	return json_pack("{si sI ss si sb}", "bar", number, "size", (json_int_t)(end - start + 1),
			 "kind", flags & RES_IO ? "io" : "memory", "bits", flags & RES_64 ? 64 : 32,
			 "prefetch", !!(flags & RES_PREFETCH));
}

/* The BARs that lines first..last of the resource file describe. */
static json_t *bars(const struct vh_root *root, const char *address, int first, int last)
{
	vh_autojson list = json_array();
	vh_autofree char *text = NULL;
	char *rest, *line;

	if (vh_root_read(root, &text, VH_PCI_DIR "/%s/resource", address) < 0)
		return vh_steal(&list);
	rest = text;
	for (int i = 0; (line = strsep(&rest, "\n")); i++) {
		json_t *b = i >= first && i <= last ? bar(line, i - first) : NULL;

		if (b && json_array_append_new(list, b) < 0)
			return NULL;
	}
	return vh_steal(&list);
}

/* The words of a file, such as "flr bus". */
static json_t *words(const struct vh_root *root, const char *address, const char *file)
{
	vh_autojson list = json_array();
	vh_autojson text = vh_pci_text(root, address, file);
	vh_autofree char *copy = strdup(json_is_string(text) ? json_string_value(text) : "");
	char *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			json_array_append_new(list, json_string(word));
	return vh_steal(&list);
}

/* "Unknown" and 0 are how a VF, or a device without a PCIe link, answers. */
static json_t *known(json_t *value)
{
	const char *text = json_string_value(value);

	if ((text && !strncmp(text, "Unknown", strlen("Unknown"))) ||
	    (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) > 32))) {
		json_decref(value);
		return json_null();
	}
	return value;
}

static json_t *boolean(json_t *number)
{
	vh_autojson n = number;

	return json_is_integer(n) ? json_boolean(json_integer_value(n)) : json_null();
}

static json_t *subsystem(const struct vh_root *root, const char *address)
{
	vh_autojson vendor = vh_pci_hex(root, address, "subsystem_vendor", 4);
	vh_autojson device = vh_pci_hex(root, address, "subsystem_device", 4);

	if (!json_is_string(vendor) || !json_is_string(device))
		return json_null();
	return json_sprintf("%s:%s", json_string_value(vendor), json_string_value(device));
}

static json_t *vf_addresses(const struct vh_root *root, const char *address)
{
	vh_autojson vfs = vh_pci_vfs(root, address);
	json_t *list = json_array();
	const char *vf;
	json_t *index;

	json_object_foreach(vfs, vf, index)
		json_array_append_new(list, json_string(vf));
	return list;
}

static json_t *details(const struct vh_root *root, const char *address, bool pf)
{
	return json_pack("{so so so so so so so so so so so so so so so so}",
			 "class", vh_pci_hex(root, address, "class", 6),
			 "subsystem", subsystem(root, address),
			 "revision", vh_pci_hex(root, address, "revision", 2),
			 "cpus", vh_pci_text(root, address, "local_cpulist"),
			 "power", vh_pci_text(root, address, "power_state"),
			 "reset_methods", words(root, address, "reset_method"),
			 "ari", boolean(vh_pci_count(root, address, "ari_enabled")),
			 "pcie_speed", known(vh_pci_text(root, address, "current_link_speed")),
			 "pcie_width", known(vh_pci_count(root, address, "current_link_width")),
			 "pcie_speed_max", known(vh_pci_text(root, address, "max_link_speed")),
			 "pcie_width_max", known(vh_pci_count(root, address, "max_link_width")),
			 "iommu_members", vh_pci_names(root, address, "iommu_group/devices"),
			 "bars", bars(root, address, FIRST_BAR, LAST_BAR),
			 "vf_bars", pf ? bars(root, address, FIRST_VF_BAR, LAST_VF_BAR) : json_array(),
			 "vf_addresses", vf_addresses(root, address),
			 "vfs_autoprobe", boolean(vh_pci_count(root, address, "sriov_drivers_autoprobe")));
}

static int set_vf_index(const struct vh_root *root, const char *address, json_t *row)
{
	const char *pf = json_string_value(json_object_get(row, "pf"));
	vh_autojson vfs = pf ? vh_pci_vfs(root, pf) : NULL;
	json_t *index = json_object_get(vfs, address);

	return index ? json_object_set(row, "vf", index) : 0;
}

/* Its override, and what its PF has set of a VF; null for any other device, and where it cannot be asked. */
static json_t *attributes(const struct vh_root *root, const char *address, const json_t *row)
{
	const char *pf = json_string_value(json_object_get(row, "pf"));
	vh_autojson vfs = pf ? vh_pci_vfs(root, pf) : NULL;
	vh_autojson all = pf ? vh_pf_attributes(root, pf, vfs) : NULL;
	vh_autojson override = vh_pci_text(root, address, "driver_override");
	json_t *own = json_object_get(all, address);

	if (!own)
		return json_null();
	if (json_is_string(override) && !strcmp(json_string_value(override), "(null)"))
		json_object_set_new(own, "override", json_null());
	else
		json_object_set(own, "override", override);
	return json_incref(own);
}

int vh_sriov_show(const struct vh_root *root, const char *text, json_t **ret, struct vh_err *err)
{
	vh_autofree char *address = NULL;
	vh_autojson row = NULL;
	vh_autojson more = NULL;
	int r = vh_pci_full_address(text, &address, err);

	if (r < 0)
		return r;
	if (!vh_root_exists(root, VH_PCI_DIR "/%s", address)) {
		vh_err_refuse(err, ENOENT, "there is no PCI device %s", address);
		return vh_err_hint(err, "vhpc sriov list");
	}
	row = vh_pci_row(root, address, vh_pci_kind(root, address));
	if (!row)
		return vh_err_nomem(err);
	more = details(root, address, !strcmp(json_string_value(json_object_get(row, "function")), "pf"));
	if (!more || json_object_update(row, more) < 0 || set_vf_index(root, address, row) < 0 || vh_pci_set_gpu(root, address, row) < 0 ||
	    vh_pci_set_rdma(root, address, row) < 0 ||
	    json_object_set_new(row, "attributes", attributes(root, address, row)) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&row);
	return 0;
}
