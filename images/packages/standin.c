// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include "images/packages/standin.h"

char *vh_standin_status(const struct vh_recipe *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "Package: " VH_GUEST_PACKAGE "\n"
		"Status: install ok installed\n"
		"Priority: optional\n"
		"Section: admin\n"
		"Maintainer: vhpc <root@localhost>\n"
		"Architecture: all\n"
		"Version: %s\n"
		"Provides: linux-initramfs-tool, usr-is-merged", VHPC_VERSION);
	for (char **p = r->without; p && *p; p++)
		fprintf(f, ", %s (= 999)", *p);
	fputs("\nDescription: node identity and settings of a vhpc image\n"
	      " The kernel is started with vhpc's own initrd.\n\n", f);
	return fclose(f) == 0 ? text : NULL;
}
