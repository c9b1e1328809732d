// SPDX-License-Identifier: Apache-2.0
#include "sriov/change/check.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

int vh_check_free(const struct vh_sriov *s, const char *address, struct vh_err *err)
{
	vh_autouses uses = { 0 };
	vh_autofree char *user = NULL;

	if (vh_is_forced(s, address))
		return 0;
	if (vh_uses_load(s->root, &uses) < 0)
		return vh_err_nomem(err);
	if (vh_host_use(&uses, address)) {
		vh_err_refuse(err, EBUSY, "%s: this host lives on it: %s", address, vh_host_use(&uses, address));
		return vh_err_hint(err, "--force %s does it all the same", address);
	}
	user = vh_fn_user(s->root, &uses, address);
	if (!user)
		return 0;
	vh_err_refuse(err, EBUSY, "%s: it is in use: %s", address, user);
	return vh_err_hint(err, "end that use, or --force %s", address);
}

/* --- VFs that somebody has */

static const char *lease_holder(const struct vh_lease *leases, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].key, key))
			return leases[i].holder;
	return NULL;
}

/* "0000:3b:00.1 by vm/a" for each that is leased or used. */
static int list_busy(const struct vh_sriov *s, const struct vh_pf *pf, const struct vh_lease *leases, size_t n,
		     char ***ret, struct vh_err *err)
{
	vh_autouses uses = { 0 };
	int r = vh_uses_load(s->root, &uses);

	for (size_t i = 0; r == 0 && i < pf->n; i++) {
		const char *address = pf->fn[i].address, *holder = lease_holder(leases, n, address);
		vh_autofree char *user = vh_fn_user(s->root, &uses, address);

		if (holder || user)
			r = vh_strv_pushf(ret, "%s by %s%s%s", address, holder ? holder : "", holder && user ? ", " : "",
					  user ? user : "");
	}
	return r < 0 ? vh_err_nomem(err) : 0;
}

static char *join(char *const *words, size_t most)
{
	size_t n = vh_strv_len(words);
	char *text = strdup("");

	for (size_t i = 0; text && i < n && i < most; i++) {
		char *longer = vh_strf("%s%s%s", text, i ? "; " : "", words[i]);

		free(text);
		text = longer;
	}
	if (text && n > most) {
		char *longer = vh_strf("%s; and %zu more", text, n - most);

		free(text);
		text = longer;
	}
	return text;
}

int vh_check_vfs_idle(const struct vh_sriov *s, const struct vh_pf *pf, struct vh_err *err)
{
	enum { NAMED_MAX = 8 };
	vh_autofree char *text = NULL;
	struct vh_lease *leases = NULL;
	vh_autostrv busy = NULL;
	size_t n = 0;
	int r = vh_lease_list(s->store, "vf", NULL, &leases, &n, err);

	if (r == 0)
		r = list_busy(s, pf, leases, n, &busy, err);
	vh_lease_free(leases, n);
	if (r < 0 || !busy)
		return r;
	text = join(busy, NAMED_MAX);
	if (!text)
		return vh_err_nomem(err);
	vh_err_refuse(err, EBUSY, "%s: its VFs are busy: %s", pf->address, text);
	return vh_err_hint(err, "a new number of VFs removes those that are");
}

/* --- the IOMMU group */

static bool is_taken(const struct vh_pf *taken, const char *address)
{
	for (size_t i = 0; i < taken->n; i++)
		if (!strcmp(taken->fn[i].address, address))
			return true;
	return false;
}

static int check_member(const struct vh_sriov *s, const char *device, const char *member, struct vh_err *err)
{
	vh_autofree char *driver = vh_pci_link(s->root, member, "driver");
	int64_t class;

	if (vh_root_read_int(s->root, &class, VH_PCI_DIR "/%s/class", member) == 0 && class >> 16 == 0x06) {
		vh_err_refuse(err, EBUSY, "%s: its IOMMU group holds the bridge %s", device, member);
		return vh_err_hint(err, "another slot, or ACS turned on in the firmware, gives it a group of its own");
	}
	if (!driver || strstr(driver, "vfio") || !strcmp(driver, "pci-stub"))
		return 0;
	vh_err_refuse(err, EBUSY, "%s: its IOMMU group holds %s, which %s has", device, member, driver);
	return vh_err_hint(err, "bind %s to vfio-pci too, or unbind it", member);
}

int vh_check_group(const struct vh_sriov *s, const struct vh_pf *taken, struct vh_err *err)
{
	const char *device = taken->fn[0].address;
	vh_autostrv members = vh_pci_names(s->root, device, "iommu_group/devices");

	if (!vh_root_exists(s->root, VH_PCI_DIR "/%s/iommu_group", device)) {
		vh_err_refuse(err, ENODEV, "%s: it has no IOMMU group", device);
		return vh_err_hint(err, "turn VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (Intel)");
	}
	for (char **m = members; m && *m; m++) {
		int r = is_taken(taken, *m) ? 0 : check_member(s, device, *m, err);

		if (r < 0)
			return r;
	}
	return 0;
}
