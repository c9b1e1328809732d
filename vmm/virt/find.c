// SPDX-License-Identifier: Apache-2.0
/* Finding domains: whose they are, what they hold and how they are. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "lib/strv.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/private.h"

int vh_virt_find(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err)
{
	*ret = virDomainLookupByName(v->conn, name);
	if (*ret || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return vh_virt_err(err, "VM %s", name);
}

int vh_virt_domain_lease(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_autofree char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);

	if (!xml)
		return vh_virt_domain_err(err, domain, "definition");
	return vh_domain_lease_parse(xml, strlen(xml), ret, err);
}

int vh_virt_check_ours(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err)
{
	struct vh_domain_lease lease;
	int r = vh_virt_domain_lease(domain, ret ? ret : &lease, err);

	if (r == 0 && !ret)
		vh_domain_lease_clear(&lease);
	return r;
}

int vh_virt_find_ours(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_domain_lease *ret_lease,
		      struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (!domain)
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM on %s", name, v->uri);
	r = vh_virt_check_ours(domain, ret_lease, err);
	if (r == -ENODATA)
		return vh_err_refuse(err, EPERM, "VM %s: is not one of vhpc's, and left alone", name);
	if (r < 0)
		return r;
	*ret = vh_steal(&domain);
	return 0;
}

int vh_virt_lease(struct vh_virt *v, const char *name, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;

	return vh_virt_find_ours(v, name, &domain, ret, err);
}

/* --- how they are */

const char *vh_virt_state_name(int state)
{
	static const char *const names[] = {
		[VIR_DOMAIN_NOSTATE] = "no state", [VIR_DOMAIN_RUNNING] = "running",
		[VIR_DOMAIN_BLOCKED] = "idle", [VIR_DOMAIN_PAUSED] = "paused",
		[VIR_DOMAIN_SHUTDOWN] = "in shutdown", [VIR_DOMAIN_SHUTOFF] = "shut off",
		[VIR_DOMAIN_CRASHED] = "crashed", [VIR_DOMAIN_PMSUSPENDED] = "suspended",
	};

	return state >= 0 && state < (int)vh_array_len(names) ? names[state] : "unknown";
}

int vh_virt_get_state(virDomainPtr domain, int *ret, struct vh_err *err)
{
	if (virDomainGetState(domain, ret, NULL, 0) == 0)
		return 0;
	return vh_virt_domain_err(err, domain, "state");
}

static int state_of(virDomainPtr domain, const char **ret, struct vh_err *err)
{
	int state, r = vh_virt_get_state(domain, &state, err);

	if (r == 0)
		*ret = vh_virt_state_name(state);
	return r;
}

int vh_virt_state(struct vh_virt *v, const char *name, const char **ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0 || domain)
		return r < 0 ? r : state_of(domain, ret, err);
	*ret = NULL;
	return 0;
}

int vh_virt_state_taken(virDomainPtr domain, const char **ret, struct vh_err *err)
{
	int state;

	*ret = NULL;
	if (virDomainGetState(domain, &state, NULL, 0) == 0)
		*ret = vh_virt_state_name(state);
	else if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return vh_virt_domain_err(err, domain, "state");
	return 0;
}

int vh_virt_look(struct vh_virt *v, const char *name, const char **ret_state, char **ret_owner, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	*ret_state = NULL;
	*ret_owner = NULL;
	if (r == 0 && domain)
		r = state_of(domain, ret_state, err);
	if (r < 0 || !domain)
		return r;
	r = vh_virt_domain_lease(domain, &lease, err);
	*ret_owner = vh_steal(&lease.owner);
	return r == -ENODATA && !err->num ? 0 : r;
}

int vh_virt_take(struct vh_virt *v, const char *name, virDomainPtr *ret, const char **ret_state,
		 struct vh_domain_lease *ret_lease, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	int r = vh_virt_find_ours(v, name, &domain, &lease, err);

	if (r == 0)
		r = state_of(domain, ret_state, err);
	if (r < 0)
		return r;
	*ret = vh_steal(&domain);
	*ret_lease = lease;
	lease = (struct vh_domain_lease){ 0 };
	return 0;
}

void vh_virt_put(virDomainPtr *domain)
{
	if (*domain)
		virDomainFree(*domain);
}

bool vh_virt_is_off(const char *state)
{
	return state && (!strcmp(state, "shut off") || !strcmp(state, "crashed"));
}
