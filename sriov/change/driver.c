// SPDX-License-Identifier: Apache-2.0
/* Which driver has a function: bind, unbind, release, reset. */
#include "sriov/change/driver.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/change/apply_driver.h"
#include "sriov/change/check.h"
#include "sriov/change/journal.h"
#include "sriov/inventory/inventory.h"
#include "sriov/pci/pci.h"

int vh_sriov_locate(struct vh_sriov *s, const char *text, struct vh_pf *ret, struct vh_err *err)
{
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autofree char *pf = NULL;
	int index = -1, r;

	if (!strchr(text, '/') && (r = vh_check_device(s->root, text, address, err)) < 0)
		return r;
	pf = strchr(text, '/') ? NULL : vh_pci_link(s->root, address, "physfn");
	if (strchr(text, '/') || pf) {
		if ((r = vh_check_vf(s->root, text, ret->address, &index, address, err)) < 0)
			return r;
	} else {
		memcpy(ret->address, address, sizeof(ret->address));
	}
	return vh_pf_add(ret, index, address) ? 0 : vh_err_nomem(err);
}

int vh_sriov_companions(struct vh_sriov *s, struct vh_pf *want, struct vh_err *err)
{
	vh_autostrv members = vh_pci_names(s->root, want->fn[0].address, "iommu_group/devices");
	size_t slot = strlen(want->fn[0].address) - 1;

	if (want->fn[0].index >= 0 || vh_pci_kind(s->root, want->fn[0].address) != VH_PCI_GPU)
		return 0;
	for (char **m = members; m && *m; m++)
		if (vh_pci_is_address(*m) && !strncmp(*m, want->fn[0].address, slot) &&
		    strcmp(*m, want->fn[0].address) && !vh_pf_add(want, -1, *m))
			return vh_err_nomem(err);
	return 0;
}

static int check_driver(struct vh_sriov *s, const char *driver, struct vh_err *err)
{
	if (!vh_driver_is_name(driver))
		return vh_err_usage(err, "'%.40s' is no name of a driver", driver);
	if (vh_root_exists(s->root, "sys/bus/pci/drivers/%s", driver))
		return 0;
	vh_err_refuse(err, ENOENT, "the kernel has no PCI driver %s", driver);
	return vh_err_hint(err, "modprobe %s", driver);
}

/* A fabric's subnet manager passes over a port whose GUID is all zero. */
static int check_guids(struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	const struct vh_fn *c;
	vh_autopf cur = { 0 };
	int r = vh_pf_observe(s, want->address, &cur, err);

	if (r < 0 || !cur.ib || want->fn[0].index < 0 || !(c = vh_pf_find(&cur, want->fn[0].index, "")))
		return r;
	for (unsigned a = VH_FN_NODE_GUID; a <= VH_FN_PORT_GUID; a++)
		if (c->have & VH_FN_BIT(a) && !c->value[a]) {
			vh_err_refuse(err, EINVAL, "%s: its %s is all zero", c->address, vh_fn_attr_name(a));
			return vh_err_hint(err, "vhpc sriov set %s --node-guid GUID --port-guid GUID", c->address);
		}
	return 0;
}

/* All functions of want get the driver and the override; those taken along too. */
int vh_driver_change(struct vh_sriov *s, struct vh_pf *want, const char *driver, const char *override,
		     enum vh_keep keep, struct vh_err *err)
{
	for (size_t i = 0; i < want->n; i++) {
		struct vh_fn *fn = &want->fn[i], now = *fn;
		int r = vh_check_free(s, fn->address, err);

		if (r == 0)
			r = vh_fn_observe(s->root, &now, err);
		if (r < 0)
			return r;
		if (!(now.have & VH_FN_OVERRIDE))
			return vh_err_refuse(err, EOPNOTSUPP, "%s: the kernel offers no driver_override", fn->address);
		snprintf(fn->driver, sizeof(fn->driver), "%s", driver);
		fn->have |= VH_FN_DRIVER;
		if (override) {
			snprintf(fn->override, sizeof(fn->override), "%s", override);
			fn->have |= VH_FN_OVERRIDE;
		}
	}
	return vh_sriov_change(s, want, keep, err);
}

