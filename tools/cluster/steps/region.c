// SPDX-License-Identifier: Apache-2.0
/* The memory that the nodes share for MPI: for root and for whom QEMU runs as. It lies in a directory
 * that every user writes to, so nothing that is there already is believed. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "lib/machine.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/plan/plan.h"

enum { NODE_BITS = 8 * sizeof(unsigned long) };

static char *region_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return strdup(cluster_region(c).name);
}

static int failed(const char *path, int num, struct vh_err *err)
{
	return vh_err_set(err, num, "shared memory %s: %s", path, strerror(num));
}

/* Nobody else can have it open, now or later: not by its mode, and not as another file's second name. */
static bool is_ours(const struct stat *st, const struct cluster_user *user)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0600 && st->st_nlink == 1 &&
	       (st->st_uid == geteuid() || (user && st->st_uid == user->uid));
}

/* The region that is there; -ENOENT (no error text) where none is that is ours: another's thing of
 * that name is removed, which nodes that run notice as little as that it was there. */
static int open_ours(const char *path, const struct cluster_user *user, int *ret_fd, struct vh_err *err)
{
	vh_autoclose int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const int why = errno;
	struct stat st;

	if (fd < 0 && why == ENOENT)
		return -ENOENT;
	if ((fd < 0 ? lstat(path, &st) : fstat(fd, &st)) < 0)
		return failed(path, errno, err);
	if (is_ours(&st, user)) {
		*ret_fd = vh_steal_fd(&fd);
		return *ret_fd < 0 ? failed(path, why, err) : 0;
	}
	if ((S_ISDIR(st.st_mode) ? rmdir(path) : unlink(path)) == 0 || errno == ENOENT)
		return -ENOENT;
	return vh_err_refuse(err, errno, "shared memory %s: something of user %u is there, which cannot be removed: %s",
			     path, st.st_uid, strerror(errno));
}

/* O_EXCL: whoever makes it in between makes it not for us. */
static int open_region(const char *path, const struct cluster_user *user, int *ret_fd, bool *ret_made, struct vh_err *err)
{
	int r = open_ours(path, user, ret_fd, err);

	if (r != -ENOENT)
		return r;
	*ret_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	*ret_made = *ret_fd >= 0;
	return *ret_fd < 0 ? failed(path, errno, err) : 0;
}

/* On what node this thread's memory is taken preferably; -1: wherever. Where the kernel does not
 * know of nodes, it is as good. */
static void prefer_node(int node)
{
	unsigned long mask[VH_HOST_NODES_MAX / NODE_BITS + 1] = { 0 };

	if (node >= 0 && node < VH_HOST_NODES_MAX)
		mask[node / NODE_BITS] = 1ul << node % NODE_BITS;
	syscall(SYS_set_mempolicy, node < 0 ? MPOL_DEFAULT : MPOL_PREFERRED, node < 0 ? NULL : mask,
		node < 0 ? 0ul : (unsigned long)VH_HOST_NODES_MAX);
}

static int too_full(const char *path, int fd, uint64_t needed, struct vh_err *err)
{
	char a[16], b[16];
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return failed(path, errno, err);
	vh_err_refuse(err, ENOSPC, "shared memory %s: %s needed, %s free in /dev/shm", path,
		      vh_size_format(a, sizeof(a), needed),
		      vh_size_format(b, sizeof(b), (uint64_t)fs.f_bavail * fs.f_frsize));
	return vh_err_hint(err, "remove what is not needed there, or mount -o remount,size=... /dev/shm");
}

/* Every page of it is there, on that node, before a node starts: one that is missing when it is
 * written to kills QEMU. A region that is larger stays so: running nodes have it. */
static int allocate(const char *path, int fd, const struct region *region, bool *ret_changed, struct vh_err *err)
{
	struct stat st;
	uint64_t there;
	int r;

	if (fstat(fd, &st) < 0)
		return failed(path, errno, err);
	there = (uint64_t)st.st_blocks * 512;
	if ((uint64_t)st.st_size >= region->size && there >= region->size)
		return 0;
	*ret_changed = true;
	prefer_node((int)region->node);
	do
		r = fallocate(fd, 0, 0, (off_t)region->size) < 0 ? errno : 0;
	while (r == EINTR);
	prefer_node(-1);
	return r == ENOSPC ? too_full(path, fd, region->size - (there < region->size ? there : 0), err)
			   : r ? failed(path, r, err) : 0;
}

/* A run may have been killed before its region was QEMU's. */
static int give_to(const char *path, int fd, const struct cluster_user *user, bool *ret_changed, struct vh_err *err)
{
	struct stat st;

	if (!user || (fstat(fd, &st) == 0 && st.st_uid == user->uid))
		return 0;
	*ret_changed = true;
	return fchown(fd, user->uid, user->gid) < 0 ? failed(path, errno, err) : 0;
}

static int region_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);
	vh_autofree char *path = vh_strf("/dev/shm/%s", region.name);
	struct cluster_user qemu;
	const struct cluster_user *user = cluster_user(ctx->cluster, &qemu) ? &qemu : NULL;
	vh_autoclose int fd = -1;
	bool made = false;
	int r;

	(void)at;
	*ret_changed = false;
	if (ctx->cluster->n_nodes < 2)
		return 0;
	r = path ? open_region(path, user, &fd, &made, err) : vh_err_nomem(err);
	if (r == 0)
		r = allocate(path, fd, &region, ret_changed, err);
	if (r == 0)
		r = give_to(path, fd, user, ret_changed, err);
	if (r < 0 && made)
		unlink(path);
	return r;
}

/* A directory of that name is another's. */
static int region_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);
	vh_autofree char *path = vh_strf("/dev/shm/%s", region.name);

	(void)at;
	if (!path)
		return vh_err_nomem(err);
	return unlink(path) == 0 || errno == ENOENT || errno == EISDIR ? 0 : failed(path, errno, err);
}

static int region_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);
	vh_autofree char *path = vh_strf("/dev/shm/%s", region.name);
	struct cluster_user is;
	struct stat st;

	(void)at;
	if (!path)
		return vh_err_nomem(err);
	if (ctx->cluster->n_nodes < 2)
		*ret = (struct look){ .is = LOOK_NOTHING };
	else if (lstat(path, &st) < 0)
		*ret = (struct look){ LOOK_MISSING, "is gone", NULL };
	else if (!is_ours(&st, cluster_user(ctx->cluster, &is) ? &is : NULL))
		*ret = (struct look){ LOOK_OTHER, "is another's", NULL };
	else if ((uint64_t)st.st_size < region.size)
		*ret = (struct look){ LOOK_OTHER, "is too small", NULL };
	else
		*ret = (struct look){ .is = LOOK_SAME };
	return 0;
}

const struct step step_region = { "region", ONCE_A_HOST, region_apply, region_undo, region_look, region_object, .again = false };
