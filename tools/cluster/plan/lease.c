// SPDX-License-Identifier: Apache-2.0
/* What a cluster leases: whom its QEMUs run as, and whose its files are, what its nodes have, and the rest. */
#include "tools/cluster/plan/lease.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/plan/cluster.h"
#include "vmm/domain/domain.h"
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

/* Its owner could write it whatever its mode, and its group is other clusters' too: so they stand in a list of the file's
 * own. Where a file system has none they own it, as they do their disks. */
static int let_read(const char *path, unsigned uid)
{
	const struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entries[5];
	} list = {
		{ htole32(POSIX_ACL_XATTR_VERSION) },
		{ { htole16(ACL_USER_OBJ), htole16(ACL_READ), htole32(ACL_UNDEFINED_ID) }, { htole16(ACL_USER), htole16(ACL_READ), htole32(uid) },
		  { htole16(ACL_GROUP_OBJ), 0, htole32(ACL_UNDEFINED_ID) }, { htole16(ACL_MASK), htole16(ACL_READ), htole32(ACL_UNDEFINED_ID) },
		  { htole16(ACL_OTHER), 0, htole32(ACL_UNDEFINED_ID) } },
	};

	if (chmod(path, 0400) < 0)
		return -errno;
	if (setxattr(path, "system.posix_acl_access", &list, sizeof(list), 0) == 0)
		return 0;
	return errno == EOPNOTSUPP && lchown(path, uid, (gid_t)-1) == 0 ? 0 : -errno;
}

int cluster_show(const struct cluster *c, const char *path, struct vh_err *err)
{
	struct cluster_user user;
	int r = cluster_user(c, &user) ? let_read(path, user.uid) : 0;

	return r < 0 ? vh_err_set(err, -r, "%s: %s", path, strerror(-r)) : 0;
}

/* --- the rest */

/* What the node is to hold with that layout. */
static int lease_of(const struct cluster *c, const struct node *n, const struct vh_layout *layout, struct vh_domain_lease *ret,
		    struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", n->name);

	if (!holder || vh_layout_lease(layout, NULL, holder, c->owner, ret) < 0 || (n->uuid && !(ret->uuid = strdup(n->uuid))))
		return vh_err_nomem(err);
	return 0;
}

/* first: of several; what those hold that have ended is given back once. */
static int lease_node(struct vh_store *store, const struct vh_root *root, const struct cluster *c,
		      const struct node *n, const struct vh_layout *layout, bool first, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	int r = lease_of(c, n, layout, &lease, err);

	return r < 0 ? r : (first ? vh_domain_lease_take : vh_domain_lease_take_more)(store, root, &lease, err);
}

static int lease_region(struct vh_store *store, const struct vh_root *root, const struct cluster *c, struct vh_err *err)
{
	const struct region region = cluster_region(c);

	return c->n_nodes < 2 ? 0 : vh_shared_lease_take(store, root, region.node, region.name, region.size, c->owner, err);
}

/* One that is to have more holds all of that from now on; it gives it back when it ends, and takes what it has then. NULL: it has
 * what it needs. */
static const struct vh_layout *layout_to_take(const struct node *n)
{
	return n->is_new ? n->layout : node_other_holds_all(n) ? n->other : NULL;
}

int lease_nodes(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	bool first = true;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		const struct vh_layout *layout = layout_to_take(&c->nodes[i]);

		if (!layout)
			continue;
		r = lease_node(store, root, c, &c->nodes[i], layout, first, err);
		first = false;
	}
	return r;
}

/* What it was to have is on other CPUs and other nodes of the host, or of more bytes there. */
static bool is_more(const struct vh_lease *held, size_t n, const struct vh_domain_lease *own)
{
	size_t cpus = 0, parts = 0;
	uint64_t bytes = 0, own_bytes = 0;

	for (size_t i = 0; i < n; i++) {
		cpus += !strcmp(held[i].kind, "cpu");
		parts += held[i].amount != 0;
		bytes += held[i].amount;
	}
	for (size_t i = 0; i < own->n_nodes; i++)
		own_bytes += own->node_memory[i];
	return cpus > own->n_cpus || parts > own->n_nodes || bytes > own_bytes;
}

static int settle_node(struct vh_store *store, const struct vh_root *root, const struct cluster *c, const struct node *n,
		       struct vh_err *err)
{
	static const char *const kinds[] = { "cpu", "memory", "hugepage" };
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease own = { 0 };
	struct vh_lease *held = NULL;
	size_t n_held = 0;
	bool more = false;
	int r = lease_of(c, n, n->layout, &own, err);

	if (r == 0)
		r = vh_lease_list(store, NULL, own.holder, &held, &n_held, err);
	if (r == 0)
		more = is_more(held, n_held, &own);
	vh_lease_free(held, n_held);
	for (size_t i = 0; r == 0 && more && i < vh_array_len(kinds); i++)
		r = vh_lease_drop(store, own.holder, kinds[i], NULL, err);
	return r == 0 && more ? vh_domain_lease_take_more(store, root, &own, err) : r;
}

int lease_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		if (!c->nodes[i].is_new && !c->nodes[i].other)
			r = settle_node(store, root, c, &c->nodes[i], err);
	return r;
}

int lease_shared(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	char cidr[19];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_lease_take(store, "subnet", vh_cidr_format(&c->cidr, cidr), c->owner, 0, err);
	return r < 0 ? r : lease_region(store, root, c, err);
}

int lease_user_again(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", (unsigned)c->uid);
	return c->uid ? vh_lease_take(store, "uid", uid, c->owner, 0, err) : 0;
}

static int drop_node(struct vh_store *store, const struct node *n, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", n->name);
	int r = holder ? vh_domain_lease_drop(store, holder, err) : vh_err_nomem(err);

	return r < 0 ? r : vh_lease_drop(store, holder, NULL, NULL, err);
}

int lease_drop_leaving(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_leaving; i++)
		r = drop_node(store, &c->nodes[c->n_nodes + i], err);
	return r;
}

int lease_drop(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_lease_drop(store, c->owner, NULL, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = drop_node(store, &c->nodes[i], err);
	return r < 0 ? r : lease_drop_leaving(store, c, err);
}
