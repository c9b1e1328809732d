// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "sriov/change/check.h"
#include "sriov/private.h"

int vh_check_device(const struct vh_root *root, const char *text, char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	vh_autofree char *address = NULL;
	int r = vh_pci_full_address(text, &address, err);

	if (r < 0)
		return r;
	if (!vh_root_exists(root, VH_PCI_DIR "/%s", address)) {
		vh_err_refuse(err, ENOENT, "there is no PCI device %s", address);
		return vh_err_hint(err, "vhpc sriov list");
	}
	snprintf(ret, VH_PCI_ADDRESS_SIZE, "%s", address);
	return 0;
}

int vh_check_pf(const struct vh_root *root, const char *address, struct vh_err *err)
{
	vh_autojson pf = vh_pci_link(root, address, "physfn");
	vh_autojson most = vh_pci_count(root, address, "sriov_totalvfs");

	if (json_is_string(pf)) {
		vh_err_refuse(err, EINVAL, "%s: it is a VF itself", address);
		return vh_err_hint(err, "its PF is %s", json_string_value(pf));
	}
	if (json_integer_value(most) > 0)
		return 0;
	vh_err_refuse(err, EINVAL, "%s: it is no PF: it offers no VFs", address);
	return json_is_integer(most) ? vh_err_hint(err, "turn SR-IOV on in its firmware, then reboot") :
				       vh_err_hint(err, "vhpc sriov list shows PFs");
}

static int vf_of_pf(const struct vh_root *root, const char *pf, const char *number, int *ret_index,
		    char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	vh_autojson vfs = vh_pci_vfs(root, pf);
	const char *address;
	json_t *index;
	uint64_t n;

	if (vh_uint_parse(number, UINT16_MAX, &n, err) < 0)
		return vh_err_usage(err, "'%.20s' is no index of a VF", number);
	json_object_foreach(vfs, address, index)
		if ((uint64_t)json_integer_value(index) == n) {
			snprintf(ret_address, VH_PCI_ADDRESS_SIZE, "%s", address);
			*ret_index = (int)n;
			return 0;
		}
	vh_err_refuse(err, ERANGE, "%s: it has no VF %d: it has %zu", pf, (int)n, json_object_size(vfs));
	return vh_err_hint(err, "vhpc sriov create %s -n NUMBER", pf);
}

int vh_check_vf(const struct vh_root *root, const char *text, char ret_pf[VH_PCI_ADDRESS_SIZE], int *ret_index,
		char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err)
{
	const char *slash = strchr(text, '/');
	vh_autofree char *device = slash ? strndup(text, (size_t)(slash - text)) : strdup(text);
	vh_autojson pf = NULL;
	vh_autojson vfs = NULL;
	const json_t *index;
	int r = device ? vh_check_device(root, device, ret_address, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	if (slash) {
		snprintf(ret_pf, VH_PCI_ADDRESS_SIZE, "%s", ret_address);
		r = vh_check_pf(root, ret_pf, err);
		return r < 0 ? r : vf_of_pf(root, ret_pf, slash + 1, ret_index, ret_address, err);
	}
	pf = vh_pci_link(root, ret_address, "physfn");
	if (!json_is_string(pf) || !vh_pci_is_address(json_string_value(pf))) {
		vh_err_refuse(err, EINVAL, "%s: it is no VF", ret_address);
		return vh_err_hint(err, "a VF is its own address, or PF/INDEX");
	}
	vfs = vh_pci_vfs(root, json_string_value(pf));
	index = json_object_get(vfs, ret_address);
	if (!index)
		return vh_err_set(err, ENODEV, "%s: its PF %s does not know it", ret_address, json_string_value(pf));
	snprintf(ret_pf, VH_PCI_ADDRESS_SIZE, "%s", json_string_value(pf));
	*ret_index = (int)json_integer_value(index);
	return 0;
}

bool vh_is_forced(const struct vh_sriov *s, const char *address)
{
	vh_autofree char *forced = NULL;
	vh_autoerr ignored = VH_ERR_NONE;

	return s->force && vh_pci_full_address(s->force, &forced, &ignored) == 0 && !strcmp(forced, address);
}

/* What the host itself cannot do without; *ret stays NULL where there is nothing. */
static int host_use(const struct vh_root *root, const char *address, char **ret, struct vh_err *err)
{
	int r = vh_carries_storage(root, address, ret);

	if (r == 0)
		r = vh_is_only_uplink(root, address, ret);
	return r < 0 ? vh_err_nomem(err) : 0;
}

int vh_sriov_add_uses(const struct vh_root *root, json_t *rows, struct vh_err *err)
{
	vh_autojson users = vh_vfio_users(root);
	json_t *row;
	size_t i;

	if (!users)
		return vh_err_nomem(err);
	json_array_foreach(rows, i, row) {
		const char *address = json_string_value(json_object_get(row, "address"));
		vh_autofree char *use = NULL;
		int r = host_use(root, address, &use, err);

		if (r < 0)
			return r;
		if (!use)
			use = vh_fn_user(root, users, address);
		json_object_set_new(row, "use", vh_json_text(use));
	}
	return 0;
}

int vh_check_free(const struct vh_sriov *s, const char *address, struct vh_err *err)
{
	vh_autojson users = NULL;
	vh_autofree char *user = NULL;
	int r;

	if (vh_is_forced(s, address))
		return 0;
	r = host_use(s->root, address, &user, err);
	if (r < 0)
		return r;
	if (user) {
		vh_err_refuse(err, EBUSY, "%s: this host lives on it: %s", address, user);
		return vh_err_hint(err, "--force %s does it all the same", address);
	}
	users = vh_vfio_users(s->root);
	user = users ? vh_fn_user(s->root, users, address) : NULL;
	if (!users)
		return vh_err_nomem(err);
	if (!user)
		return 0;
	vh_err_refuse(err, EBUSY, "%s: it is in use: %s", address, user);
	return vh_err_hint(err, "end that use, or --force %s", address);
}

/* --- VFs that somebody has */

static const char *lease_holder(const struct vh_lease *leases, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].key, key))
			return leases[i].holder;
	return NULL;
}

