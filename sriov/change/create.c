// SPDX-License-Identifier: Apache-2.0
/* How many VFs a PF has. */
#include <errno.h>
#include <string.h>

#include "sriov/change/change.h"
#include "sriov/change/check.h"
#include "sriov/change/journal.h"
#include "sriov/change/wanted.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"
#include "sriov/use/use.h"

static int check_number(struct vh_sriov *s, const struct vh_pf *cur, unsigned n, struct vh_err *err)
{
	struct vh_fn pf = { .index = -1 };
	char vendor[5];
	int r;

	vh_pci_hex(s->root, cur->address, "vendor", 4, vendor);
	if (n > cur->vfs_max) {
		vh_err_refuse(err, ERANGE, "%s: cannot create %u VFs: firmware offers %u", cur->address, n, cur->vfs_max);
		return !strcmp(vendor, "15b3") ?
		       vh_err_hint(err, "mstconfig -d %s set SRIOV_EN=1 NUM_OF_VFS=%u, then reboot", cur->address, n) :
		       vh_err_hint(err, "the device's firmware sets the most there can be");
	}
	snprintf(pf.address, sizeof(pf.address), "%s", cur->address);
	r = vh_fn_observe(s->root, &pf, err);
	if (r == 0 && !pf.driver[0]) {
		vh_err_refuse(err, ENODEV, "%s: no driver is bound to this PF", cur->address);
		return vh_err_hint(err, "vhpc sriov release %s", cur->address);
	}
	return r;
}

static int create_locked(struct vh_sriov *s, const char *pf, unsigned n, int probe, struct vh_err *err)
{
	vh_autopf cur = { 0 };
	vh_autopf want = { .have = VH_PF_VFS, .vfs = n };
	int r;

	if ((r = vh_pf_observe(s, pf, &cur, err)) < 0 || (r = check_number(s, &cur, n, err)) < 0 ||
	    (r = vh_check_owner(s, pf, err)) < 0)
		return r;
	if (cur.vfs != n && (r = vh_check_vfs_idle(s, &cur, err)) < 0)
		return r;
	memcpy(want.address, cur.address, sizeof(want.address));
	if (probe >= 0) {
		want.autoprobe = probe;
		want.have |= VH_PF_AUTOPROBE;
	}
	return vh_sriov_change(s, &want, VH_KEEP_MERGE, err);
}

int vh_sriov_create(struct vh_sriov *s, const char *text, unsigned n, int probe, struct vh_err *err)
{
	char pf[VH_PCI_ADDRESS_SIZE];
	vh_autoclose int lock = -1;
	int r;

	if ((r = vh_check_device(s->root, text, pf, err)) < 0 || (r = vh_check_pf(s->root, pf, err)) < 0 ||
	    (r = vh_sriov_enter(s, pf, &lock, err)) < 0)
		return r;
	return create_locked(s, pf, n, probe, err);
}
