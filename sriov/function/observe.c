// SPDX-License-Identifier: Apache-2.0
/* The state that is, read from /sys and the PF's network device. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"

enum { ARPHRD_IB = 32 };

/* Where Mellanox' own driver has a VF's identity: DIR/INDEX/FILE of the PF. */
static const struct { enum vh_fn_attr attr; const char *file; } ib_files[] = {
	{ VH_FN_NODE_GUID, "node" }, { VH_FN_PORT_GUID, "port" }, { VH_FN_LINK_STATE, "policy" },
};

char *vh_fn_attr_file(const struct vh_root *root, const struct vh_pf *pf, const struct vh_fn *fn, enum vh_fn_attr attr)
{
	vh_autofree char *path = NULL;

	for (size_t i = 0; i < vh_array_len(ib_files) && fn->index >= 0; i++)
		if (ib_files[i].attr == attr)
			path = vh_strf(VH_PCI_DIR "/%s/sriov/%d/%s", pf->address, fn->index, ib_files[i].file);
	if (attr == VH_FN_PKEY_INDEX) {
		vh_autostrv ibdevs = vh_pci_names(root, pf->address, "infiniband");

		if (ibdevs && *ibdevs)
			path = vh_strf(VH_PCI_DIR "/%s/infiniband/%s/iov/%s/ports/1/pkey_idx/0", pf->address, *ibdevs,
				       fn->address);
	}
	return path && vh_root_exists(root, "%s", path) ? vh_steal(&path) : NULL;
}

static void read_attr_files(const struct vh_root *root, const struct vh_pf *pf, struct vh_fn *fn)
{
	static const enum vh_fn_attr with_file[] = {
		VH_FN_NODE_GUID, VH_FN_PORT_GUID, VH_FN_LINK_STATE, VH_FN_PKEY_INDEX,
	};

	for (size_t i = 0; i < vh_array_len(with_file); i++) {
		enum vh_fn_attr attr = with_file[i];
		vh_autofree char *path = vh_fn_attr_file(root, pf, fn, attr);
		vh_autofree char *text = NULL;

		if (!path || vh_root_read(root, &text, "%s", path) < 0)
			continue;
		if (*text >= 'A' && *text <= 'Z')
			*text |= 0x20;
		if (vh_fn_attr_read(attr, text, &fn->value[attr]) == 0)
			fn->have |= VH_FN_BIT(attr);
	}
}

int vh_fn_observe(const struct vh_root *root, struct vh_fn *fn, struct vh_err *err)
{
	vh_autofree char *override = NULL;
	vh_autofree char *driver = NULL;

	if (!vh_root_exists(root, VH_PCI_DIR "/%s/class", fn->address))
		return vh_err_set(err, ENODEV, "%s: the device has gone", fn->address);
	driver = vh_pci_link(root, fn->address, "driver");
	snprintf(fn->driver, sizeof(fn->driver), "%s", driver ? driver : "");
	fn->have |= VH_FN_DRIVER;
	if (vh_root_read(root, &override, VH_PCI_DIR "/%s/driver_override", fn->address) < 0)
		return 0;
	snprintf(fn->override, sizeof(fn->override), "%s", strcmp(override, "(null)") ? override : "");
	fn->have |= VH_FN_OVERRIDE;
	return 0;
}

/* The PF's own network device, not one that stands for a VF ("pf0vf3"). */
static void find_netdev(const struct vh_root *root, struct vh_pf *pf)
{
	vh_autostrv names = vh_pci_names(root, pf->address, "net");
	int64_t type;

	pf->netdev[0] = 0;
	for (char **n = names; n && *n; n++) {
		vh_autofree char *port = NULL;

		if (strlen(*n) >= sizeof(pf->netdev))
			continue;
		if (vh_root_read(root, &port, VH_PCI_DIR "/%s/net/%s/phys_port_name", pf->address, *n) == 0 &&
		    strstr(port, "vf"))
			continue;
		snprintf(pf->netdev, sizeof(pf->netdev), "%s", *n);
		pf->ib = vh_root_read_int(root, &type, VH_PCI_DIR "/%s/net/%s/type", pf->address, *n) == 0 &&
			 type == ARPHRD_IB;
		break;
	}
	if (!pf->netdev[0])
		pf->ib = vh_root_exists(root, VH_PCI_DIR "/%s/infiniband", pf->address);
}

/* udev names a device some time after it came, at a boot also while it is asked. */
static bool was_renamed(const struct vh_root *root, struct vh_pf *pf)
{
	char was[sizeof(pf->netdev)];

	memcpy(was, pf->netdev, sizeof(was));
	find_netdev(root, pf);
	return pf->netdev[0] && strcmp(was, pf->netdev);
}

