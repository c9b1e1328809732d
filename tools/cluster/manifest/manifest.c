// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "images/images.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/manifest/keys.h"
#include "tools/cluster/volume/volume.h"
#include "lib/cidr.h"

/* "-1023" is put behind the name, or "-GROUP-1023", and the whole is a host name. */
enum { NAME_MAX_LEN = 58, NODE_NAME_MAX = 63 };

static int check_name(const char *s, struct vh_err *err)
{
	if (strlen(s) > NAME_MAX_LEN)
		return vh_err_refuse(err, EINVAL, "'%.80s' is too long: node names are made from it (at most %d)", s, NAME_MAX_LEN);
	return vh_hostname_check(s, err);
}

static int check_cidr(const char *s, struct vh_err *err)
{
	struct vh_cidr net;

	return vh_cidr_parse(s, &net, err);
}

static int check_ready(const char *s, struct vh_err *err)
{
	vh_autoerr none = VH_ERR_NONE;
	uint64_t n;

	if (!strcmp(s, READY_ALL))
		return 0;
	if (vh_uint_parse(s, POOL_NODES_MAX, &n, &none) < 0 || n == 0) {
		vh_err_refuse(err, EINVAL, "'%.40s' is neither " READY_ALL " nor a number from 1 to %d", s, POOL_NODES_MAX);
		return vh_err_hint(err, "so many nodes have to come up at least, or else nothing of the cluster stays");
	}
	return 0;
}

/* Offsets are into manifest.network. */
static const struct vh_key network_keys[] = {
	{ .name = "cidr", .type = VH_KEY_STR, .offset = 0,
	  .check = check_cidr, .help = "IPv4 network of the cluster; when absent the first free /24 of 10.119.0.0/16." },
	{ .name = NULL },
};

#define POOL_AT offsetof(struct manifest, pool)
const struct vh_key manifest_keys[] = {
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct manifest, name), .required = true,
	  .check = check_name, .help = "Name of the cluster; its nodes are NAME-1, NAME-2, ..., with groups NAME-GROUP-1, ..." },
	{ .name = "include", .type = VH_KEY_STRV, .offset = offsetof(struct manifest, include), .includes = true,
	  .help = "Manifests whose keys hold where this one is silent, by their paths from its directory." },
	POOL_IMAGE_KEY(POOL_AT), POOL_COUNT_KEY(POOL_AT, "nodes"), POOL_REQUEST_KEYS(POOL_AT) POOL_BOOT_KEYS(POOL_AT)
	{ .name = "defaults", .type = VH_KEY_MAP, .offset = offsetof(struct manifest, defaults), .keys = pool_default_keys,
	  .help = "What groups leave out." },
	{ .name = "groups", .type = VH_KEY_LIST, .offset = offsetof(struct manifest, groups), .keys = pool_group_keys,
	  .item_size = sizeof(struct pool), .max = 64, .under = "defaults", .settled = pool_settled,
	  .help = "Nodes of several kinds, instead of `image`, `nodes` and what they ask for at the top." },
	{ .name = "network", .type = VH_KEY_MAP, .offset = offsetof(struct manifest, network), .keys = network_keys,
	  .help = "The cluster's own network." },
	LOGINS_KEY(offsetof(struct manifest, users)),
	VOLUMES_KEY(offsetof(struct manifest, volumes)),
	{ .name = "slurm", .type = VH_KEY_BOOL, .offset = offsetof(struct manifest, slurm), .dflt = "no",
	  .help = "A Slurm of the cluster's own: the head, else the first node, controls it, and nodes of the role compute run its jobs." },
	{ .name = "ready", .type = VH_KEY_STR, .offset = offsetof(struct manifest, ready), .dflt = READY_ALL, .check = check_ready,
	  .help = "How many of the nodes `apply` has to bring up: `all`, or a number, at least. It goes on without the others, which it " \
		  "removes again. It may change." },
	{ .name = NULL },
};

const struct pool *manifest_pools(const struct manifest *m, size_t *ret_n)
{
	*ret_n = m->groups.n ? m->groups.n : 1;
	return m->groups.n ? m->groups.items : &m->pool;
}

uint64_t manifest_nodes(const struct manifest *m)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	uint64_t nodes = 0;

	for (size_t i = 0; i < n; i++)
		nodes += pools[i].count;
	return nodes;
}

