// SPDX-License-Identifier: Apache-2.0
/* One effect on a file of the root, with what it was for in the error. */
#include <string.h>

#include "lib/strv.h"
#include "sriov/function/function.h"
#include "sriov/pci/pci.h"

int vh_sriov_write(const struct vh_sriov *s, const char *path, const char *text, const char *address,
		   const char *what, struct vh_err *err)
{
	int r = s->ops->write(s->arg, s->root, path, text);

	return r < 0 ? vh_err_set(err, -r, "%s: %s: %s", address, what, strerror(-r)) : 0;
}

/* The same, of the device's own file. */
int vh_sriov_write_own(const struct vh_sriov *s, const char *address, const char *file, const char *text,
		       const char *what, struct vh_err *err)
{
	vh_autofree char *path = vh_strf(VH_PCI_DIR "/%s/%s", address, file);

	return path ? vh_sriov_write(s, path, text, address, what, err) : vh_err_nomem(err);
}
