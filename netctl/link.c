// SPDX-License-Identifier: Apache-2.0
#include "netctl/link.h"

#include <errno.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>
#include <string.h>

#include "lib/cidr.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "netctl/address.h"
#include "netctl/names.h"

/* A wanted interface with what is known of it by now. */
struct job {
	const struct vh_net_kind *kind;
	const struct vh_net_want *want;
	struct nl_sock *sock;
	int bridge;		/* the index of the wanted one; 0: none is wanted */
	uint32_t addr;		/* host byte order; of the wanted address */
	unsigned prefix;
	bool changed;
};

/* *ret is NULL when there is no such interface. */
static int get_link(struct nl_sock *sock, const char *name, struct rtnl_link **ret, struct vh_err *err)
{
	struct rtnl_link *link = NULL;
	int r = rtnl_link_get_kernel(sock, 0, name, &link);

	if (r < 0 && r != -NLE_NODEV && r != -NLE_OBJ_NOTFOUND)
		return vh_nl_fail(err, r, "%s: reading it", name);
	*ret = link;
	return 0;
}

static bool is_owned(struct rtnl_link *link, const char *owner)
{
	const char *alias = rtnl_link_get_ifalias(link);

	if (alias && *alias)
		return !strncmp(alias, VH_NET_ALIAS, strlen(VH_NET_ALIAS)) &&
		       !strcmp(alias + strlen(VH_NET_ALIAS), owner);
	return vh_net_name_derived(rtnl_link_get_name(link), owner);
}

/* A link that is there has to be this owner's, of this kind, and as wanted where it cannot be changed. */
static int claim(const struct job *job, struct rtnl_link *link, struct vh_err *err)
{
	const struct vh_net_want *want = job->want;
	const char *is = rtnl_link_get_type(link);

	if (!is_owned(link, want->owner))
		return vh_err_refuse(err, EEXIST, "interface %s exists and is not of %s", want->name, want->owner);
	if (!is || strcmp(is, job->kind->type))
		return vh_err_refuse(err, EEXIST, "interface %s is no %s", want->name, job->kind->name);
	return job->kind->differs(link, want, err);
}

/* Fills change with what link lacks of want; *ret_what names one such thing, NULL: none. */
static int difference(const struct job *job, struct rtnl_link *link, struct rtnl_link *change, const char **ret_what,
		      struct vh_err *err)
{
	vh_autofree char *alias = vh_strf(VH_NET_ALIAS "%s", job->want->owner);
	const char *has = rtnl_link_get_ifalias(link), *what = NULL;

	if (!alias)
		return vh_err_nomem(err);
	if (!has || strcmp(has, alias)) {
		rtnl_link_set_ifalias(change, alias);
		what = "alias";
	}
	if (job->bridge && rtnl_link_get_master(link) != job->bridge) {
		rtnl_link_set_master(change, job->bridge);
		what = "bridge";
	}
	if (!(rtnl_link_get_flags(link) & IFF_UP)) {
		rtnl_link_set_flags(change, IFF_UP);
		what = "state up";
	}
	*ret_what = what;
	return 0;
}

#define SETTING "proc/sys/net/%s/conf/%s/%s"

/* No router is asked for, and nothing that comes by it goes on to another interface. */
static const struct setting { const char *family, *key; int64_t value; } settings[] = {
	{ "ipv6", "disable_ipv6", 1 },
	{ "ipv6", "forwarding", 0 },
	{ "ipv4", "forwarding", 0 },
};

/* A kernel without IPv6 has no such file. */
static int set_one(const struct vh_root *root, const char *name, const struct setting *s, bool *changed,
		   struct vh_err *err)
{
	int64_t is = 0;
	int r = vh_root_read_int(root, &is, SETTING, s->family, name, s->key);

	if (r == -ENOENT || (r == 0 && is == s->value))
		return 0;
	*changed = true;
	r = vh_root_write(root, s->value ? "1" : "0", SETTING, s->family, name, s->key);
	if (r == 0)
		r = vh_root_read_int(root, &is, SETTING, s->family, name, s->key);
	if (r == 0 && is != s->value)
		r = -EIO;
	return r < 0 ? vh_err_set(err, -r, "%s: setting %s of %s to %d: %s", name, s->key, s->family, (int)s->value,
				  strerror(-r)) : 0;
}

