// SPDX-License-Identifier: Apache-2.0
/* Kernel modules by name, with what they need, from depmod's files. */
#ifndef VH_MODULES_H
#define VH_MODULES_H

#include "lib/err.h"

/* Appends to *ret (a strv) the files to load for module, in the order to load them,
 * each once, as modules.dep writes them ("kernel/fs/ext4/ext4.ko.xz"); nothing when it
 * is built in. -ENOENT without error text when the kernel has no such module. */
int vh_modules_need(const char *dep, const char *builtin, const char *module, char ***ret,
		    struct vh_err *err);

#endif
