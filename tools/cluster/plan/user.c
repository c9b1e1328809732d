// SPDX-License-Identifier: Apache-2.0
/* Whom a cluster's QEMUs run as: a user of its own, who has no name on the host, so that what one QEMU is
 * made to do it can do to no other's disks, keys and memory. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/plan/plan.h"

/* Between what Debian and systemd give to users and services (below 65536) and what shadow gives to users'
 * own namespaces (from 100000): docs/environment.md. */
static const char default_range[] = "70000-79999";

enum { UID_FIRST = 1000 };

static int range_of(const char *text, uint64_t *ret_first, uint64_t *ret_last, struct vh_err *err)
{
	vh_autofree char *first = strdup(text);
	char *last = first ? strchr(first, '-') : NULL;
	vh_autoerr none = VH_ERR_NONE;

	if (last)
		*last++ = 0;
	if (last && vh_uint_parse(first, UINT32_MAX - 1, ret_first, &none) == 0 &&
	    vh_uint_parse(last, UINT32_MAX - 1, ret_last, &none) == 0 && *ret_first >= UID_FIRST && *ret_first <= *ret_last)
		return 0;
	return vh_err_usage(err, "VHPC_UIDS: '%.40s' is no range of users, FIRST-LAST, from %d", text, UID_FIRST);
}

static bool is_leased(const struct vh_lease *leases, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].key, key))
			return true;
	return false;
}

static int take_free(struct vh_store *store, struct cluster *c, const struct vh_lease *leases, size_t n, struct vh_err *err)
{
	const char *range = getenv("VHPC_UIDS");
	uint64_t first, last;
	char key[16];
	int r = range_of(range && *range ? range : default_range, &first, &last, err);

	for (uint64_t uid = first; r == 0 && uid <= last; uid++) {
		snprintf(key, sizeof(key), "%u", (unsigned)uid);
		if (is_leased(leases, n, key) || getpwuid((uid_t)uid) || getgrgid((gid_t)uid))
			continue;
		c->uid = uid;
		return vh_lease_take(store, "uid", key, c->owner, 0, err);
	}
	if (r < 0)
		return r;
	vh_err_refuse(err, EBUSY, "cluster %s: all users from %u to %u are taken", c->name, (unsigned)first, (unsigned)last);
	return vh_err_hint(err, "VHPC_UIDS=FIRST-LAST names others");
}

int cluster_take_user(struct vh_store *store, struct cluster *c, struct vh_err *err)
{
	struct vh_lease *leases;
	size_t n;
	int r = vh_lease_list(store, "uid", NULL, &leases, &n, err);

	if (r < 0)
		return r;
	r = take_free(store, c, leases, n, err);
	vh_lease_free(leases, n);
	return r;
}

bool cluster_user(const struct cluster *c, struct cluster_user *ret)
{
	static const char *const names[] = { "libvirt-qemu", "qemu" };
	const struct group *kvm = getgrnam("kvm");
	const struct passwd *user = NULL;

	/* /dev/kvm is its group's. */
	if (c->uid)
		*ret = (struct cluster_user){ (unsigned)c->uid, kvm ? kvm->gr_gid : (unsigned)c->uid };
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
