// SPDX-License-Identifier: Apache-2.0
/* Other counts of a manifest's pools. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/manifest/manifest.h"

/* manifest_pools, of one that may change. */
static struct pool *pools_of(struct manifest *m, size_t *ret_n)
{
	*ret_n = m->groups.n ? m->groups.n : 1;
	return m->groups.n ? m->groups.items : &m->pool;
}

/* "head (1), work (2)"; malloc'd. */
static char *groups_of(const struct manifest *m)
{
	const struct pool *groups = m->groups.items;
	char *all = strdup("");

	for (size_t i = 0; all && i < m->groups.n; i++) {
		char *more = vh_strf("%s%s%s (%" PRIu64 ")", all, i ? ", " : "", groups[i].name, groups[i].count);

		free(all);
		all = more;
	}
	return all;
}

static int refuse_group(const struct manifest *m, const char *group, struct vh_err *err)
{
	vh_autofree char *all = groups_of(m);

	if (!all)
		return vh_err_nomem(err);
	if (!m->groups.n) {
		vh_err_refuse(err, ENOENT, "cluster %s has no groups, so no '%s'", m->name, group);
		return vh_err_hint(err, "say the number of its nodes alone: %" PRIu64 " now", m->pool.count);
	}
	if (group)
		return vh_err_refuse(err, ENOENT, "cluster %s has no group '%s'; it has %s", m->name, group, all);
	vh_err_refuse(err, EINVAL, "cluster %s has groups: %s", m->name, all);
	return vh_err_hint(err, "say GROUP=N");
}

/* group NULL: none was said. */
static int find_pool(struct manifest *m, const char *group, struct pool **ret, struct vh_err *err)
{
	size_t n;
	struct pool *pools = pools_of(m, &n);
	const struct pool *named = group ? manifest_pool(m, group) : n == 1 ? pools : NULL;

	if (!named)
		return refuse_group(m, group, err);
	*ret = pools + (named - pools);
	return 0;
}

static int refuse_count(const struct manifest *m, const struct pool *p, uint64_t count, struct vh_err *err)
{
	vh_err_refuse(err, ERANGE, "%s%s: %" PRIu64 " nodes; from 1 to %d are taken", p->name ? "group " : "cluster ",
		      p->name ? p->name : m->name, count, POOL_NODES_MAX);
	if (count)
		return manifest_hint_most(err);
	return p->name ? vh_err_hint(err, "a manifest without the group removes it when it is applied")
		       : vh_err_hint(err, "vhpc cluster destroy %s removes all of it", m->name);
}

static int scale(struct manifest *m, const char *word, struct pool **ret, struct vh_err *err)
{
	const char *equals = strchr(word, '=');
	vh_autofree char *group = equals ? strndup(word, (size_t)(equals - word)) : NULL;
	uint64_t count;
	int r = equals && !group ? vh_err_nomem(err) : 0;

	if (r == 0 && vh_uint_parse(equals ? equals + 1 : word, UINT64_MAX, &count, err) < 0) {
		vh_err_clear(err);
		return vh_err_usage(err, "'%s' is neither N nor GROUP=N, a number of nodes", word);
	}
	if (r == 0)
		r = find_pool(m, group, ret, err);
	if (r == 0 && (!count || count > POOL_NODES_MAX))
		r = refuse_count(m, *ret, count, err);
	if (r == 0)
		(*ret)->count = count;
	return r;
}

int manifest_scale(struct manifest *m, char *const *words, int n, struct vh_err *err)
{
	size_t n_pools;
	const struct pool *first = pools_of(m, &n_pools);
	vh_autofree bool *said = calloc(n_pools, sizeof(*said));
	int r = said ? 0 : vh_err_nomem(err);

	for (int i = 0; r == 0 && i < n; i++) {
		struct pool *p = NULL;

		r = scale(m, words[i], &p, err);
		if (r == 0 && said[p - first])
			return vh_err_usage(err, "'%s': the same nodes are counted twice", words[i]);
		if (r == 0)
			said[p - first] = true;
	}
	return r < 0 ? r : manifest_check(m, err);
}

void manifest_take_counts(struct manifest *m, const struct manifest *from)
{
	size_t n;
	struct pool *pools = pools_of(m, &n);

	for (size_t i = 0; i < n; i++) {
		const struct pool *other = manifest_pool(from, pools[i].name);

		if (other)
			pools[i].count = other->count;
	}
}
