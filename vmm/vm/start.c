// SPDX-License-Identifier: Apache-2.0
/* Starting VMs: what they need is looked for first, so that what is missing is named and
 * nothing is begun. libvirt's hook takes the leases; where it is not installed, we do. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/domain/domain.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/floating.h"

/* --- whether the host has it all */

static int host_lacks(struct vh_err *err, const char *name, const char *what, const char *which)
{
	vh_err_refuse(err, ENODEV, "VM %s: %s %s is not there on this host", name, what, which);
	return vh_err_hint(err, "plan and define it anew; --rehearse is for another host's plan");
}

static bool has_cpu(const struct vh_host *host, unsigned cpu)
{
	for (size_t i = 0; i < host->n_cpus; i++)
		if (host->cpus[i].id == cpu)
			return true;
	return false;
}

static int check_cpus(const struct vh_host *host, const char *name, const struct vh_layout *l, struct vh_err *err)
{
	struct vh_numbers own = { 0 }, used = { 0 };
	const struct vh_numbers *const both[] = { &own, &used };
	int r = vh_layout_own(l, NULL, &own);
	char id[16];

	if (r == 0)
		r = vh_layout_used(l, NULL, &used);
	if (r < 0)
		vh_err_nomem(err);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; r == 0 && i < both[k]->n; i++)
			if (!has_cpu(host, both[k]->v[i])) {
				snprintf(id, sizeof(id), "%u", both[k]->v[i]);
				r = host_lacks(err, name, "CPU", id);
			}
	vh_numbers_clear(&own);
	vh_numbers_clear(&used);
	return r;
}

int vh_vm_check_host(const struct vh_host *host, const struct vh_root *root, const char *name,
		     const struct vh_layout *l, struct vh_err *err)
{
	int r = check_cpus(host, name, l, err);
	char id[16];

	for (size_t i = 0; r == 0 && i < l->n_cells; i++)
		if (!vh_layout_node_is_here(host, l->cells[i].node)) {
			snprintf(id, sizeof(id), "%u", l->cells[i].node);
			r = host_lacks(err, name, "NUMA node", id);
		}
	for (size_t i = 0; r == 0 && i < l->n_devices; i++)
		if (!vh_root_exists(root, "sys/bus/pci/devices/%s", l->devices[i].address))
			r = host_lacks(err, name, "device", l->devices[i].address);
	return r;
}

/* --- leases */

/* Of one that runs. */
static int take_and_keep(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
			 struct vh_err *err)
{
	int r = vh_domain_lease_take(s, root, lease, err);

	return r < 0 ? r : vh_domain_lease_keep(s, root, lease, 0, err);
}

static int take_leases(const char *state, const struct vh_root *root, const struct vh_domain_lease *lease,
		       struct vh_err *err)
{
	vh_autostore s = NULL;
	int r = vh_store_open(&s, state, VH_STORE_WRITE, err);

	if (r == 0)
		r = vh_store_begin(s, err);
	if (r < 0)
		return r;
	return vh_store_settle(s, take_and_keep(s, root, lease, err), err);
}

/* Takes the leases in a group that is rolled back; ret: the leases of CPUs as they would be. */
static int try_leases(const char *state, const struct vh_root *root, const struct vh_domain_lease *lease,
	       struct vh_lease **ret, size_t *ret_n, struct vh_err *err)
{
	vh_autostore s = NULL;
	vh_autoerr undo = VH_ERR_NONE;
	int r = vh_store_open(&s, state, VH_STORE_WRITE, err);

	if (r == 0)
		r = vh_store_begin(s, err);
	if (r < 0)
		return r;
	r = vh_domain_lease_take(s, root, lease, err);
	if (r == 0)
		r = vh_lease_list(s, "cpu", NULL, ret, ret_n, err);
	vh_store_end(s, false, &undo);
	return r;
}

