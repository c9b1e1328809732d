// SPDX-License-Identifier: Apache-2.0
/* A function on its way to a guest: its IOMMU group, its driver, its identity. */
#include "sriov/doctor/function.h"

#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

static bool is_vfio(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

/* A member that keeps the group from vfio; *ret_mend is malloc'd. */
static bool is_obstacle(struct vh_doctor *d, const char *own, const char *member, char **ret_what, char **ret_mend)
{
	vh_autofree char *name = vh_pci_link(d->root, member, "driver");
	size_t slot = strlen(own) - 1;
	int64_t class;

	if (!strcmp(own, member))
		return false;
	if (vh_root_read_int(d->root, &class, VH_PCI_DIR "/%s/class", member) == 0 && class >> 16 == 0x06) {
		*ret_what = vh_strf("holds the bridge %s", member);
		*ret_mend = strdup("another slot, or ACS turned on in the firmware");
		return true;
	}
	/* What vhpc sriov bind takes along is none. */
	if (!name || is_vfio(name) || !strcmp(name, "pci-stub") || !strncmp(own, member, slot))
		return false;
	*ret_what = vh_strf("holds %s, which %s has", member, name);
	*ret_mend = vh_strf("vhpc sriov unbind %s", member);
	return true;
}

static void say_group(struct vh_doctor *d, const char *address)
{
	vh_autofree char *group = vh_pci_link(d->root, address, "iommu_group");
	vh_autostrv members = vh_pci_names(d->root, address, "iommu_group/devices");
	vh_autofree char *what = NULL;
	vh_autofree char *mend = NULL;

	if (!group) {
		vh_doctor_say(d, address, "group", VH_WRONG, "VT-d or AMD-Vi on in the firmware; intel_iommu=on on Intel's kernel command line",
			      "it has no IOMMU group");
		return;
	}
	for (char **m = members; m && *m && !what; m++)
		is_obstacle(d, address, *m, &what, &mend);
	if (what)
		vh_doctor_say(d, address, "group", VH_WRONG, mend, "group %s %s", group, what);
	else
		vh_doctor_say(d, address, "group", VH_OK, NULL, "group %s, of %zu", group, vh_strv_len(members));
}

static bool is_leased(struct vh_doctor *d, const char *address)
{
	const struct vh_pci_device *device = vh_pci_devices_find(&d->devices, address);

	return device && device->lease;
}

static void say_vfio(struct vh_doctor *d, const struct vh_fn *fn)
{
	vh_autofree char *mend = vh_strf("vhpc sriov bind %s vfio-pci", fn->address);
	bool wanted = is_vfio(fn->override) || is_leased(d, fn->address);

	if (is_vfio(fn->driver))
		vh_doctor_say(d, fn->address, "vfio", VH_OK, NULL, "%s has it", fn->driver);
	else if (wanted && !vh_root_exists(d->root, "sys/bus/pci/drivers/vfio-pci"))
		vh_doctor_say(d, fn->address, "vfio", VH_WRONG, "modprobe vfio-pci", "the kernel has no vfio-pci");
	else if (wanted)
		vh_doctor_say(d, fn->address, "vfio", VH_WRONG, mend, "%s, and %s has it",
			      is_vfio(fn->override) ? "meant for vfio-pci" : "leased to a VM",
			      fn->driver[0] ? fn->driver : "no driver");
	else
		vh_doctor_say(d, fn->address, "vfio", VH_OK, NULL, "not meant for a VM: %s has it",
			      fn->driver[0] ? fn->driver : "no driver");
}

static const struct vh_fn *twin(const struct vh_pf *pf, const struct vh_fn *fn, uint64_t guid)
{
	for (size_t i = 0; i < pf->n; i++)
		for (unsigned a = VH_FN_NODE_GUID; a <= VH_FN_PORT_GUID; a++)
			if (pf->fn[i].index != fn->index && pf->fn[i].have & VH_FN_BIT(a) && pf->fn[i].value[a] == guid)
				return &pf->fn[i];
	return NULL;
}

static void say_guid(struct vh_doctor *d, const struct vh_pf *pf, const struct vh_fn *fn)
{
	vh_autofree char *mend = vh_strf("vhpc sriov set %s --node-guid GUID --port-guid GUID", fn->address);
	bool seen = false;
	char buf[32];

	for (unsigned a = VH_FN_NODE_GUID; a <= VH_FN_PORT_GUID; a++) {
		const struct vh_fn *other;

		if (!(fn->have & VH_FN_BIT(a)))
			continue;
		seen = true;
		other = twin(pf, fn, fn->value[a]);
		if (fn->value[a] && !other)
			continue;
		if (other && fn->value[a])
			vh_doctor_say(d, fn->address, "guid", VH_WRONG, mend, "%s has the same %s", other->address,
				      vh_fn_attr_name(a));
		else
			vh_doctor_say(d, fn->address, "guid", VH_WRONG, mend, "its %s is all zero", vh_fn_attr_name(a));
		return;
	}
	if (seen)
		vh_doctor_say(d, fn->address, "guid", VH_OK, NULL, "%s",
			      vh_fn_attr_text(VH_FN_NODE_GUID, fn->value[VH_FN_NODE_GUID], buf));
	else
		vh_doctor_say(d, fn->address, "guid", VH_UNKNOWN, NULL, "its PF's driver does not tell it");
}

void vh_doctor_function(struct vh_doctor *d, const struct vh_pf *pf, const struct vh_fn *fn)
{
	say_group(d, fn->address);
	say_vfio(d, fn);
	if (fn->index >= 0 && pf->ib)
		say_guid(d, pf, fn);
}