/* "0000:3b:00.1 by vm/a" for each that is leased or used. */
static int list_busy(const struct vh_sriov *s, const struct vh_pf *pf, const struct vh_lease *leases, size_t n,
		     char ***ret, struct vh_err *err)
{
	vh_autojson users = vh_vfio_users(s->root);
	int r = users ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < pf->n; i++) {
		const char *address = pf->fn[i].address, *holder = lease_holder(leases, n, address);
		vh_autofree char *user = vh_fn_user(s->root, users, address);

		if (holder || user)
			r = vh_strv_pushf(ret, "%s by %s%s%s", address, holder ? holder : "", holder && user ? ", " : "",
					  user ? user : "");
	}
	return r < 0 ? vh_err_nomem(err) : 0;
}

static char *join(char *const *words, size_t most)
{
	size_t n = vh_strv_len(words);
	char *text = strdup("");

	for (size_t i = 0; text && i < n && i < most; i++) {
		char *longer = vh_strf("%s%s%s", text, i ? "; " : "", words[i]);

		free(text);
		text = longer;
	}
	if (text && n > most) {
		char *longer = vh_strf("%s; and %zu more", text, n - most);

		free(text);
		text = longer;
	}
	return text;
}

int vh_check_vfs_idle(const struct vh_sriov *s, const struct vh_pf *pf, struct vh_err *err)
{
	enum { NAMED_MAX = 8 };
	vh_autofree char *text = NULL;
	struct vh_lease *leases = NULL;
	vh_autostrv busy = NULL;
	size_t n = 0;
	int r = vh_lease_list(s->store, "vf", NULL, &leases, &n, err);

	if (r == 0)
		r = list_busy(s, pf, leases, n, &busy, err);
	vh_lease_free(leases, n);
	if (r < 0 || !busy)
		return r;
	text = join(busy, NAMED_MAX);
	if (!text)
		return vh_err_nomem(err);
	vh_err_refuse(err, EBUSY, "%s: its VFs are busy: %s", pf->address, text);
	return vh_err_hint(err, "a new number of VFs removes those that are");
}

/* --- the IOMMU group */

static bool is_taken(const struct vh_pf *taken, const char *address)
{
	for (size_t i = 0; i < taken->n; i++)
		if (!strcmp(taken->fn[i].address, address))
			return true;
	return false;
}

static int check_member(const struct vh_sriov *s, const char *device, const char *member, struct vh_err *err)
{
	vh_autojson driver = vh_pci_link(s->root, member, "driver");
	const char *name = json_is_string(driver) ? json_string_value(driver) : "";
	int64_t class;

	if (vh_root_read_int(s->root, &class, VH_PCI_DIR "/%s/class", member) == 0 && class >> 16 == 0x06) {
		vh_err_refuse(err, EBUSY, "%s: its IOMMU group holds the bridge %s", device, member);
		return vh_err_hint(err, "another slot, or ACS turned on in the firmware, gives it a group of its own");
	}
	if (!*name || strstr(name, "vfio") || !strcmp(name, "pci-stub"))
		return 0;
	vh_err_refuse(err, EBUSY, "%s: its IOMMU group holds %s, which %s has", device, member, name);
	return vh_err_hint(err, "bind %s to vfio-pci too, or unbind it", member);
}

int vh_check_group(const struct vh_sriov *s, const struct vh_pf *taken, struct vh_err *err)
{
	const char *device = taken->fn[0].address;
	vh_autojson members = vh_pci_names(s->root, device, "iommu_group/devices");
	const json_t *member;
	size_t i;

	if (!vh_root_exists(s->root, VH_PCI_DIR "/%s/iommu_group", device)) {
		vh_err_refuse(err, ENODEV, "%s: it has no IOMMU group", device);
		return vh_err_hint(err, "turn VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (Intel)");
	}
	json_array_foreach(members, i, member) {
		const char *address = json_string_value(member);
		int r = is_taken(taken, address) ? 0 : check_member(s, device, address, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- identities */

static const enum vh_fn_attr identities[] = { VH_FN_MAC, VH_FN_NODE_GUID, VH_FN_PORT_GUID };

static bool is_guid(enum vh_fn_attr attr)
{
	return attr != VH_FN_MAC;
}

/* A VF's node and port GUID may be the same; two VFs' may not, in either place. */
static int compare(const struct vh_fn *want, const struct vh_fn *other, const char *where, struct vh_err *err)
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
				r = compare(&want->fn[i], &other->fn[j], where, err);
	return r;
}

static int check_observed(const struct vh_sriov *s, const struct vh_pf *want, struct vh_err *err)
{
	vh_autojson rows = NULL;
	const json_t *row;
	size_t i;
	int r = vh_sriov_list(s->root, &rows, err);

	json_array_foreach(rows, i, row) {
		const char *address = json_string_value(json_object_get(row, "address"));
		vh_autoerr ignored = VH_ERR_NONE;
		vh_autopf pf = { 0 };

		/* A PF that cannot be read keeps nobody from another one. */
		if (r == 0 && json_integer_value(json_object_get(row, "vfs")) > 0 &&
		    vh_pf_observe(s, address, &pf, &ignored) == 0)
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
