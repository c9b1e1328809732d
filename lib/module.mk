# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,lib,lib/err.c lib/strv.c lib/values.c lib/sysroot.c lib/spawn.c \
    lib/cli.c lib/files.c lib/table.c lib/progress.c lib/doc.c lib/store.c))
