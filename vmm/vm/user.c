// SPDX-License-Identifier: Apache-2.0
/* Whom a VM's or a cluster's QEMU runs as: a user of its own, who has no name on the host, so that what one
 * QEMU is made to do it can do to no other's disks, keys and memory. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/vm/vm.h"

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

static int take_free(struct vh_store *s, const char *holder, const struct vh_lease *leases, size_t n, unsigned *ret,
		     struct vh_err *err)
{
	const char *range = getenv("VHPC_UIDS");
	uint64_t first, last;
	char key[16];
	int r = range_of(range && *range ? range : default_range, &first, &last, err);

	for (uint64_t uid = first; r == 0 && uid <= last; uid++) {
		snprintf(key, sizeof(key), "%u", (unsigned)uid);
		if (is_leased(leases, n, key) || getpwuid((uid_t)uid) || getgrgid((gid_t)uid))
			continue;
		r = vh_lease_take(s, "uid", key, holder, 0, err);
		if (r == 0)
			*ret = (unsigned)uid;
		return r;
	}
	if (r < 0)
		return r;
	vh_err_refuse(err, EBUSY, "%s: all users from %u to %u are taken", holder, (unsigned)first, (unsigned)last);
	return vh_err_hint(err, "VHPC_UIDS=FIRST-LAST names others");
}

int vh_user_take(struct vh_store *s, const char *holder, unsigned *ret, struct vh_err *err)
{
	struct vh_lease *leases;
	size_t n;
	int r = vh_lease_list(s, "uid", NULL, &leases, &n, err);

	if (r < 0)
		return r;
	r = take_free(s, holder, leases, n, ret, err);
	vh_lease_free(leases, n);
	return r;
}

unsigned vh_user_group(unsigned uid)
{
	const struct group *kvm = getgrnam("kvm");

	return kvm ? kvm->gr_gid : uid;
}
