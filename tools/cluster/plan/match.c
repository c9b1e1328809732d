// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"

static int differs(const struct cluster *c, const char *key, const char *is, const char *wanted, struct vh_err *err)
{
	vh_err_refuse(err, EEXIST, "cluster %s exists with another shape: %s is %s, the manifest says %s",
		      c->name, key, is, wanted);
	return vh_err_hint(err, "vhpc cluster destroy %s first, or give the manifest another name", c->name);
}

/* A value as the refusal says it; buf of 24 bytes. */
static const char *text_of(const json_t *value, char buf[24])
{
	if (json_is_string(value))
		return json_string_value(value);
	snprintf(buf, 24, "%lld", (long long)json_integer_value(value));
	return buf;
}

static int match_pool(const struct cluster *c, const struct pool *is, const struct pool *wanted, struct vh_err *err)
{
	vh_autojson a = vh_doc_json(pool_keys, is);
	vh_autojson b = vh_doc_json(pool_keys, wanted);
	char is_buf[24], wanted_buf[24];
	const char *key;
	json_t *value;

	if (!a || !b)
		return vh_err_nomem(err);
	json_object_foreach(a, key, value) {
		const json_t *other = json_object_get(b, key);

		if (!json_equal(value, other))
			return differs(c, key, text_of(value, is_buf), text_of(other, wanted_buf), err);
	}
	return 0;
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
	return differs(c, "network.cidr", vh_cidr_format(&c->cidr, text), cidr, err);
}

int cluster_matches(const struct cluster *c, const struct manifest *m, struct vh_err *err)
{
	int r = match_pool(c, &c->pools[0].wanted, &m->pool, err);

	return r < 0 ? r : match_network(c, m->network.cidr, err);
}