const struct pool *manifest_pool(const struct manifest *m, const char *name)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);

	for (size_t i = 0; i < n; i++)
		if (pools[i].name && name ? !strcmp(pools[i].name, name) : !pools[i].name && !name)
			return &pools[i];
	return NULL;
}

uint64_t ready_least(const char *ready, uint64_t nodes)
{
	vh_autoerr none = VH_ERR_NONE;
	uint64_t n;

	return !ready || !strcmp(ready, READY_ALL) || vh_uint_parse(ready, nodes, &n, &none) < 0 ? nodes : n;
}

/* --- what of a manifest goes together */

int manifest_hint_most(struct vh_err *err)
{
	return vh_err_hint(err, "each has a port of the cluster's bridge, of which Linux gives one %d", POOL_NODES_MAX);
}

static bool says_pool(const struct pool *p)
{
	return p->image || p->count || p->boot || p->disk || pool_says_request(p);
}

static int check_short(const struct manifest *m, struct vh_err *err)
{
	const char *missing = m->pool.image ? m->pool.count ? NULL : "nodes" : "image";

	if (m->pool.count > POOL_NODES_MAX) {
		vh_err_refuse(err, ERANGE, "nodes: more than %d", POOL_NODES_MAX);
		return manifest_hint_most(err);
	}
	if (missing) {
		vh_err_refuse(err, EINVAL, "key '%s' is missing, and no groups are there", missing);
		return vh_err_hint(err, "image and nodes stand at the top, or groups have an image and a count each");
	}
	if (says_pool(&m->defaults))
		return vh_err_refuse(err, EINVAL, "defaults: no groups are there that they are for");
	return pool_settled(&m->pool, err);
}

static int check_groups(const struct manifest *m, struct vh_err *err)
{
	const struct pool *groups = m->groups.items;
	uint64_t heads = 0;

	if (says_pool(&m->pool)) {
		vh_err_refuse(err, EINVAL, "groups are there, and keys of nodes beside them");
		return vh_err_hint(err, "image, vcpus and the like stand in a group, or for all groups in defaults; nodes is count there");
	}
	for (size_t i = 0; i < m->groups.n; i++) {
		heads += groups[i].role == POOL_HEAD ? groups[i].count : 0;
		if (strlen(m->name) + strlen(groups[i].name) + strlen("--1023") > NODE_NAME_MAX)
			return vh_err_refuse(err, EINVAL, "group %s: node names made of '%s' and its name are too long (%d at most)",
					     groups[i].name, m->name, NODE_NAME_MAX);
	}
	if (heads > 1)
		return vh_err_refuse(err, EINVAL, "groups: %" PRIu64 " nodes of the role head, one at most is taken", heads);
	if (manifest_nodes(m) <= POOL_NODES_MAX)
		return 0;
	vh_err_refuse(err, ERANGE, "groups: %" PRIu64 " nodes, at most %d are taken", manifest_nodes(m), POOL_NODES_MAX);
	return manifest_hint_most(err);
}

/* Slurm takes no partition without nodes. */
static int check_slurm(const struct manifest *m, struct vh_err *err)
{
	size_t n, computes = 0;
	const struct pool *pools = manifest_pools(m, &n);

	for (size_t i = 0; i < n; i++)
		computes += pools[i].role == POOL_COMPUTE;
	if (!m->slurm || computes)
		return 0;
	vh_err_refuse(err, EINVAL, "slurm: no group has the role compute, whose nodes run its jobs");
	return vh_err_hint(err, "give one that role, or leave slurm out");
}

static int check_least(const struct manifest *m, struct vh_err *err)
{
	const uint64_t nodes = manifest_nodes(m);
	vh_autoerr none = VH_ERR_NONE;
	uint64_t least;

	if (!m->ready || !strcmp(m->ready, READY_ALL))
		return 0;
	if (vh_uint_parse(m->ready, nodes, &least, &none) < 0) {
		vh_err_refuse(err, ERANGE, "ready: %s of %" PRIu64 " nodes", m->ready, nodes);
		return vh_err_hint(err, "say no more than there are, or " READY_ALL);
	}
	return 0;
}

static int check_whole(const struct manifest *m, struct vh_err *err)
{
	int r = m->groups.n ? check_groups(m, err) : check_short(m, err);

	if (r == 0)
		r = check_slurm(m, err);
	return r < 0 ? r : check_least(m, err);
}

