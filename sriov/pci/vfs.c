// SPDX-License-Identifier: Apache-2.0
/* The VFs of a PF, by its links "virtfn0" to them. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

/* N of "virtfnN"; -1 when the name is another. */
static int virtfn(const char *name)
{
	const char *digits = name + strlen("virtfn");
	char *end;
	long n;

	if (strncmp(name, "virtfn", strlen("virtfn")) || !isdigit((unsigned char)*digits))
		return -1;
	n = strtol(digits, &end, 10);
	return *end || n > UINT16_MAX ? -1 : (int)n;
}

static int by_index(const void *a, const void *b)
{
	const struct vh_pci_vf *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

void vh_pci_vfs_clear(struct vh_pci_vfs *vfs)
{
	free(vfs->v);
	*vfs = (struct vh_pci_vfs){ 0 };
}

int vh_pci_vfs(const struct vh_root *root, const char *pf, struct vh_pci_vfs *ret)
{
	vh_autostrv names = NULL;
	vh_autovfs vfs = { 0 };

	if (vh_root_list(root, &names, VH_PCI_DIR "/%s", pf) < 0 || !names)
		return 0;
	vfs.v = calloc(vh_strv_len(names) + 1, sizeof(*vfs.v));
	if (!vfs.v)
		return -ENOMEM;
	for (char **n = names; *n; n++) {
		vh_autofree char *address = virtfn(*n) < 0 ? NULL : vh_pci_link(root, pf, *n);

		if (!address || !vh_pci_is_address(address))
			continue;
		vfs.v[vfs.n].index = virtfn(*n);
		snprintf(vfs.v[vfs.n++].address, VH_PCI_ADDRESS_SIZE, "%s", address);
	}
	qsort(vfs.v, vfs.n, sizeof(*vfs.v), by_index);
	*ret = vfs;
	vfs.v = NULL;
	return 0;
}

int vh_pci_vf_index(const struct vh_pci_vfs *vfs, const char *address)
{
	for (size_t i = 0; i < vfs->n; i++)
		if (!strcmp(vfs->v[i].address, address))
			return vfs->v[i].index;
	return -1;
}
