// SPDX-License-Identifier: Apache-2.0
/* All devices that matter, read by as many threads as they are worth. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/parallel.h"
#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/inventory/device.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/kind.h"
#include "sriov/pci/pci.h"

/* Thousands of VFs are some ten files each: each hundred devices are worth a thread. */
enum { DEVICES_A_THREAD = 100 };

void vh_pci_devices_clear(struct vh_pci_devices *devices)
{
	for (size_t i = 0; devices->v && i < devices->n; i++)
		vh_pci_device_clear(&devices->v[i]);
	free(devices->v);
	*devices = (struct vh_pci_devices){ 0 };
}

static int by_address(const void *address, const void *device)
{
	return strcmp(address, ((const struct vh_pci_device *)device)->address);
}

struct vh_pci_device *vh_pci_devices_find(const struct vh_pci_devices *devices, const char *address)
{
	return devices->n ? bsearch(address, devices->v, devices->n, sizeof(*devices->v), by_address) : NULL;
}

/* A VF's index, and what the PF has set of it. A VF without driver speaks what its PF does. */
static int tell_vf(const struct vh_pci_device *pf, const struct vh_pci_vf *vf, const struct vh_pf *set,
		   struct vh_pci_device *device)
{
	const struct vh_fn *fn = vh_pf_find(set, vf->index, vf->address);

	if (!device || strcmp(device->pf, pf->address))
		return 0;
	device->vf = vf->index;
	if (!fn || !fn->have)
		return 0;
	device->set = malloc(sizeof(*fn));
	if (!device->set)
		return -ENOMEM;
	*device->set = *fn;
	return 0;
}

/* Only a PF knows its VFs' indexes and what is set of them, and it is asked once. */
static int ask_pf(const struct vh_root *root, const struct vh_pci_device *pf, const struct vh_pci_devices *devices)
{
	vh_autoroot near = NULL;
	vh_autovfs vfs = { 0 };
	vh_autopf set = { 0 };
	int r;

	if (vh_root_near(&near, root, VH_PCI_DIR "/%s", pf->address) < 0)
		return 0;
	r = vh_pci_vfs(near, pf->address, &vfs);
	if (r == 0)
		r = vh_pf_attributes(near, pf->address, &vfs, &set);
	for (size_t i = 0; r == 0 && i < vfs.n; i++)
		r = tell_vf(pf, &vfs.v[i], &set, vh_pci_devices_find(devices, vfs.v[i].address));
	return r;
}

static int ask_pfs(const struct vh_root *root, const struct vh_pci_devices *devices)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < devices->n; i++)
		if (devices->v[i].function == VH_PCI_PF && devices->v[i].vfs != 0)
			r = ask_pf(root, &devices->v[i], devices);
	for (size_t i = 0; r == 0 && i < devices->n; i++) {
		const struct vh_pci_device *pf = vh_pci_devices_find(devices, devices->v[i].pf);

		if (pf && pf->kind == VH_PCI_HCA && pf->function == VH_PCI_PF && pf->vfs != 0)
			devices->v[i].kind = VH_PCI_HCA;
	}
	return r;
}

static void pair_gpus(const struct vh_pci_devices *devices)
{
	for (size_t i = 0; i < devices->n; i++) {
		struct vh_pci_device *gpu = &devices->v[i];
		const struct vh_pci_device *hca = gpu->kind != VH_PCI_GPU ? NULL :
						  vh_pci_nearest_hca(gpu, devices, &gpu->hca_distance);

		if (hca)
			memcpy(gpu->hca, hca->address, sizeof(gpu->hca));
	}
}

struct reading {
	const struct vh_root *root;
	char **names;
	struct vh_pci_device *devices;	/* by name; without address: none of ours */
	atomic_bool no_memory;
};

/* Nothing comes of what is no device of ours, or has gone meanwhile. */
static void read_device(void *arg, size_t i)
{
	struct reading *all = arg;
	const char *address = all->names[i];
	enum vh_pci_kind kind;
	vh_autoroot near = NULL;
	int r = vh_pci_is_address(address) ? vh_root_near(&near, all->root, VH_PCI_DIR "/%s", address) : -EINVAL;

	kind = r == 0 ? vh_pci_own_kind(near, address) : VH_PCI_OTHER;
	if (kind != VH_PCI_OTHER)
		r = vh_pci_device_read(near, address, kind, &all->devices[i]);
	if (r == -ENOMEM)
		all->no_memory = true;
}

static int read_devices(const struct vh_root *root, char **names, struct vh_pci_devices *ret)
{
	size_t n = vh_strv_len(names), threads = n / DEVICES_A_THREAD + 1, processors = vh_processors();
	struct reading all = { .root = root, .names = names, .devices = calloc(n + 1, sizeof(*all.devices)) };

	if (!all.devices)
		return -ENOMEM;
	vh_parallel(n, threads < processors ? threads : processors, read_device, &all);
	ret->v = all.devices;
	for (size_t i = 0; i < n; i++)
		if (*all.devices[i].address)
			ret->v[ret->n++] = all.devices[i];
	return all.no_memory ? -ENOMEM : 0;
}

int vh_sriov_list(const struct vh_root *root, struct vh_pci_devices *ret, struct vh_err *err)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	vh_autostrv names = NULL;
	int r = vh_root_list(root, &names, VH_PCI_DIR);

	if (r < 0 && r != -ENOENT)
		return vh_err_set(err, -r, "%s: %s: %s", vh_root_path(root), VH_PCI_DIR, strerror(-r));
	if (read_devices(root, names, &devices) < 0 || ask_pfs(root, &devices) < 0)
		return vh_err_nomem(err);
	pair_gpus(&devices);
	*ret = devices;
	devices = (struct vh_pci_devices)VH_PCI_DEVICES_NONE;
	return 0;
}
