// SPDX-License-Identifier: Apache-2.0
/* Whom a cluster's QEMUs run as, and whose its files are. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/cluster/plan/plan.h"
#include "vmm/vm/vm.h"

int cluster_take_user(struct vh_store *store, struct cluster *c, struct vh_err *err)
{
	unsigned uid = 0;
	int r = vh_user_take(store, c->owner, &uid, err);

	if (r == 0)
		c->uid = uid;
	return r;
}

bool cluster_user(const struct cluster *c, struct cluster_user *ret)
{
	static const char *const names[] = { "libvirt-qemu", "qemu" };
	const struct passwd *user = NULL;

	if (c->uid)
		*ret = (struct cluster_user){ (unsigned)c->uid, vh_user_group((unsigned)c->uid) };
	for (size_t i = 0; !c->uid && geteuid() == 0 && !user && i < vh_array_len(names); i++)
		user = getpwnam(names[i]);
	if (user)
		*ret = (struct cluster_user){ user->pw_uid, user->pw_gid };
	return c->uid || user;
}

int cluster_give(const struct cluster *c, const char *path, struct vh_err *err)
{
	struct cluster_user user;

	if (!c->uid || !cluster_user(c, &user))
		return 0;
	if (chmod(path, 0600) < 0 || lchown(path, user.uid, user.gid) < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	return 0;
}
