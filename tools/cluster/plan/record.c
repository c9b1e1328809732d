// SPDX-License-Identifier: Apache-2.0
/* The record of a cluster, and what it leases: whom its QEMUs run as, and whose its files are, what its nodes have, and the rest. */
#include "tools/cluster/plan/plan.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/vm/vm.h"

static const char record_class[] = "cluster";

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

/* --- what else it leases */

/* What the node is to hold with that layout. */
static int lease_of(const struct cluster *c, const struct node *n, const struct vh_layout *layout, struct vh_domain_lease *ret,
		    struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", node_domain(n));

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

	return c->n_nodes < 2 || cluster_is_foreign(c) ? 0 : vh_shared_lease_take(store, root, region.node, region.name, region.size, c->owner, err);
}

/* One that is to have more holds all of that from now on; it gives it back when it ends, and takes what it has then. NULL: it has
 * what it needs. */
static const struct vh_layout *layout_to_take(const struct node *n)
{
	return n->is_new ? n->layout : node_other_holds_all(n) ? n->other : NULL;
}

/* What its new nodes have while they run. */
static int lease_nodes(struct vh_store *store, const struct cluster *c, struct vh_err *err)
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
	return r == 0 && more ? vh_domain_lease_take_less(store, root, &own, err) : r;
}

/* Of nodes that are to have nothing else: what they hold beside what they have, by a change that was given up, is given back. */
static int lease_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		if (!c->nodes[i].is_new && !c->nodes[i].other)
			r = settle_node(store, root, c, &c->nodes[i], err);
	return r;
}

/* What it has whether they run or not: network, shared memory. */
static int lease_shared(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autoroot root = NULL;
	char cidr[19];
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_lease_take(store, "subnet", vh_cidr_format(&c->cidr, cidr), c->owner, 0, err);
	return r < 0 ? r : lease_region(store, root, c, err);
}

/* The user that it had, of a store that was lost. */
static int lease_user_again(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", (unsigned)c->uid);
	return c->uid ? vh_lease_take(store, "uid", uid, c->owner, 0, err) : 0;
}

static int drop_node(struct vh_store *store, const struct node *n, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", node_domain(n));
	int r = holder ? vh_domain_lease_drop(store, holder, err) : vh_err_nomem(err);

	return r < 0 ? r : vh_lease_drop(store, holder, NULL, NULL, err);
}

/* What those have that leave. */
static int lease_drop_leaving(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_leaving; i++)
		r = drop_node(store, &c->nodes[c->n_nodes + i], err);
	return r;
}

/* All of it, the nodes' too. */
static int lease_drop(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_lease_drop(store, c->owner, NULL, NULL, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = drop_node(store, &c->nodes[i], err);
	return r < 0 ? r : lease_drop_leaving(store, c, err);
}

/* --- the record */

int record_load(struct vh_store *store, const char *state, const char *name, struct cluster *ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = vh_record_get(store, record_class, name, &doc, err);

	return r < 0 ? r : cluster_from_json(doc, state, ret, err);
}

int record_put(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	vh_autojson doc = cluster_to_json(c);

	return doc ? vh_record_put(store, record_class, c->name, doc, err) : vh_err_nomem(err);
}

int record_create(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_nodes(store, c, err);

	if (r == 0)
		r = lease_settle(store, c, err);
	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

int record_settle(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = lease_settle(store, c, err);
	if (r == 0)
		r = record_put(store, c, err);
	return vh_store_settle(store, r, err);
}

int record_recover(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_user_again(store, c, err);

	if (r == 0)
		r = lease_shared(store, c, err);
	return r < 0 ? r : record_put(store, c, err);
}

int record_leave(struct vh_store *store, struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	r = lease_drop_leaving(store, c, err);
	cluster_drop_leaving(c);
	if (r == 0)
		r = record_put(store, c, err);
	return vh_store_settle(store, r, err);
}

/* What was undone is forgotten, but not what the journal knows by the name that the state directory had. */
static int forget_steps(struct vh_store *store, const char *run, struct vh_err *err)
{
	struct vh_step *steps = NULL;
	size_t n = 0;
	int r = vh_journal_list(store, run, &steps, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = vh_journal_forget(store, steps[i].id, err);
	vh_journal_free(steps, n);
	return r;
}

static int drop_all(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = lease_drop(store, c, err);

	if (r == 0)
		r = forget_steps(store, c->owner, err);
	return r < 0 ? r : vh_record_delete(store, record_class, c->name, err);
}

int record_remove(struct vh_store *store, const struct cluster *c, struct vh_err *err)
{
	int r = vh_store_begin(store, err);

	if (r < 0)
		return r;
	return vh_store_settle(store, drop_all(store, c, err), err);
}

/* --- one that the store has lost, out of record.json in its directory */

int record_save(const struct cluster *c, const char *dir, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/record.json", dir), *text = NULL;
	vh_autojson doc = cluster_to_json(c);
	vh_autojson there = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (path && doc && there && json_equal(doc, there))
		return 0;
	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return path && text ? vh_write_file(path, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

/* Of a release that knew no policies there is the default of each. */
bool record_is_kept(const struct cluster *c)
{
	vh_autofree char *path = vh_strf("%s/record.json", c->dir);
	vh_autojson doc = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *groups = json_object_get(doc, "groups");
	const char *ready = json_string_value(json_object_get(doc, "ready"));
	bool kept = doc && !strcmp(ready ? ready : READY_ALL, c->ready ? c->ready : READY_ALL);

	for (size_t i = 0; kept && i < c->n_pools; i++)
		kept = pool_has_policy(&c->pools[i].wanted, groups ? json_array_get(groups, i) : doc);
	return kept || (path && access(path, F_OK) < 0);
}

int record_saved(const char *state, const char *name, struct cluster *ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/clusters/%s/record.json", state, name);
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	json_error_t why;
	vh_autojson doc = NULL;
	int r;

	if (!path)
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return -ENOENT;
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return vh_err_set(err, EBADMSG, "%s:%d: %s", path, why.line, why.text);
	r = cluster_from_json(doc, state, &c, err);
	if (r < 0)
		return vh_err_within(err, "%s", path);
	if (strcmp(c.name, name))
		return vh_err_set(err, EBADMSG, "%s: is of a cluster %s", path, c.name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}

int record_check_off(const struct cluster *c, struct vh_err *err)
{
	vh_autostrv pids = NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0 && (r = vh_root_list(root, &pids, "proc")) < 0)
		vh_err_set(err, -r, "/proc: %s", strerror(-r));
	for (size_t i = 0; r == 0 && i < c->n_nodes + c->n_leaving; i++) {
		const char *pid = vh_qemu_process(root, pids, node_domain(&c->nodes[i]), c->nodes[i].uuid);

		if (pid)
			r = vh_err_refuse(err, EBUSY, "VM %s: runs, process %s, out of another directory", c->nodes[i].name, pid);
	}
	return r;
}

int record_lost(const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/clusters/%s", state, name);

	if (!dir)
		return vh_err_nomem(err);
	if (access(dir, F_OK) < 0)
		return 0;
	vh_err_refuse(err, ENODATA, "cluster %s: its directory is there, %s, but the store does not know it", name, dir);
	return vh_err_hint(err, "vhpc cluster recover brings back what the store has lost");
}