static int check_leases(struct vh_virt *v, const char *state, const struct vh_root *root, const char *name,
			const struct vh_domain_lease *lease, struct vh_err *err)
{
	struct vh_lease *leases;
	size_t n;
	int r = try_leases(state, root, lease, &leases, &n, err);

	if (r < 0)
		return r;
	r = vh_floating_check(v, leases, n, name, err);
	vh_lease_free(leases, n);
	return r;
}

/* They are given back whatever becomes of the others' pins. */
static int drop_leases(struct vh_virt *v, const char *state, const char *holder, struct vh_err *err)
{
	vh_autostore s = NULL;
	int r = vh_store_open(&s, state, VH_STORE_WRITE, err);

	if (r == 0)
		r = vh_domain_lease_drop(s, holder, err);
	return r < 0 ? r : vh_floating_settle(v, state, err);
}

/* --- start */

static int look_for_lacks(struct vh_virt *v, const char *state, const struct vh_root *root, const char *name,
			  const struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_cleanup(vh_layout_clear) struct vh_layout layout = { 0 };
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	bool rehearse = false;
	int r = vh_vm_layout(state, name, &layout, &rehearse, err);

	/* A cluster's node: its leases say all. */
	if (r == -ENOENT)
		return check_leases(v, state, root, name, lease, err);
	if (r == 0 && !rehearse)
		r = vh_host_load(root, NULL, &host, err);
	if (r == 0 && !rehearse)
		r = vh_vm_check_host(host, root, name, &layout, err);
	return r < 0 ? r : check_leases(v, state, root, name, lease, err);
}

int vh_vm_ended(struct vh_virt *v, const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", name);
	const char *is = NULL;
	int r = holder ? vh_virt_state(v, name, &is, err) : vh_err_nomem(err);

	return r < 0 || !vh_virt_is_off(is) ? r : drop_leases(v, state, holder, err);
}

/* Whether it can be started. What was planned just now lacks nothing, but its CPUs may be those that others float on. */
static int look_first(struct vh_virt *v, const char *state, const struct vh_root *root, const char *name,
		      const struct vh_domain_lease *lease, bool planned, struct vh_err *err)
{
	if (!planned)
		return look_for_lacks(v, state, root, name, lease, err);
	return lease->n_cpus ? check_leases(v, state, root, name, lease, err) : 0;
}

/* What is to be done where it has ended before its leases were taken. */
static int look_after(struct vh_virt *v, const char *state, struct _virDomain *domain, const char *holder, struct vh_err *err)
{
	const char *is;
	int r = vh_virt_state_taken(domain, &is, err);

	return r < 0 || (is && !vh_virt_is_off(is)) ? r : drop_leases(v, state, holder, err);
}

static int check_owner(const char *name, const char *wanted, const char *owner, struct vh_err *err)
{
	if (!wanted || !owner || !strcmp(wanted, owner))
		return 0;
	return vh_err_set(err, EEXIST, "VM %s: a VM of that name is there, of %s", name, owner);
}

int vh_vm_start(struct vh_virt *v, const char *state, const char *name, struct vh_start *how, bool *ret_started,
		struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_cleanup(vh_virt_put) struct _virDomain *domain = NULL;
	vh_autoroot root = NULL;
	vh_autoerr undo = VH_ERR_NONE;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_virt_take(v, name, &domain, &how->was, &lease, err);
	if (r == 0)
		r = check_owner(name, how->owner, lease.owner, err);
	if (r == 0 && vh_virt_is_off(how->was))
		r = look_first(v, state, root, name, &lease, how->planned, err);
	if (r == 0)
		r = vh_virt_start_taken(domain, how->was, ret_started, err);
	if (r < 0)
		return r;
	r = how->planned ? vh_domain_lease_keep(how->planned, root, &lease, 0, err) : take_leases(state, root, &lease, err);
	if (r == 0)
		r = vh_floating_settle_new(v, state, how->planned, name, lease.n_cpus, err);
	if (r < 0 && *ret_started && vh_virt_stop(v, name, 0, true, &undo) == 0)
		drop_leases(v, state, lease.holder, &undo);
	return r < 0 ? r : look_after(v, state, domain, lease.holder, err);
}