/* What the table sees to where a manifest is read. */
static int check_group(const struct pool *groups, size_t i, struct vh_err *err)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(groups[k].name, groups[i].name))
			return vh_err_refuse(err, EINVAL, "group %s: is there twice", groups[i].name);
	if (!groups[i].count || groups[i].count > POOL_NODES_MAX)
		return vh_err_refuse(err, ERANGE, "group %s: %" PRIu64 " nodes; from 1 to %d are taken", groups[i].name, groups[i].count,
				     POOL_NODES_MAX);
	return pool_settled(&groups[i], err);
}

static int check_volumes(const struct manifest *m, struct vh_err *err)
{
	const struct pool *groups = m->groups.items;
	vh_autostrv names = NULL;

	for (size_t i = 0; i < m->groups.n; i++)
		if (vh_strv_push(&names, groups[i].name) < 0)
			return vh_err_nomem(err);
	return volumes_check(&m->volumes, names, err);
}

int manifest_check(const struct manifest *m, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < m->groups.n; i++)
		r = check_group(m->groups.items, i, err);
	if (r == 0)
		r = logins_check(&m->users, err);
	if (r == 0)
		r = check_volumes(m, err);
	return r < 0 ? r : check_whole(m, err);
}

/* As it comes from the table, which does not see all. */
static int finish(const char *name, struct manifest *m, struct manifest *ret, struct vh_err *err)
{
	int r = check_whole(m, err);

	if (r < 0) {
		manifest_clear(m);
		return r == -ENOMEM ? r : vh_err_within(err, "%s", name);
	}
	*ret = *m;
	return 0;
}

int manifest_load(const char *path, struct manifest *ret, struct vh_err *err)
{
	struct manifest m = { 0 };
	int r = vh_doc_load(path, manifest_keys, &m, err);

	if (r == 0 && (r = logins_settle(&m.users, path, err)) < 0)
		manifest_clear(&m);
	return r < 0 ? r : finish(path, &m, ret, err);
}

int manifest_parse(const char *name, const char *text, size_t len, struct manifest *ret, struct vh_err *err)
{
	struct manifest m = { 0 };
	int r = vh_doc_parse(name, text, len, manifest_keys, &m, err);

	return r < 0 ? r : finish(name, &m, ret, err);
}

void manifest_clear(struct manifest *m)
{
	vh_doc_free(manifest_keys, m);
	missing_clear(&m->missing);
	*m = (struct manifest){ 0 };
}

json_t *manifest_schema(void)
{
	vh_autojson s = vh_doc_schema(manifest_keys);
	/* Groups, or nodes that are alike, or what is included says which. */
	vh_autojson either = json_pack("[{s:[s]}, {s:[s,s], s:{s:[s]}}, {s:[s], s:{s:[{s:[s]}, {s:[s,s]}]}}]", "required", "groups",
				       "required", "image", "nodes", "not", "required", "defaults", "required", "include",
				       "not", "anyOf", "required", "groups", "required", "image", "nodes");

	if (!s || !either || json_object_set(s, "oneOf", either) < 0 ||
	    json_object_set_new(s, "title", json_string("vhpc cluster manifest")) < 0)
		return NULL;
	return vh_steal(&s);
}

bool cluster_is_file(const char *arg)
{
	size_t n = strlen(arg);
	struct stat st;

	return strchr(arg, '/') || (n > 5 && !strcmp(arg + n - 5, ".yaml")) ||
	       (n > 4 && !strcmp(arg + n - 4, ".yml")) || (stat(arg, &st) == 0 && S_ISREG(st.st_mode));
}

int cluster_name(const char *file_or_name, char **ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	int r;

	if (cluster_is_file(file_or_name)) {
		/* Files that it names for its nodes may be gone by now. */
		r = vh_doc_load(file_or_name, manifest_keys, &m, err);
		if (r < 0)
			return r;
		*ret = vh_steal(&m.name);
		return 0;
	}
	r = check_name(file_or_name, err);
	if (r < 0)
		return r;
	*ret = strdup(file_or_name);
	return *ret ? 0 : vh_err_nomem(err);
}

int cluster_given(const char *arg, struct manifest *ret, char **ret_name, struct vh_err *err)
{
	int r = cluster_is_file(arg) ? manifest_load(arg, ret, err) : cluster_name(arg, ret_name, err);

	if (r < 0 || *ret_name)
		return r;
	*ret_name = strdup(ret->name);
	return *ret_name ? 0 : vh_err_nomem(err);
}
