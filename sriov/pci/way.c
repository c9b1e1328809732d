// SPDX-License-Identifier: Apache-2.0
/* Where a device hangs: its root complex, and the ports from there. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "sriov/pci/pci.h"

int vh_pci_way(const struct vh_root *root, const char *address, char ***ret)
{
	vh_autofree char *target = NULL;
	vh_autostrv way = NULL;
	char *rest, *part;
	int r = vh_root_readlink(root, &target, VH_PCI_DIR "/%s", address);

	if (r < 0)
		return r;
	rest = target;
	while ((part = strsep(&rest, "/")))
		if ((way ? vh_pci_is_address(part) : !strncmp(part, "pci", strlen("pci"))) && vh_strv_push(&way, part) < 0)
			return -ENOMEM;
	if (!way)
		return -EINVAL;
	*ret = vh_steal(&way);
	return 0;
}

size_t vh_pci_common(char *const *a, char *const *b)
{
	size_t n = 0;

	while (a[n] && b[n] && !strcmp(a[n], b[n]))
		n++;
	return n;
}

/* Every PCI address in a path below /sys/devices. */
int vh_pci_addresses(char ***ret, const char *path)
{
	vh_autofree char *copy = strdup(path);
	char *rest = copy, *part;

	if (!copy)
		return -ENOMEM;
	while ((part = strsep(&rest, "/")))
		if (vh_pci_is_address(part) && !vh_strv_has(*ret, part) && vh_strv_push(ret, part) < 0)
			return -ENOMEM;
	return 0;
}
