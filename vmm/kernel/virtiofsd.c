// SPDX-License-Identifier: Apache-2.0
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/kernel/kernel.h"

const char *vh_virtiofsd(const struct vh_root *root)
{
	static const char *const places[] = { "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd" };

	for (size_t i = 0; i < vh_array_len(places); i++)
		if (vh_root_exists(root, "%s", &places[i][1]))
			return places[i];
	return NULL;
}