static int set_all(const char *name, bool *changed, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < vh_array_len(settings); i++)
		r = set_one(root, name, &settings[i], changed, err);
	return r;
}

/* One look at the link, and the change it needs; *ret_what NULL: none. */
static int settle_once(const struct job *job, bool act, const char **ret_what, struct vh_err *err)
{
	vh_autolink link = NULL;
	vh_autolink change = rtnl_link_alloc();
	int r = get_link(job->sock, job->want->name, &link, err);

	if (r < 0)
		return r;
	if (!link)
		return vh_err_set(err, ENODEV, "%s: it has gone", job->want->name);
	if (!change)
		return vh_err_nomem(err);
	r = difference(job, link, change, ret_what, err);
	if (r < 0 || !*ret_what || !act)
		return r;
	r = rtnl_link_change(job->sock, link, change, 0);
	return r < 0 ? vh_nl_fail(err, r, "%s: setting its %s", job->want->name, *ret_what) : 0;
}

/* Without IPv6 and forwarding, with alias and bridge, and up; read back. */
static int settle_link(struct job *job, struct vh_err *err)
{
	const char *what = NULL;
	int r = set_all(job->want->name, &job->changed, err);

	if (r == 0)
		r = settle_once(job, true, &what, err);
	if (r < 0 || !what)
		return r;
	job->changed = true;
	r = settle_once(job, false, &what, err);
	if (r == 0 && what)
		r = vh_err_set(err, EIO, "%s: the kernel did not keep the %s", job->want->name, what);
	return r;
}

static int settle_address(struct job *job, struct vh_err *err)
{
	const char *name = job->want->name;
	vh_autolink link = NULL;
	int r = get_link(job->sock, name, &link, err);

	if (r < 0)
		return r;
	if (!link)
		return vh_err_set(err, ENODEV, "%s: it has gone", name);
	return vh_address_settle(job->sock, name, rtnl_link_get_ifindex(link), job->addr, job->prefix, &job->changed, err);
}

static int find_bridge(struct job *job, struct vh_err *err)
{
	const char *name = job->want->bridge, *type;
	vh_autolink link = NULL;
	int r = get_link(job->sock, name, &link, err);

	if (r < 0)
		return r;
	if (!link)
		return vh_err_refuse(err, ENODEV, "there is no bridge %s", name);
	type = rtnl_link_get_type(link);
	if (!type || strcmp(type, "bridge"))
		return vh_err_refuse(err, EINVAL, "interface %s is no bridge", name);
	job->bridge = rtnl_link_get_ifindex(link);
	return 0;
}

static int check_want(struct job *job, struct vh_err *err)
{
	const struct vh_net_want *want = job->want;
	int r = vh_net_name_check(want->name, err);

	if (r == 0 && want->bridge)
		r = vh_net_name_check(want->bridge, err);
	if (r == 0)
		r = vh_net_owner_check(want->owner, err);
	if (r == 0 && want->address)
		r = vh_host_address_parse(want->address, &job->addr, &job->prefix, err);
	return r;
}

static void unmake(struct nl_sock *sock, const char *name)
{
	vh_autolink link = NULL;

	if (rtnl_link_get_kernel(sock, 0, name, &link) == 0)
		rtnl_link_delete(sock, link);
}

/* From an interface that is not there to one that stays. */
static int make_and_settle(struct job *job, struct vh_err *err)
{
	vh_autoclose int fd = -1;
	int r = job->kind->make(job->sock, job->want, &fd, err);

	if (r < 0)
		return r;
	job->changed = true;
	r = settle_link(job, err);
	if (r == 0 && job->want->address)
		r = settle_address(job, err);
	if (r == 0 && fd >= 0)
		r = job->kind->keep(fd, job->want, err);
	/* What lives by a descriptor goes with it. */
	if (r < 0 && fd < 0)
		unmake(job->sock, job->want->name);
	return r;
}

