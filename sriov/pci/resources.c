// SPDX-License-Identifier: Apache-2.0
/* The BARs that the lines of a device's "resource" file describe. */
#include <inttypes.h>
#include <string.h>

#include "sriov/pci/pci.h"

/* The kernel's resource flags. */
enum { RES_IO = 0x100, RES_MEM = 0x200, RES_PREFETCH = 0x2000, RES_64 = 0x100000 };

static void read_line(const char *line, struct vh_pci_bar *ret)
{
	uint64_t start, end, flags;

	if (sscanf(line, "0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64, &start, &end, &flags) != 3 ||
	    !(flags & (RES_IO | RES_MEM)) || end <= start)
		return;
	*ret = (struct vh_pci_bar){ end - start + 1, flags & RES_IO, flags & RES_64, flags & RES_PREFETCH };
}

int vh_pci_resources(const struct vh_root *root, const char *address, struct vh_pci_bar ret[VH_PCI_RESOURCES])
{
	vh_autofree char *text = NULL;
	char *rest, *line;
	int r = vh_root_read(root, &text, VH_PCI_DIR "/%s/resource", address);

	if (r < 0)
		return r;
	memset(ret, 0, VH_PCI_RESOURCES * sizeof(*ret));
	rest = text;
	for (int i = 0; i < VH_PCI_RESOURCES && (line = strsep(&rest, "\n")); i++)
		read_line(line, &ret[i]);
	return 0;
}
