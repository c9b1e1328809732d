// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/manifest/pool.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/manifest/keys.h"

/* "-GROUP-1024" comes behind the cluster's name, and the whole is a host name of at most 63. */
enum { GROUP_NAME_MAX = 32 };
static const uint64_t least_memory = 256ull << 20;

static int check_memory(uint64_t size, struct vh_err *err)
{
	char is[16], least[16];

	return size >= least_memory ? 0 : vh_err_refuse(err, ERANGE, "%s is less than %s", vh_size_format(is, sizeof(is), size),
							vh_size_format(least, sizeof(least), least_memory));
}

const char *const pool_roles[] = { [POOL_COMPUTE] = "compute", [POOL_HEAD] = "head", [POOL_DATA] = "data", NULL };

const char *const pool_restarts[] = {
	[POOL_NEVER] = "never", [POOL_ON_FAILURE] = "on-failure", [POOL_ALWAYS] = "always", NULL,
};

/* A node boots an operating system, which a VM as such need not. */
int pool_check_value(const char *key, const char *value, struct vh_err *err)
{
	uint64_t size;
	int r = vh_want_check_value(key, value, err);

	if (r < 0)
		return r;
	if (!strcmp(key, "vcpus") && value[strspn(value, "0")] == '\0')
		return vh_err_refuse(err, ERANGE, "a node has a vCPU at least");
	return strcmp(key, "memory") || vh_size_parse(value, &size, err) < 0 ? 0 : check_memory(size, err);
}

static int check_group_name(const char *s, struct vh_err *err)
{
	if (strlen(s) > GROUP_NAME_MAX)
		return vh_err_refuse(err, EINVAL, "'%.80s' is too long: node names are made from it (at most %d)", s, GROUP_NAME_MAX);
	return vh_hostname_check(s, err);
}

#define NAME_KEYS \
	{ .name = "name", .type = VH_KEY_STR, .offset = offsetof(struct pool, name), .required = true, .unique = true, \
	  .check = check_group_name, .help = "Name of the group; its nodes are CLUSTER-NAME-1, CLUSTER-NAME-2, ..." }, \
	{ .name = "role", .type = VH_KEY_ENUM, .offset = offsetof(struct pool, role), .dflt = "compute", .choices = pool_roles, \
	  .help = "What its nodes are for. head: where users log in, one node of a cluster at most. data: they keep data. " \
		  "Told in cluster.json; `vhpc cluster ssh` goes to the head." }

const struct vh_key pool_keys[] = {
	POOL_IMAGE_KEY(0, .required = true), POOL_COUNT_KEY(0, "nodes", .required = true), POOL_BOOT_KEYS(0) { .name = NULL },
};
const struct vh_key pool_request_keys[] = { POOL_REQUEST_KEYS(0) { .name = NULL } };
const struct vh_key pool_default_keys[] = {
	POOL_IMAGE_KEY(0), POOL_REQUEST_KEYS(0) POOL_BOOT_KEYS(0) { .name = NULL },
};
const struct vh_key pool_group_keys[] = {
	NAME_KEYS, POOL_COUNT_KEY(0, "count", .required = true), POOL_IMAGE_KEY(0, .required = true), POOL_REQUEST_KEYS(0)
	POOL_BOOT_KEYS(0) { .name = NULL },
};

void pool_clear(struct pool *p)
{
	vh_doc_free(pool_group_keys, p);
	*p = (struct pool){ 0 };
}

int pool_copy(const struct pool *p, struct pool *ret, struct vh_err *err)
{
	struct pool copy = *p;
	bool whole;

	copy.devices = NULL;
	copy.name = p->name ? strdup(p->name) : NULL;
	copy.image = strdup(p->image);
	whole = copy.image && (!p->name || copy.name);
	for (size_t i = 0; i < POOL_SAID; i++) {
		copy.said[i] = p->said[i] ? strdup(p->said[i]) : NULL;
		whole &= !p->said[i] || copy.said[i];
	}
	for (char **d = p->devices; d && *d; d++)
		whole &= vh_strv_push(&copy.devices, *d) == 0;
	if (!whole) {
		pool_clear(&copy);
		return vh_err_nomem(err);
	}
	*ret = copy;
	return 0;
}

bool pool_take_policy(struct pool *p, const struct pool *wanted)
{
	const bool changes = p->restart != wanted->restart || p->restart_limit != wanted->restart_limit;

	p->restart = wanted->restart;
	p->restart_limit = wanted->restart_limit;
	return changes;
}

static const struct vh_key policy_keys[] = { POOL_POLICY_KEYS(0) { .name = NULL } };

bool pool_has_policy(const struct pool *p, const json_t *doc)
{
	struct pool said = { 0 };
	vh_autoerr none = VH_ERR_NONE;

	return vh_doc_from_json(policy_keys, doc, &said, &none) == 0 && !pool_take_policy(&said, p);
}

bool pool_is_policy(const char *key)
{
	const struct vh_key *k = policy_keys;

	while (k->name && strcmp(k->name, key))
		k++;
	return k->name;
}

const char *pool_said(const struct pool *p, const char *key)
{
	for (const struct vh_key *k = pool_request_keys; k->name; k++)
		if (!strcmp(k->name, key) && k->type == VH_KEY_STR)
			return *(char *const *)((const char *)p + k->offset);
	return NULL;
}

bool pool_says_request(const struct pool *p)
{
	bool any = p->devices;

	for (size_t i = 0; i < POOL_SAID; i++)
		any |= p->said[i] != NULL;
	return any;
}

/* As a request; what it points to stays the pool's. */
#define TEXT_STR(member) p->said[POOL_SAID_##member]
#define TEXT_STRV(member) p->member
#define TEXT(member, kind, ...) .member = TEXT_##kind(member),

int pool_want(const struct pool *p, const char *name, struct vh_want *ret, struct vh_err *err)
{
	const struct vh_want_text text = {
		.name = (char *)name, VH_WANT_VM_KEYS(TEXT, ) VH_WANT_PLACE_KEY(TEXT, )
	};

	return vh_want_read(&text, ret, err);
}

/* A node's size is not for us to guess. */
static int check_said(const struct pool *p, struct vh_err *err)
{
	const char *numa = p->said[POOL_SAID_numa], *missing;
	const bool cells = numa && strchr(numa, ':');

	missing = p->said[POOL_SAID_vcpus] || cells ? p->said[POOL_SAID_memory] || cells ? NULL : "memory" : "vcpus";
	return missing ? vh_err_refuse(err, EINVAL, "key '%s' is missing", missing) : 0;
}

int pool_settled(const void *pool, struct vh_err *err)
{
	const struct pool *p = pool;
	struct vh_want want;
	int r = check_said(p, err);

	if (r == 0)
		r = pool_want(p, p->name ? p->name : "node", &want, err);
	return r < 0 ? r : check_memory(want.memory, err);
}

json_t *pool_asks(const struct pool *p, struct vh_err *err)
{
	struct vh_want want;

	return pool_want(p, "node", &want, err) < 0 ? NULL : vh_want_to_json(&want);
}
