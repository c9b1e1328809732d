// SPDX-License-Identifier: Apache-2.0
/* A VM's disk: an overlay over a base. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "vmm/domain/domain.h"

enum { DISK_MS = 60000 };

int vh_disk_overlay(const char *base, const char *disk, uint64_t size, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("%s.part", disk);
	vh_autofree char *bytes = size ? vh_strf("%llu", (unsigned long long)size) : NULL;
	char *const argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", (char *)base, tmp, bytes, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = DISK_MS };
	int r;

	if (!tmp || (size && !bytes))
		return vh_err_nomem(err);
	*ret_made = false;
	if (access(disk, F_OK) == 0)
		return 0;
	r = vh_spawn_ok(&spawn, NULL, err);
	if (r == 0 && (chmod(tmp, 0600) < 0 || rename(tmp, disk) < 0))
		r = vh_err_set(err, errno, "%s: %s", disk, strerror(errno));
	*ret_made = r == 0;
	return r;
}
