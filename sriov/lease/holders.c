// SPDX-License-Identifier: Apache-2.0
/* Who has each device: the VM that leased it, and what this host needs it for. */
#include <string.h>

#include "lib/store/store.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"
#include "sriov/use/use.h"

int vh_sriov_add_leases(struct vh_store *store, struct vh_pci_devices *devices, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	size_t n = 0;
	int r = vh_lease_list(store, "vf", NULL, &leases, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct vh_pci_device *device = vh_pci_devices_find(devices, leases[i].key);

		if (device && !device->lease && !(device->lease = strdup(leases[i].holder)))
			r = vh_err_nomem(err);
	}
	vh_lease_free(leases, n);
	devices->has_leases = r == 0;
	return r;
}

int vh_sriov_add_uses(const struct vh_root *root, struct vh_pci_devices *devices, struct vh_err *err)
{
	vh_autouses uses = { 0 };

	if (vh_uses_load(root, &uses) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < devices->n; i++) {
		struct vh_pci_device *device = &devices->v[i];
		const char *use = vh_host_use(&uses, device->address);

		device->use = use ? strdup(use) : vh_fn_user(root, &uses, device->address);
	}
	return 0;
}
