// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/volume/volume.h"

/* Says of a difference whether apply can change it: differs or drifted. */
typedef int say_fn(const struct cluster *c, const char *group, const char *key, const char *is, const char *wanted, struct vh_err *err);

static int say(const struct cluster *c, const char *group, const char *key, const char *is, const char *wanted, struct vh_err *err)
{
	return vh_err_refuse(err, EEXIST, "cluster %s exists with another shape: %s%s%s%s is %s, the manifest says %s", c->name,
		      group ? "group " : "", group ? group : "", group ? ": " : "", key, is, wanted);
}

/* What nodes that are there cannot change. group: whose key it is, or NULL. */
static int differs(const struct cluster *c, const char *group, const char *key, const char *is, const char *wanted,
		   struct vh_err *err)
{
	say(c, group, key, is, wanted, err);
	return vh_err_hint(err, "vhpc cluster destroy %s first, or give the manifest another name", c->name);
}

/* What apply changes. */
static int drifted(const struct cluster *c, const char *group, const char *key, const char *is, const char *wanted,
		   struct vh_err *err)
{
	say(c, group, key, is, wanted, err);
	return vh_err_hint(err, "apply changes it, vhpc cluster plan says how");
}

/* A value as the refusal says it; malloc'd. */
static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return value && !json_is_null(value) ? json_dumps(value, JSON_ENCODE_ANY) : strdup("nothing");
}

static int differ(const struct cluster *c, const struct pool *wanted, const char *key, const json_t *a, const json_t *b,
		  say_fn *what, struct vh_err *err)
{
	vh_autofree char *is = text_of(a), *says = text_of(b);

	return is && says ? what(c, wanted->name, key, is, says, err) : vh_err_nomem(err);
}

/* What apply changes, a node after the other. Slurm's files say what a VM has, and devices are its own while it runs. */
static bool may_change(const struct cluster *c, const struct pool *is, const char *key)
{
	static const char *const sizes[] = { "vcpus", "memory", "cpu_policy" };
	bool is_size = false;

	for (size_t i = 0; i < vh_array_len(sizes); i++)
		is_size |= !strcmp(key, sizes[i]);
	return is_size ? !c->slurm && !is->devices : !strcmp(key, "image");
}

/* NULL: it need not be said. */
static say_fn *how_to_say(const struct cluster *c, const struct pool *is, const char *key, say_fn *changes)
{
	return may_change(c, is, key) ? changes : differs;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* How many are dedicated follows from sizes, and what guest nodes have where they are asked for alike. */
static bool follows(const struct pool *is, const struct pool *wanted, const char *key)
{
	return !strcmp(key, "dedicated") || (!strcmp(key, "cells") && same_text(pool_said(is, "numa"), pool_said(wanted, "numa")));
}

/* What is asked for without what need not be said. */
static void leave_out(const struct cluster *c, const struct pool *is, const struct pool *wanted, json_t *request)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(request, next, key, value)
		if (may_change(c, is, key) || (may_change(c, is, "vcpus") && follows(is, wanted, key)))
			json_object_del(request, key);
}

/* What is asked for in other words is the same. */
static int match_request(const struct cluster *c, const struct pool *is, const struct pool *wanted, say_fn *changes, struct vh_err *err)
{
	vh_autojson a = pool_asks(is, err);
	vh_autojson b = a ? pool_asks(wanted, err) : NULL;
	vh_autojson said_a = vh_doc_json(pool_request_keys, is);
	vh_autojson said_b = vh_doc_json(pool_request_keys, wanted);
	const char *key;
	json_t *said;

	if (!a || !b || !said_a || !said_b)
		return err->num ? -err->num : vh_err_nomem(err);
	if (!changes) {
		leave_out(c, is, wanted, a);
		leave_out(c, is, wanted, b);
	}
	if (json_equal(a, b))
		return 0;
	json_object_foreach(said_a, key, said) {
		const json_t *other = json_object_get(said_b, key), *means = json_object_get(a, key);
		say_fn *what = how_to_say(c, is, key, changes);

		if (!what || json_equal(said, other) || (means && json_equal(means, json_object_get(b, key))))
			continue;
		return differ(c, wanted, key, json_is_null(said) && means ? means : said,
			      json_is_null(other) && means ? json_object_get(b, key) : other, what, err);
	}
	return differs(c, wanted->name, "the request", "another", "otherwise", err);
}

static int match_keys(const struct cluster *c, const struct pool *is, const struct pool *wanted, say_fn *changes, struct vh_err *err)
{
	vh_autojson a = vh_doc_json(pool_keys, is);
	vh_autojson b = vh_doc_json(pool_keys, wanted);
	const char *key;
	json_t *value;

	if (!a || !b)
		return vh_err_nomem(err);
	json_object_foreach(a, key, value) {
		say_fn *what = how_to_say(c, is, key, changes);

		if (what && strcmp(key, "nodes") && !pool_is_policy(key) && !json_equal(value, json_object_get(b, key)))
			return differ(c, wanted, key, value, json_object_get(b, key), what, err);
	}
	return match_request(c, is, wanted, changes, err);
}

/* "head, work", of pools that are each stride bytes from the one before. */
static char *names_of(const struct pool *pools, size_t stride, size_t n)
{
	vh_autofree char *all = strdup("");

	for (size_t i = 0; all && i < n; i++) {
		const struct pool *p = (const struct pool *)((const char *)pools + i * stride);
		char *more = vh_strf("%s%s%s", all, i ? ", " : "", p->name ? p->name : "none");

		free(all);
		all = more;
	}
	return vh_steal(&all);
}

