// SPDX-License-Identifier: Apache-2.0
/* Devices as people name them: there or not, a PF or not, which VF. */
#include <errno.h>
#include <string.h>

#include "lib/values.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"

int vh_check_device(const struct vh_root *root, const char *text, char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	vh_autofree char *address = NULL;
	int r = vh_pci_full_address(text, &address, err);

	if (r < 0)
		return r;
	if (!vh_root_exists(root, VH_PCI_DIR "/%s", address)) {
		vh_err_refuse(err, ENOENT, "there is no PCI device %s", address);
		return vh_err_hint(err, "vhpc sriov list");
	}
	snprintf(ret, VH_PCI_ADDRESS_SIZE, "%s", address);
	return 0;
}

int vh_check_pf(const struct vh_root *root, const char *address, struct vh_err *err)
{
	vh_autofree char *pf = vh_pci_link(root, address, "physfn");
	int64_t most = vh_pci_count(root, address, "sriov_totalvfs");

	if (pf) {
		vh_err_refuse(err, EINVAL, "%s: it is a VF itself", address);
		return vh_err_hint(err, "its PF is %s", pf);
	}
	if (most > 0)
		return 0;
	vh_err_refuse(err, EINVAL, "%s: it is no PF: it offers no VFs", address);
	return most == 0 ? vh_err_hint(err, "turn SR-IOV on in its firmware, then reboot") :
			   vh_err_hint(err, "vhpc sriov list shows PFs");
}

static int vf_of_pf(const struct vh_root *root, const char *pf, const char *number, int *ret_index,
		    char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	vh_autovfs vfs = { 0 };
	uint64_t n;

	if (vh_uint_parse(number, UINT16_MAX, &n, err) < 0)
		return vh_err_usage(err, "'%.20s' is no index of a VF", number);
	if (vh_pci_vfs(root, pf, &vfs) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < vfs.n; i++)
		if ((uint64_t)vfs.v[i].index == n) {
			snprintf(ret_address, VH_PCI_ADDRESS_SIZE, "%s", vfs.v[i].address);
			*ret_index = (int)n;
			return 0;
		}
	vh_err_refuse(err, ERANGE, "%s: it has no VF %d: it has %zu", pf, (int)n, vfs.n);
	return vh_err_hint(err, "vhpc sriov create %s -n NUMBER", pf);
}

int vh_check_vf(const struct vh_root *root, const char *text, char ret_pf[VH_PCI_ADDRESS_SIZE], int *ret_index,
		char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	const char *slash = strchr(text, '/');
	vh_autofree char *device = slash ? strndup(text, (size_t)(slash - text)) : strdup(text);
	vh_autofree char *pf = NULL;
	vh_autovfs vfs = { 0 };
	int r = device ? vh_check_device(root, device, ret_address, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	if (slash) {
		snprintf(ret_pf, VH_PCI_ADDRESS_SIZE, "%s", ret_address);
		r = vh_check_pf(root, ret_pf, err);
		return r < 0 ? r : vf_of_pf(root, ret_pf, slash + 1, ret_index, ret_address, err);
	}
	pf = vh_pci_link(root, ret_address, "physfn");
	if (!pf || !vh_pci_is_address(pf)) {
		vh_err_refuse(err, EINVAL, "%s: it is no VF", ret_address);
		return vh_err_hint(err, "a VF is its own address, or PF/INDEX");
	}
	if (vh_pci_vfs(root, pf, &vfs) < 0)
		return vh_err_nomem(err);
	*ret_index = vh_pci_vf_index(&vfs, ret_address);
	if (*ret_index < 0)
		return vh_err_set(err, ENODEV, "%s: its PF %s does not know it", ret_address, pf);
	snprintf(ret_pf, VH_PCI_ADDRESS_SIZE, "%s", pf);
	return 0;
}

bool vh_is_forced(const struct vh_sriov *s, const char *address)
{
	vh_autofree char *forced = NULL;
	vh_autoerr ignored = VH_ERR_NONE;

	return s->force && vh_pci_full_address(s->force, &forced, &ignored) == 0 && !strcmp(forced, address);
}
