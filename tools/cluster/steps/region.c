// SPDX-License-Identifier: Apache-2.0
/* The memory that the nodes share for MPI: for root and for whom QEMU runs as. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char *region_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return strdup(cluster_region(c).name);
}

/* Of this size, and QEMU's own where QEMU is not root; a run may have been killed in between.
 * One that is larger stays: running nodes would be killed by what is cut off. */
static int settle_region(int fd, const struct region *region, bool *changed, struct vh_err *err)
{
	static const char *const users[] = { "libvirt-qemu", "qemu" };
	const struct passwd *user = NULL;
	struct stat st;
	const bool large = fstat(fd, &st) == 0 && st.st_size >= (off_t)region->size;

	for (size_t i = 0; geteuid() == 0 && !user && i < vh_array_len(users); i++)
		user = getpwnam(users[i]);
	if (large && (!user || st.st_uid == user->pw_uid))
		return 0;
	*changed = true;
	if ((large || ftruncate(fd, (off_t)region->size) == 0) && (!user || fchown(fd, user->pw_uid, user->pw_gid) == 0))
		return 0;
	return vh_err_set(err, errno, "shared memory %s: %s", region->name, strerror(errno));
}

/* Opened first without O_CREAT: in a sticky directory the kernel may refuse that with
 * another user's file even to root. */
static int region_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);
	vh_autoclose int fd = -1;

	(void)at;
	*ret_changed = false;
	if (ctx->cluster->n_nodes < 2)
		return 0;
	fd = shm_open(region.name, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		fd = shm_open(region.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vh_err_set(err, errno, "shared memory %s: %s", region.name, strerror(errno));
	return settle_region(fd, &region, ret_changed, err);
}

static int region_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);

	(void)at;
	if (shm_unlink(region.name) < 0 && errno != ENOENT)
		return vh_err_set(err, errno, "shared memory %s: %s", region.name, strerror(errno));
	return 0;
}

const struct step step_region = { "region", ONCE_A_HOST, region_apply, region_undo, region_object };
