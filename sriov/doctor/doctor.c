// SPDX-License-Identifier: Apache-2.0
#include "sriov/doctor/doctor.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/doctor/finding.h"
#include "sriov/doctor/function.h"
#include "sriov/doctor/pair.h"
#include "sriov/doctor/port.h"
#include "sriov/function/function.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "sriov/pci/pci.h"

/* --- a PF */

static void say_firmware(struct vh_doctor *d, const struct vh_pf *pf)
{
	vh_autofree char *mend = vh_strf("mstconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=16, then reboot", pf->address);
	struct vh_config c;
	char vendor[5];

	vh_pci_hex(d->root, pf->address, "vendor", 4, vendor);
	if (pf->vfs_max)
		vh_doctor_say(d, pf->address, "firmware", VH_OK, NULL, "it offers %u VFs", pf->vfs_max);
	else if (!strcmp(vendor, "15b3"))
		vh_doctor_say(d, pf->address, "firmware", VH_WRONG, mend, "it offers no VFs");
	else if (vh_config_read(d->root, pf->address, &c) == 0 && vh_config_ecap(&c, VH_ECAP_SRIOV))
		vh_doctor_say(d, pf->address, "firmware", VH_WRONG, "SR-IOV on in the machine's firmware, and pci=realloc",
			      "it could have VFs, and the kernel offers none");
	else
		vh_doctor_say(d, pf->address, "firmware", VH_UNKNOWN, NULL, "it offers no VFs");
}

static void say_driver(struct vh_doctor *d, const struct vh_pf *pf)
{
	vh_autofree char *name = vh_pci_link(d->root, pf->address, "driver");
	vh_autofree char *mend = vh_strf("vhpc sriov release %s", pf->address);

	if (name)
		vh_doctor_say(d, pf->address, "driver", VH_OK, NULL, "%s", name);
	else
		vh_doctor_say(d, pf->address, "driver", VH_WRONG, mend, "none is bound");
}

/* The stored number; -1: none. */
static long wanted_vfs(struct vh_doctor *d, const char *address)
{
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autojson doc = NULL;
	const json_t *vfs;

	if (vh_record_get(d->store, VH_WANTED, address, &doc, &ignored) < 0)
		return -1;
	vfs = json_object_get(json_object_get(doc, "state"), "vfs");
	return json_is_integer(vfs) ? (long)json_integer_value(vfs) : -1;
}

static void say_count(struct vh_doctor *d, const struct vh_pf *pf)
{
	vh_autofree char *create = vh_strf("vhpc sriov create %s -n %u", pf->address, pf->vfs_max);
	long wanted = wanted_vfs(d, pf->address);

	if (!pf->vfs_max)
		return;
	if (wanted >= 0 && wanted != pf->vfs)
		vh_doctor_say(d, pf->address, "VFs", VH_WRONG, "vhpc sriov restore", "%u, and %ld are wanted", pf->vfs, wanted);
	else if (pf->n != pf->vfs)
		vh_doctor_say(d, pf->address, "VFs", VH_WRONG, create, "%u made, and %zu are there", pf->vfs, pf->n);
	else if (!pf->vfs && d->asked)
		vh_doctor_say(d, pf->address, "VFs", VH_WRONG, create, "none of %u is made", pf->vfs_max);
	else
		vh_doctor_say(d, pf->address, "VFs", VH_OK, NULL, "%u of %u", pf->vfs, pf->vfs_max);
}

static void say_iommu(struct vh_doctor *d, const char *address)
{
	vh_autostrv groups = NULL;

	if (vh_root_list(d->root, &groups, "sys/kernel/iommu_groups") == 0 && *groups)
		vh_doctor_say(d, address, "IOMMU", VH_OK, NULL, "%zu groups", vh_strv_len(groups));
	else
		vh_doctor_say(d, address, "IOMMU", VH_WRONG,
			      "VT-d or AMD-Vi on in the firmware; intel_iommu=on on Intel's kernel command line",
			      "the kernel has no IOMMU groups");
}

/* Of many VFs those that are well are one row. */
static void say_functions(struct vh_doctor *d, const struct vh_pf *pf)
{
	size_t well = 0;

	for (size_t i = 0; i < pf->n; i++) {
		vh_autofindings of_one = VH_FINDINGS_NONE;
		struct vh_findings *all = d->findings;

		d->findings = &of_one;
		vh_doctor_function(d, pf, &pf->fn[i]);
		d->findings = all;
		if (of_one.count[VH_WRONG] + of_one.count[VH_UNKNOWN])
			vh_findings_join(all, &of_one);
		else
			well++;
	}
	if (well)
		vh_doctor_say(d, pf->address, pf->ib ? "group, vfio, guid" : "group, vfio", VH_OK, NULL, "%zu of %zu VFs",
			      well, pf->n);
}