static int claim_and_settle(struct job *job, struct rtnl_link *link, struct vh_err *err)
{
	int r = claim(job, link, err);

	if (r == 0)
		r = settle_link(job, err);
	if (r == 0 && job->want->address)
		r = settle_address(job, err);
	return r;
}

int vh_link_settle(const struct vh_net_kind *kind, const struct vh_net_want *want, bool *ret_changed,
		   struct vh_err *err)
{
	struct job job = { .kind = kind, .want = want };
	vh_autolink link = NULL;
	vh_autonl sock = NULL;
	int r = check_want(&job, err);

	if (r == 0)
		r = vh_nl_open(&sock, err);
	job.sock = sock;
	if (r == 0 && want->bridge)
		r = find_bridge(&job, err);
	if (r == 0)
		r = get_link(sock, want->name, &link, err);
	if (r == 0)
		r = link ? claim_and_settle(&job, link, err) : make_and_settle(&job, err);
	if (r == 0 && ret_changed)
		*ret_changed = job.changed;
	return r;
}

static int lacks_address(const struct job *job, struct rtnl_link *link, const char **ret_what, struct vh_err *err)
{
	vh_autocache addrs = NULL;
	const char *is;
	char buf[19];
	int r = rtnl_addr_alloc_cache(job->sock, &addrs);

	if (r < 0)
		return vh_nl_fail(err, r, "%s: reading its addresses", job->want->name);
	is = vh_address_first(addrs, rtnl_link_get_ifindex(link), buf);
	if (!is || strcmp(is, job->want->address))
		*ret_what = "address";
	return 0;
}

/* One that is a port of nothing lacks its bridge, also where that is gone. */
static int look_at(struct job *job, struct rtnl_link *link, const char **ret_what, struct vh_err *err)
{
	vh_autolink change = rtnl_link_alloc();
	int r = change ? claim(job, link, err) : vh_err_nomem(err);

	if (r == 0 && job->want->bridge)
		r = find_bridge(job, err);
	if (r == -ENODEV) {
		vh_err_clear(err);
		*ret_what = "bridge";
		return 0;
	}
	if (r == 0)
		r = difference(job, link, change, ret_what, err);
	return r < 0 || *ret_what || !job->want->address ? r : lacks_address(job, link, ret_what, err);
}

int vh_link_look(const struct vh_net_kind *kind, const struct vh_net_want *want, bool *ret_there, const char **ret_what,
		 struct vh_err *err)
{
	struct job job = { .kind = kind, .want = want };
	const char *what = NULL;
	vh_autolink link = NULL;
	vh_autonl sock = NULL;
	int r = check_want(&job, err);

	if (r == 0)
		r = vh_nl_open(&sock, err);
	job.sock = sock;
	if (r == 0)
		r = get_link(sock, want->name, &link, err);
	if (r == 0 && link)
		r = look_at(&job, link, &what, err);
	if (r < 0)
		return r;
	*ret_there = link;
	*ret_what = what;
	return 0;
}

int vh_net_remove(const char *name, const char *owner, struct vh_err *err)
{
	vh_autolink link = NULL;
	vh_autolink left = NULL;
	vh_autonl sock = NULL;
	int r;

	if ((r = vh_net_name_check(name, err)) < 0 || (r = vh_nl_open(&sock, err)) < 0 ||
	    (r = get_link(sock, name, &link, err)) < 0 || !link)
		return r;
	if (!is_owned(link, owner))
		return vh_err_refuse(err, EPERM, "interface %s is not of %s", name, owner);
	r = rtnl_link_delete(sock, link);
	if (r < 0 && r != -NLE_NODEV && r != -NLE_OBJ_NOTFOUND)
		return vh_nl_fail(err, r, "%s: removing it", name);
	r = get_link(sock, name, &left, err);
	if (r == 0 && left)
		r = vh_err_set(err, EBUSY, "%s: removed, and there again", name);
	return r;
}