static int match_names(const struct cluster *c, const struct manifest *m, say_fn *what, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	vh_autofree char *a = names_of(&c->pools[0].wanted, sizeof(*c->pools), c->n_pools), *b = names_of(pools, sizeof(*pools), n);

	if (!a || !b)
		return vh_err_nomem(err);
	return strcmp(a, b) ? what(c, NULL, "groups", a, b, err) : 0;
}

/* Nodes of groups are named after them, so that none would stay where there are groups by now, or none any more. */
static int match_pools(const struct cluster *c, const struct manifest *m, say_fn *changes, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = !c->pools[0].wanted.name == !pools[0].name ? 0 : match_names(c, m, differs, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct cluster_pool *p = cluster_pool_named(c, pools[i].name);

		r = p ? match_keys(c, &p->wanted, &pools[i], changes, err) : 0;
	}
	return r;
}

/* A network that the manifest leaves open matches any. */
static int match_network(const struct cluster *c, const char *cidr, struct vh_err *err)
{
	struct vh_cidr wanted;
	char text[19];

	if (!cidr)
		return 0;
	if (vh_cidr_parse(cidr, &wanted, err) < 0)
		return -err->num;
	if (wanted.base == c->cidr.base && wanted.prefix == c->cidr.prefix)
		return 0;
	return differs(c, NULL, "network.cidr", vh_cidr_format(&c->cidr, text), cidr, err);
}

static int match_users(const struct cluster *c, const struct vh_doc_list *wanted, struct vh_err *err)
{
	const char *name = logins_differ(&c->users, wanted);

	if (!name)
		return 0;
	vh_err_refuse(err, EEXIST, "cluster %s exists with other users: %s is not as the manifest says", c->name, name);
	return vh_err_hint(err, "apply changes it, vhpc cluster plan says how");
}

/* Disks have their size and their nodes, and nodes their mounts, since they were made. */
static int match_volumes(const struct cluster *c, const struct vh_doc_list *wanted, struct vh_err *err)
{
	const char *name = volumes_differ(&c->volumes, wanted);

	if (!name)
		return 0;
	vh_err_refuse(err, EEXIST, "cluster %s exists with other volumes: %s is not as the manifest says", c->name, name);
	return vh_err_hint(err, "vhpc cluster destroy %s first; what a volume without keep has is lost then", c->name);
}

static int match_slurm(const struct cluster *c, bool wanted, struct vh_err *err)
{
	return c->slurm == wanted ? 0 : differs(c, NULL, "slurm", c->slurm ? "yes" : "no", wanted ? "yes" : "no", err);
}

/* A node has its part in Slurm since it was made: its image is known to have the daemon for that one alone. */
static int match_parts(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);

	for (size_t i = 0; c->slurm && i < n; i++) {
		const struct cluster_pool *p = cluster_pool_named(c, pools[i].name);

		if (!p || (p->wanted.role == POOL_COMPUTE) == (pools[i].role == POOL_COMPUTE))
			continue;
		say(c, pools[i].name, "role", pool_roles[p->wanted.role], pool_roles[pools[i].role], err);
		return vh_err_hint(err, "a group that is there runs Slurm's jobs or does not: give another one that role");
	}
	return 0;
}

bool cluster_take_policy(struct cluster *c, const struct manifest *m)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	bool changes = false;

	for (size_t i = 0; i < c->n_pools; i++)
		for (size_t k = 0; k < n; k++) {
			struct pool *p = &c->pools[i].wanted;

			if (!p->name == !pools[k].name && (!p->name || !strcmp(p->name, pools[k].name)))
				changes |= pool_take_policy(p, &pools[k]);
		}
	return changes;
}

static int match_count(const struct cluster *c, const struct pool *is, const struct pool *wanted, say_fn *what, struct vh_err *err)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%" PRIu64, is->count);
	snprintf(b, sizeof(b), "%" PRIu64, wanted->count);
	if (is->count != wanted->count)
		return what(c, wanted->name, wanted->name ? "count" : "nodes", a, b, err);
	return is->role == wanted->role ? 0 : what(c, wanted->name, "role", pool_roles[is->role], pool_roles[wanted->role], err);
}

/* Which nodes there are, and what for. */
static int match_nodes(const struct cluster *c, const struct manifest *m, say_fn *what, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = match_names(c, m, what, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = match_count(c, &c->pools[i].wanted, &pools[i], what, err);
	return r;
}

int cluster_can_become(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	int r = match_pools(c, m, NULL, err);

	if (r == 0)
		r = match_network(c, m->network.cidr, err);
	if (r == 0)
		r = match_volumes(c, &m->volumes, err);
	if (r == 0)
		r = match_slurm(c, m->slurm, err);
	if (r == 0)
		r = match_parts(c, m, err);
	return r < 0 ? r : cluster_can_have(c, &m->users, err);
}

int cluster_asks_alike(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	int r = cluster_can_become(c, m, err);

	if (r == 0)
		r = match_pools(c, m, drifted, err);
	return r < 0 ? r : match_users(c, &m->users, err);
}

int cluster_matches(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	int r = cluster_asks_alike(c, m, err);

	return r < 0 ? r : match_nodes(c, m, drifted, err);
}
