// SPDX-License-Identifier: Apache-2.0
/* A VM's MACs and GUIDs are a hash of whose they are, so that any host, at any time, derives
 * the same ones (docs/formats/sriov.md). One that another holder has here already gives way
 * to the next of a fixed row; which one it became is recorded. */
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "sriov/function/function.h"
#include "sriov/lease/lease.h"

#define IDENTITY "sriov-identity"

enum { PORT_MAX = 255, ATTEMPTS = 16 };

/* FNV-1a, stirred: short names alone leave its upper bits alike. */
static uint64_t hash_of(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 27) * 0x94d049bb133111eb;
	return h ^ h >> 31;
}

/* Unicast and locally administered, hence never zero. */
static void derive(enum vh_fn_attr attr, const char *name, unsigned attempt, char buf[32])
{
	vh_autofree char *text = vh_strf("%s/%s/%u", attr == VH_FN_MAC ? "mac" : "guid", name, attempt);
	uint64_t h = text ? hash_of(text) : 0;

	/* Bridged interfaces of ours begin with 02. */
	if (attr == VH_FN_MAC)
		h = (h & 0xffffffffff) | (uint64_t)0x06 << 40;
	else
		h = (h & ~((uint64_t)3 << 56)) | (uint64_t)2 << 56;
	vh_fn_attr_text(attr, h, buf);
}

static const char *holder_of(const struct vh_lease *leases, size_t n, const char *kind, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].kind, kind) && !strcmp(leases[i].key, key))
			return leases[i].holder;
	return NULL;
}

/* The first of the row that nobody has here, not even another port of the same VM. */
static int derive_free(enum vh_fn_attr attr, const char *name, const struct vh_lease *leases, size_t n, char buf[32],
		       struct vh_err *err)
{
	for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
		derive(attr, name, attempt, buf);
		if (!holder_of(leases, n, attr == VH_FN_MAC ? "mac" : "guid", buf))
			return 0;
	}
	return vh_err_refuse(err, EEXIST, "%s: all %d identities of it are taken", name, ATTEMPTS);
}

static int recorded_identity(struct vh_sriov *s, const char *name, struct vh_sriov_identity *ret, struct vh_err *err)
{
	vh_autojson doc = NULL;
	int r = vh_record_get(s->store, IDENTITY, name, &doc, err);
	const char *mac = json_string_value(json_object_get(doc, "mac"));
	const char *guid = json_string_value(json_object_get(doc, "guid"));

	if (r < 0)
		return r;
	if (!mac || !guid || strlen(mac) != sizeof(ret->mac) - 1 || strlen(guid) != sizeof(ret->guid) - 1)
		return vh_err_set(err, EUCLEAN, "the store: the identity of %s is damaged", name);
	memcpy(ret->mac, mac, sizeof(ret->mac));
	memcpy(ret->guid, guid, sizeof(ret->guid));
	return 0;
}

static int make_identity(struct vh_sriov *s, const char *name, struct vh_sriov_identity *ret, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	char mac[32], guid[32];
	vh_autojson doc = NULL;
	size_t n = 0;
	int r = vh_lease_list(s->store, NULL, NULL, &leases, &n, err);

	if (r == 0)
		r = derive_free(VH_FN_MAC, name, leases, n, mac, err);
	if (r == 0)
		r = derive_free(VH_FN_NODE_GUID, name, leases, n, guid, err);
	vh_lease_free(leases, n);
	if (r < 0)
		return r;
	doc = json_pack("{ss ss}", "mac", mac, "guid", guid);
	if (!doc)
		return vh_err_nomem(err);
	memcpy(ret->mac, mac, sizeof(ret->mac));
	memcpy(ret->guid, guid, sizeof(ret->guid));
	return vh_record_put(s->store, IDENTITY, name, doc, err);
}

int vh_sriov_identity(struct vh_sriov *s, const char *cluster, const char *node, unsigned port,
		      struct vh_sriov_identity *ret, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("%s/%s/%u", cluster, node, port);
	vh_autofree char *holder = vh_strf("vm/%s", node);
	struct vh_sriov_identity id = { 0 };
	int r;

	if (!name || !holder)
		return vh_err_nomem(err);
	if ((r = vh_hostname_check(cluster, err)) < 0 || (r = vh_hostname_check(node, err)) < 0)
		return r;
	if (port < 1 || port > PORT_MAX)
		return vh_err_refuse(err, ERANGE, "port %u: ports are 1 to %d", port, PORT_MAX);
	r = vh_store_begin(s->store, err);
	if (r < 0)
		return r;
	r = recorded_identity(s, name, &id, err);
	if (r == -ENOENT)
		r = make_identity(s, name, &id, err);
	if (r == 0)
		r = vh_lease_take(s->store, "mac", id.mac, holder, 0, err);
	if (r == 0)
		r = vh_lease_take(s->store, "guid", id.guid, holder, 0, err);
	if (r < 0) {
		vh_store_end(s->store, false, &(struct vh_err)VH_ERR_NONE);
		return r;
	}
	*ret = id;
	return vh_store_end(s->store, true, err);
}
