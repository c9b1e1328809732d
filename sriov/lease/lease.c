// SPDX-License-Identifier: Apache-2.0
#include "sriov/lease/lease.h"

#include <errno.h>
#include <string.h>

#include "lib/child.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "sriov/function/function.h"
#include "sriov/use/use.h"

/* The process that a holder's leases end with. */
#define HOLDER "sriov-holder"

static int check_holder(const char *holder, struct vh_err *err)
{
	const char *name = strchr(holder, '/');

	if (!strncmp(holder, "vm/", strlen("vm/")) && vh_is_hostname(name + 1))
		return 0;
	vh_err_usage(err, "'%.70s' holds no leases", holder);
	return vh_err_hint(err, "a holder is vm/NAME");
}

static bool is_alive(const struct vh_root *root, const json_t *doc)
{
	const char *start = json_string_value(json_object_get(doc, "start"));
	char is[VH_PROCESS_START];

	return start && vh_process_start(root, (int)json_integer_value(json_object_get(doc, "pid")), is) == 0 &&
	       !strcmp(start, is);
}

/* Leases of processes that are gone. */
static int expire(struct vh_sriov *s, struct vh_err *err)
{
	vh_autojson all = NULL;
	const char *holder;
	json_t *doc;
	int r = vh_record_list(s->store, HOLDER, &all, err);

	json_object_foreach(all, holder, doc) {
		if (r < 0 || is_alive(s->root, doc))
			continue;
		r = vh_lease_drop(s->store, holder, "vf", NULL, err);
		if (r == 0)
			r = vh_record_delete(s->store, HOLDER, holder, err);
	}
	return r;
}

static int keep_process(struct vh_sriov *s, const struct vh_sriov_request *q, struct vh_err *err)
{
	vh_autojson doc = NULL;
	char start[VH_PROCESS_START];

	if (!q->pid)
		return vh_record_delete(s->store, HOLDER, q->holder, err);
	if (vh_process_start(s->root, q->pid, start) < 0)
		return vh_err_refuse(err, ESRCH, "there is no process %d", q->pid);
	doc = json_pack("{si ss}", "pid", q->pid, "start", start);
	return doc ? vh_record_put(s->store, HOLDER, q->holder, doc, err) : vh_err_nomem(err);
}

static bool fits(const struct vh_sriov_request *q, const char *pf, const struct vh_pci_device *device)
{
	return device->function == VH_PCI_VF && (!*pf || !strcmp(device->pf, pf)) &&
	       (q->kind == VH_PCI_OTHER || device->kind == q->kind) && (q->numa < 0 || device->node == q->numa);
}

/* VFs that the request may get, by address; a strv. */
static int candidates(struct vh_sriov *s, const struct vh_sriov_request *q, char ***ret, struct vh_err *err)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	char pf[VH_PCI_ADDRESS_SIZE] = "";
	vh_autostrv some = NULL;
	int r = q->pf ? vh_check_device(s->root, q->pf, pf, err) : 0;

	if (r == 0 && q->pf)
		r = vh_check_pf(s->root, pf, err);
	if (r == 0)
		r = vh_sriov_list(s->root, &devices, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < devices.n; i++)
		if (fits(q, pf, &devices.v[i]) && vh_strv_push(&some, devices.v[i].address) < 0)
			return vh_err_nomem(err);
	if (!some) {
		vh_err_refuse(err, ENODEV, "%s%sno such VF is there", pf, *pf ? ": " : "");
		return vh_err_hint(err, "vhpc sriov create PF -n NUMBER");
	}
	*ret = vh_steal(&some);
	return 0;
}

static const char *holder_of(const struct vh_lease *leases, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(leases[i].key, address))
			return leases[i].holder;
	return NULL;
}

/* The holder's own one of these, else the first that nobody has or uses; NULL: none. */
static const char *choose(struct vh_sriov *s, const struct vh_sriov_request *q, char *const *vfs,
			  const struct vh_uses *uses, const struct vh_lease *leases, size_t n)
{
	for (char *const *vf = vfs; *vf; vf++) {
		const char *holder = holder_of(leases, n, *vf);

		if (holder && !strcmp(holder, q->holder))
			return *vf;
	}
	for (char *const *vf = vfs; *vf; vf++) {
		vh_autofree char *user = holder_of(leases, n, *vf) ? NULL : vh_fn_user(s->root, uses, *vf);

		if (!holder_of(leases, n, *vf) && !user)
			return *vf;
	}
	return NULL;
}

static int lease_one(struct vh_sriov *s, const struct vh_sriov_request *q, char *const *vfs,
		     const struct vh_uses *uses, char *ret_address, struct vh_err *err)
{
	struct vh_lease *leases = NULL;
	const char *address = NULL;
	size_t n = 0;
	int r = expire(s, err);

	if (r == 0)
		r = vh_lease_list(s->store, "vf", NULL, &leases, &n, err);
	if (r == 0)
		address = choose(s, q, vfs, uses, leases, n);
	if (r == 0 && !address) {
		vh_err_refuse(err, EBUSY, "no VF is free: all %zu are leased or in use", vh_strv_len(vfs));
		r = vh_err_hint(err, "vhpc sriov list shows who has them");
	}
	if (r == 0)
		r = vh_lease_take(s->store, "vf", address, q->holder, 0, err);
	if (r == 0)
		r = keep_process(s, q, err);
	if (r == 0)
		snprintf(ret_address, VH_PCI_ADDRESS_SIZE, "%s", address);
	vh_lease_free(leases, n);
	return r;
}

static int end_transaction(struct vh_sriov *s, int r, struct vh_err *err)
{
	if (r == 0)
		return vh_store_end(s->store, true, err);
	vh_store_end(s->store, false, &(struct vh_err)VH_ERR_NONE);
	return r;
}

int vh_sriov_lease(struct vh_sriov *s, const struct vh_sriov_request *q, char *ret_address, struct vh_err *err)
{
	vh_autouses uses = { 0 };
	vh_autostrv vfs = NULL;
	int r;

	if ((r = check_holder(q->holder, err)) < 0 || (r = candidates(s, q, &vfs, err)) < 0)
		return r;
	if (vh_uses_load(s->root, &uses) < 0)
		return vh_err_nomem(err);
	r = vh_store_begin(s->store, err);
	return r < 0 ? r : end_transaction(s, lease_one(s, q, vfs, &uses, ret_address, err), err);
}

int vh_sriov_return(struct vh_sriov *s, const char *holder, unsigned *ret_n, struct vh_err *err)
{
	unsigned n = 0;
	int r;

	if ((r = check_holder(holder, err)) < 0 || (r = vh_store_begin(s->store, err)) < 0)
		return r;
	r = vh_lease_drop(s->store, holder, "vf", &n, err);
	if (r == 0)
		r = vh_record_delete(s->store, HOLDER, holder, err);
	r = end_transaction(s, r, err);
	if (r == 0 && ret_n)
		*ret_n = n;
	return r;
}
