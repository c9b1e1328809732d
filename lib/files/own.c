// SPDX-License-Identifier: Apache-2.0
#include "lib/files/own.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/strv.h"

char *vh_own_dir(void)
{
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	return strdup(self);
}

int vh_own_guest(const char *built_in, const char *name, char **ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_own_dir(), *built = vh_strf("%s/../%s/%s", dir ? dir : "", built_in, name);
	vh_autofree char *installed = vh_strf("%s/lib/vhpc/guest/%s", VHPC_PREFIX, name);

	if (!dir || !built || !installed)
		return vh_err_nomem(err);
	if (access(built, X_OK) == 0)
		*ret = vh_steal(&built);
	else if (access(installed, X_OK) == 0)
		*ret = vh_steal(&installed);
	else
		return vh_err_refuse(err, ENOENT, "%s: neither built (%s) nor installed (%s)", name, built, installed);
	return 0;
}
