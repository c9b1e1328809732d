// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/slurm.h"

static int make(const char *path, unsigned char ret[SLURM_KEY], struct vh_err *err)
{
	if (getrandom(ret, SLURM_KEY, 0) != SLURM_KEY)
		return vh_err_set(err, EIO, "getrandom: gives no random bytes");
	return vh_write_file(path, (const char *)ret, SLURM_KEY, 0600, err);
}

static int take(const char *path, unsigned char ret[SLURM_KEY], struct vh_err *err)
{
	char *bytes = NULL;
	size_t len;
	int r = vh_host_file(path, &bytes, &len, err);

	if (r < 0)
		return r;
	if (len == SLURM_KEY) {
		memcpy(ret, bytes, len);
	} else {
		vh_err_set(err, EBADMSG, "%s: is not the key of munge that was made", path);
		r = vh_err_hint(err, "remove it, and apply makes another and restarts the nodes");
	}
	explicit_bzero(bytes, len);
	free(bytes);
	return r;
}

int slurm_key(const char *dir, unsigned char ret[SLURM_KEY], struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/munge.key", dir);

	if (!path)
		return vh_err_nomem(err);
	return access(path, F_OK) < 0 ? make(path, ret, err) : take(path, ret, err);
}