static int pf_with_vfs(struct vh_sriov *s, const struct vh_pf *want, const char *what, struct vh_err *err)
{
	int64_t vfs = vh_pci_count(s->root, want->fn[0].address, "sriov_numvfs");

	if (want->fn[0].index >= 0 || vfs <= 0)
		return 0;
	vh_err_refuse(err, EBUSY, "%s: %s it would take its %d VFs with it", want->fn[0].address, what, (int)vfs);
	return vh_err_hint(err, "vhpc sriov create %s -n 0", want->fn[0].address);
}

/* What one VM left in a GPU, the next must not find: it is reset once vfio-pci has it. */
static int prove_reset(struct vh_sriov *s, struct vh_fn *fn, struct vh_err *err)
{
	if (fn->index >= 0 || vh_pci_kind(s->root, fn->address) != VH_PCI_GPU)
		return 0;
	if (vh_root_exists(s->root, VH_PCI_DIR "/%s/reset", fn->address)) {
		fn->have |= VH_FN_RESET;
		return 0;
	}
	if (vh_is_forced(s, fn->address))
		return 0;
	vh_err_refuse(err, EOPNOTSUPP, "%s: the kernel knows no way to reset it between VMs", fn->address);
	return vh_err_hint(err, "a module such as vendor-reset may; --force %s binds it all the same", fn->address);
}

static int bind_locked(struct vh_sriov *s, struct vh_pf *want, const char *driver, struct vh_err *err)
{
	bool vfio = strstr(driver, "vfio");
	struct vh_fn now = want->fn[0];
	int r;

	if ((r = check_driver(s, driver, err)) < 0 || (r = vh_fn_observe(s->root, &now, err)) < 0)
		return r;
	if (vfio && ((r = vh_sriov_companions(s, want, err)) < 0 || (r = vh_check_group(s, want, err)) < 0 ||
		     (r = check_guids(s, want, err)) < 0))
		return r;
	/* Nobody is disturbed by what is so already. */
	if (strcmp(now.driver, driver) == 0 && want->n == 1 && (!vfio || !strcmp(now.override, driver))) {
		memcpy(want->fn[0].driver, now.driver, sizeof(now.driver));
		memcpy(want->fn[0].override, now.override, sizeof(now.override));
		want->fn[0].have = VH_FN_DRIVER | VH_FN_OVERRIDE;
		return vh_sriov_change(s, want, VH_KEEP_MERGE, err);
	}
	if ((r = pf_with_vfs(s, want, "binding", err)) < 0 || (vfio && (r = prove_reset(s, &want->fn[0], err)) < 0))
		return r;
	return vh_driver_change(s, want, driver, vfio ? driver : "", VH_KEEP_MERGE, err);
}

int vh_sriov_bind(struct vh_sriov *s, const char *device, const char *driver, struct vh_err *err)
{
	vh_autoclose int lock = -1;
	vh_autopf want = { 0 };
	int r;

	if ((r = vh_sriov_locate(s, device, &want, err)) < 0 || (r = vh_sriov_enter(s, want.address, &lock, err)) < 0)
		return r;
	return bind_locked(s, &want, driver, err);
}

int vh_sriov_unbind(struct vh_sriov *s, const char *device, struct vh_err *err)
{
	vh_autoclose int lock = -1;
	vh_autopf want = { 0 };
	int r;

	if ((r = vh_sriov_locate(s, device, &want, err)) < 0 || (r = vh_sriov_enter(s, want.address, &lock, err)) < 0 ||
	    (r = pf_with_vfs(s, &want, "unbinding", err)) < 0)
		return r;
	return vh_driver_change(s, &want, "", NULL, VH_KEEP_MERGE, err);
}

/* --- reset */

int vh_sriov_reset(struct vh_sriov *s, const char *device, struct vh_err *err)
{
	vh_autoclose int lock = -1;
	vh_autopf want = { 0 };
	int r;

	if ((r = vh_sriov_locate(s, device, &want, err)) < 0 || (r = vh_sriov_enter(s, want.address, &lock, err)) < 0 ||
	    (r = pf_with_vfs(s, &want, "resetting", err)) < 0 ||
	    (r = vh_check_free(s, want.fn[0].address, err)) < 0)
		return r;
	return vh_fn_reset(s, want.fn[0].address, err);
}