static int one_pf(struct vh_doctor *d, const struct vh_sriov *s, const char *address, int only, struct vh_err *err)
{
	vh_autopf pf = { 0 };
	int r = vh_pf_observe(s, address, &pf, err);
	const struct vh_fn *fn;

	if (r < 0)
		return r;
	say_firmware(d, &pf);
	say_driver(d, &pf);
	say_count(d, &pf);
	say_iommu(d, address);
	fn = only < 0 ? NULL : vh_pf_find(&pf, only, "");
	if (fn)
		vh_doctor_function(d, &pf, fn);
	else
		say_functions(d, &pf);
	/* A VF that the host's driver has shows its port itself. */
	if (fn && vh_root_exists(d->root, VH_PCI_DIR "/%s/infiniband", fn->address))
		vh_doctor_ports(d, fn->address);
	else
		vh_doctor_ports(d, address);
	return 0;
}

/* --- any device */

static int one_gpu(struct vh_doctor *d, const struct vh_pci_device *gpu, struct vh_err *err)
{
	const struct vh_pf none = { 0 };
	struct vh_fn fn = { .index = -1 };
	int r;

	memcpy(fn.address, gpu->address, sizeof(fn.address));
	r = vh_fn_observe(d->root, &fn, err);
	if (r < 0)
		return r;
	say_iommu(d, fn.address);
	vh_doctor_function(d, &none, &fn);
	vh_doctor_pair(d, gpu);
	return 0;
}

/* Unasked: HCAs, and PFs that have VFs or are to have some. */
static bool is_interesting(struct vh_doctor *d, const struct vh_pci_device *device)
{
	return device->function != VH_PCI_VF &&
	       (device->kind == VH_PCI_HCA || (device->function == VH_PCI_PF && device->kind != VH_PCI_NVME &&
					       (device->vfs > 0 || wanted_vfs(d, device->address) >= 0)));
}

static int one_device(struct vh_doctor *d, const struct vh_sriov *s, const struct vh_pci_device *device,
		      struct vh_err *err)
{
	if (device->kind == VH_PCI_GPU)
		return one_gpu(d, device, err);
	if (d->asked && device->function == VH_PCI_VF && device->vf >= 0)
		return one_pf(d, s, device->pf, device->vf, err);
	if (d->asked || is_interesting(d, device))
		return one_pf(d, s, device->address, -1, err);
	return 0;
}

/* An address, or "PF/INDEX". */
static int find_device(struct vh_doctor *d, const char *text, char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	char pf[VH_PCI_ADDRESS_SIZE];
	int index;

	return strchr(text, '/') ? vh_check_vf(d->root, text, pf, &index, ret, err) : vh_check_device(d->root, text, ret, err);
}

static int examine(struct vh_doctor *d, const struct vh_sriov *s, const char *device, struct vh_err *err)
{
	char address[VH_PCI_ADDRESS_SIZE] = "";
	const struct vh_pci_device *asked;
	int r = device ? find_device(d, device, address, err) : 0;

	if (r == 0)
		r = vh_sriov_list(d->root, &d->devices, err);
	if (r == 0)
		r = vh_sriov_add_leases(d->store, &d->devices, err);
	asked = r == 0 && device ? vh_pci_devices_find(&d->devices, address) : NULL;
	if (r == 0 && device)
		r = asked ? one_device(d, s, asked, err) :
			    vh_err_refuse(err, EINVAL, "%s: it is no network controller, GPU or NVMe", address);
	for (size_t i = 0; r == 0 && !device && i < d->devices.n; i++)
		r = one_device(d, s, &d->devices.v[i], err);
	return r == 0 && d->findings->no_memory ? vh_err_nomem(err) : r;
}

int vh_sriov_doctor_with(const struct vh_sriov *s, const char *device, struct vh_findings *ret, struct vh_err *err)
{
	struct vh_doctor d = { .root = s->root, .store = s->store, .findings = ret, .asked = device };
	int r = examine(&d, s, device, err);

	vh_pci_devices_clear(&d.devices);
	return r;
}

int vh_sriov_doctor(const char *root, const char *state, const char *device, struct vh_findings *ret,
		    struct vh_err *err)
{
	struct vh_sriov s = { .ops = &vh_sriov_kernel };
	vh_autostore store = NULL;
	vh_autoroot r = NULL;
	int result;

	if ((result = vh_root_open(&r, root, err)) < 0 || (result = vh_store_open(&store, state, VH_STORE_READ, err)) < 0)
		return result;
	s.root = r;
	s.store = store;
	return vh_sriov_doctor_with(&s, device, ret, err);
}