int vh_pf_write(const struct vh_sriov *s, struct vh_pf *pf, const struct vh_fn *fn, size_t n, struct vh_err *err)
{
	int r;

	while ((r = s->ops->vf_write(s->arg, pf->netdev, fn, n, err)) == -ENODEV && was_renamed(s->root, pf))
		vh_err_clear(err);
	return r;
}

static int find_vfs(const struct vh_root *root, struct vh_pf *pf, struct vh_err *err)
{
	vh_autovfs vfs = { 0 };

	if (vh_pci_vfs(root, pf->address, &vfs) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < vfs.n; i++) {
		struct vh_fn *fn = vh_pf_add(pf, vfs.v[i].index, vfs.v[i].address);
		int r = fn ? vh_fn_observe(root, fn, err) : vh_err_nomem(err);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_netlink(const struct vh_sriov *s)
{
	return s->ops != &vh_sriov_kernel || vh_root_is_live(s->root);
}

static bool has_attr_files(const struct vh_root *root, const char *pf)
{
	return vh_root_exists(root, VH_PCI_DIR "/%s/sriov", pf) || vh_root_exists(root, VH_PCI_DIR "/%s/infiniband", pf);
}

static int read_attrs(const struct vh_sriov *s, struct vh_pf *pf, struct vh_err *err)
{
	bool files = has_attr_files(s->root, pf->address);
	int r = 0;

	if (pf->netdev[0] && pf->n > 0 && has_netlink(s))
		while ((r = s->ops->vf_read(s->arg, pf->netdev, pf->fn, pf->n, err)) == -ENODEV && was_renamed(s->root, pf))
			vh_err_clear(err);
	for (size_t i = 0; r == 0 && i < pf->n; i++) {
		/* What the kernel reports for InfiniBand there is no Ethernet address. */
		if (pf->ib)
			pf->fn[i].have &= ~(VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_VLAN) | VH_FN_BIT(VH_FN_QOS));
		else
			pf->fn[i].have &= ~(VH_FN_BIT(VH_FN_NODE_GUID) | VH_FN_BIT(VH_FN_PORT_GUID));
		if (files)
			read_attr_files(s->root, pf, &pf->fn[i]);
	}
	return r;
}

int vh_pf_observe(const struct vh_sriov *s, const char *address, struct vh_pf *ret, struct vh_err *err)
{
	vh_autopf pf = { 0 };
	int64_t v;
	int r;

	snprintf(pf.address, sizeof(pf.address), "%s", address);
	if (!vh_root_exists(s->root, VH_PCI_DIR "/%s/class", address))
		return vh_err_set(err, ENODEV, "%s: the device has gone", address);
	if (vh_root_read_int(s->root, &v, VH_PCI_DIR "/%s/sriov_totalvfs", address) == 0 && v > 0)
		pf.vfs_max = v > UINT16_MAX ? UINT16_MAX : (unsigned)v;
	if (pf.vfs_max) {
		r = vh_root_read_int(s->root, &v, VH_PCI_DIR "/%s/sriov_numvfs", address);
		if (r < 0 || v < 0 || v > UINT16_MAX)
			return vh_err_set(err, r < 0 ? -r : EPROTO, "%s: sriov_numvfs: %s", address,
					  strerror(r < 0 ? -r : EPROTO));
		pf.vfs = (unsigned)v;
		pf.have |= VH_PF_VFS;
	}
	if (vh_root_read_int(s->root, &v, VH_PCI_DIR "/%s/sriov_drivers_autoprobe", address) == 0) {
		pf.autoprobe = v;
		pf.have |= VH_PF_AUTOPROBE;
	}
	find_netdev(s->root, &pf);
	if ((r = find_vfs(s->root, &pf, err)) < 0 || (r = read_attrs(s, &pf, err)) < 0)
		return r;
	*ret = pf;
	pf.fn = NULL;
	return 0;
}

int vh_pf_attributes(const struct vh_root *root, const char *address, const struct vh_pci_vfs *vfs, struct vh_pf *ret)
{
	const struct vh_sriov s = { .root = (struct vh_root *)root, .ops = &vh_sriov_kernel };
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autopf pf = { 0 };

	if (!has_netlink(&s) && !has_attr_files(root, address))
		return 0;
	snprintf(pf.address, sizeof(pf.address), "%s", address);
	find_netdev(root, &pf);
	/* Drivers and overrides would cost two files a VF. */
	for (size_t i = 0; i < vfs->n; i++)
		if (!vh_pf_add(&pf, vfs->v[i].index, vfs->v[i].address))
			return -ENOMEM;
	if (read_attrs(&s, &pf, &ignored) < 0)
		return 0;
	*ret = pf;
	pf.fn = NULL;
	return 0;
}
