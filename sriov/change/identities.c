// SPDX-License-Identifier: Apache-2.0
/* No two VFs of a host have, or are to have, one identity. */
#include "sriov/change/identities.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "sriov/change/change.h"
#include "sriov/inventory/inventory.h"

static const enum vh_fn_attr identities[] = { VH_FN_MAC, VH_FN_NODE_GUID, VH_FN_PORT_GUID };

static bool is_guid(enum vh_fn_attr attr)
{
	return attr != VH_FN_MAC;
}

/* A VF's node and port GUID may be the same; two VFs' may not, in either place. */
static int compare_identities(const struct vh_fn *want, const struct vh_fn *other, const char *where,
			      struct vh_err *err)
{
	char buf[32];

	for (size_t i = 0; i < vh_array_len(identities); i++)
		for (size_t j = 0; j < vh_array_len(identities); j++) {
			enum vh_fn_attr a = identities[i], b = identities[j];

			if (is_guid(a) == is_guid(b) && want->have & VH_FN_BIT(a) && other->have & VH_FN_BIT(b) &&
			    want->value[a] == other->value[b])
				return vh_err_refuse(err, EEXIST, "%s: %s %s: VF %d of %s has it", want->address,
						     vh_fn_attr_name(a), vh_fn_attr_text(a, want->value[a], buf),
						     other->index, where);
		}
	return 0;
}

static int compare_all(const struct vh_pf *want, const struct vh_pf *other, const char *where, struct vh_err *err)
{
	bool own = !strcmp(want->address, where);
	int r = 0;

	for (size_t i = 0; r == 0 && i < want->n; i++)
		for (size_t j = 0; r == 0 && j < other->n; j++)
			if (!own || want->fn[i].index != other->fn[j].index)
				r = compare_identities(&want->fn[i], &other->fn[j], where, err);
	return r;
}

static int check_observed(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	int r = vh_sriov_list(s->root, &devices, err);

	for (size_t i = 0; r == 0 && i < devices.n; i++) {
		const char *address = devices.v[i].address;
		vh_autoerr ignored = VH_ERR_NONE;
		vh_autopf pf = { 0 };

		/* A PF that cannot be read keeps nobody from another one. */
		if (devices.v[i].vfs > 0 && vh_pf_observe(s, address, &pf, &ignored) == 0)
			r = compare_all(want, &pf, address, err);
	}
	return r;
}

static int check_wanted(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	vh_autojson all = NULL;
	const char *address;
	json_t *doc;
	int r = vh_record_list(s->store, VH_WANTED, &all, err);

	json_object_foreach(all, address, doc) {
		vh_autopf pf = { 0 };

		if (r == 0)
			r = vh_pf_from_json(json_object_get(doc, "state"), &pf, err);
		if (r == 0)
			r = compare_all(want, &pf, address, err);
	}
	return r;
}

/* An identity that is leased is set on a VF of its holder only. */
static int check_leases(const struct vh_fn *want, const struct vh_lease *leases, size_t n, struct vh_err *err)
{
	const char *holder = NULL;
	char buf[32];

	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].kind, "vf") && !strcmp(leases[i].key, want->address))
			holder = leases[i].holder;
	for (size_t a = 0; a < vh_array_len(identities); a++) {
		const char *text = vh_fn_attr_text(identities[a], want->value[identities[a]], buf);
		const char *kind = is_guid(identities[a]) ? "guid" : "mac";

		for (size_t i = 0; want->have & VH_FN_BIT(identities[a]) && i < n; i++)
			if (!strcmp(leases[i].kind, kind) && !strcmp(leases[i].key, text) &&
			    (!holder || strcmp(holder, leases[i].holder)))
				return vh_err_refuse(err, EEXIST, "%s: %s %s: it is leased to %s", want->address,
						     vh_fn_attr_name(identities[a]), text, leases[i].holder);
	}
	return 0;
}

int vh_check_unique(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	size_t n = 0;
	int r;

	if ((r = check_observed(s, want, err)) < 0 || (r = check_wanted(s, want, err)) < 0 ||
	    (r = vh_lease_list(s->store, NULL, NULL, &leases, &n, err)) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < want->n; i++)
		r = check_leases(&want->fn[i], leases, n, err);
	vh_lease_free(leases, n);
	return r;
}
