// SPDX-License-Identifier: Apache-2.0
#include "netctl/link.h"

#include <errno.h>
#include <netlink/errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/sysroot.h"
#include "netctl/names.h"

int vh_link_get(struct nl_sock *sock, const char *name, struct rtnl_link **ret, struct vh_err *err)
{
	struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(sock, 0, name, &link);

	if (r < 0 && r != -NLE_NODEV && r != -NLE_OBJ_NOTFOUND)
		return vh_nl_fail(err, r, "%s: reading it", name);
	*ret = link;
	return 0;
}

bool vh_link_owned(struct rtnl_link *link, const char *owner)
{
	const char *alias = rtnl_link_get_ifalias(link);

	if (alias && *alias)
		return !strncmp(alias, VH_NET_ALIAS, strlen(VH_NET_ALIAS)) &&
		       !strcmp(alias + strlen(VH_NET_ALIAS), owner);
	return vh_net_name_derived(rtnl_link_get_name(link), owner);
}

int vh_link_claim(struct rtnl_link *link, const char *type, const char *owner, struct vh_err *err)
{
	const char *name = rtnl_link_get_name(link);
	const char *is = rtnl_link_get_type(link);

	if (!vh_link_owned(link, owner))
		return vh_err_refuse(err, EEXIST, "interface %s exists and is not of %s", name, owner);
	if (!is || strcmp(is, type))
		return vh_err_refuse(err, EEXIST, "interface %s is no %s", name,
				     strcmp(type, "tun") ? type : "tap");
	return 0;
}

/* Fills change with what link lacks of want; *ret_what names one such thing, NULL: none. */
static int difference(struct rtnl_link *link, const struct vh_link_want *want, struct rtnl_link *change,
		      const char **ret_what, struct vh_err *err)
{
	vh_autofree char *alias = vh_strf(VH_NET_ALIAS "%s", want->owner);
	const char *has = rtnl_link_get_ifalias(link), *what = NULL;

	if (!alias)
		return vh_err_nomem(err);
	if (!has || strcmp(has, alias)) {
		rtnl_link_set_ifalias(change, alias);
		what = "alias";
	}
	if (want->master && rtnl_link_get_master(link) != want->master) {
		rtnl_link_set_master(change, want->master);
		what = "bridge";
	}
	if (!(rtnl_link_get_flags(link) & IFF_UP)) {
		rtnl_link_set_flags(change, IFF_UP);
		what = "state up";
	}
	*ret_what = what;
	return 0;
}

#define IPV6_OFF "proc/sys/net/ipv6/conf/%s/disable_ipv6"

/* A kernel without IPv6 has no such file. */
static int ipv6_off(const char *name, bool *changed, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int64_t off = 0;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	r = vh_root_read_int(root, &off, IPV6_OFF, name);
	if (r == -ENOENT || (r == 0 && off))
		return 0;
	*changed = true;
	r = vh_root_write(root, "1", IPV6_OFF, name);
	if (r == 0)
		r = vh_root_read_int(root, &off, IPV6_OFF, name);
	if (r == 0 && !off)
		r = -EIO;
	return r < 0 ? vh_err_set(err, -r, "%s: turning IPv6 off: %s", name, strerror(-r)) : 0;
}

/* One look at the link, and the change it needs; *ret_what NULL: none. */
static int step(struct nl_sock *sock, const struct vh_link_want *want, bool act, const char **ret_what,
		struct vh_err *err)
{
	vh_autolink link = NULL;
	vh_autolink change = rtnl_link_alloc();
	int r = vh_link_get(sock, want->name, &link, err);

	if (r < 0)
		return r;
	if (!link)
		return vh_err_set(err, ENODEV, "%s: it has gone", want->name);
	if (!change)
		return vh_err_nomem(err);
	r = difference(link, want, change, ret_what, err);
	if (r < 0 || !*ret_what || !act)
		return r;
	r = rtnl_link_change(sock, link, change, 0);
	return r < 0 ? vh_nl_fail(err, r, "%s: setting its %s", want->name, *ret_what) : 0;
}

int vh_link_settle(struct nl_sock *sock, const struct vh_link_want *want, bool *changed, struct vh_err *err)
{
	const char *what = NULL;
	int r = ipv6_off(want->name, changed, err);

	if (r == 0)
		r = step(sock, want, true, &what, err);
	if (r < 0 || !what)
		return r;
	*changed = true;
	r = step(sock, want, false, &what, err);
	if (r == 0 && what)
		r = vh_err_set(err, EIO, "%s: the kernel did not keep the %s", want->name, what);
	return r;
}

int vh_net_remove(const char *name, const char *owner, struct vh_err *err)
{
	vh_autolink link = NULL;
	vh_autolink left = NULL;
	vh_autonl sock = NULL;
	int r;

	if ((r = vh_net_name_check(name, err)) < 0 || (r = vh_nl_open(&sock, err)) < 0 ||
	    (r = vh_link_get(sock, name, &link, err)) < 0 || !link)
		return r;
	if (!vh_link_owned(link, owner))
		return vh_err_refuse(err, EPERM, "interface %s is not of %s", name, owner);
	r = rtnl_link_delete(sock, link);
	if (r < 0 && r != -NLE_NODEV && r != -NLE_OBJ_NOTFOUND)
		return vh_nl_fail(err, r, "%s: removing it", name);
	r = vh_link_get(sock, name, &left, err);
	if (r == 0 && left)
		r = vh_err_set(err, EBUSY, "%s: removed, and there again", name);
	return r;
}
