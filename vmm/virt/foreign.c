// SPDX-License-Identifier: Apache-2.0
/* Domains that somebody else made: they are marked as one of ours, and the mark is taken back. */
#include <errno.h>
#include <string.h>

#include "vmm/domain/domain.h"
#include "vmm/virt/private.h"

int vh_virt_adopt(struct vh_virt *v, const char *name, const struct vh_domain_lease *lease, struct vh_err *err)
{
	vh_autofree char *xml = vh_domain_lease_xml(lease);
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	vh_autodomain domain = NULL;
	int r = xml ? vh_virt_find(v, name, &domain, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	if (domain)
		virDomainGetUUIDString(domain, uuid);
	if (!domain || strcmp(uuid, lease->uuid))
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM of UUID %s on %s", name, lease->uuid, v->uri);
	if (virDomainIsPersistent(domain) == 1)
		return vh_virt_mark(domain, xml, err);
	vh_err_refuse(err, EINVAL, "VM %s: is gone when it ends, as it is not defined", name);
	return vh_err_hint(err, "virsh dumpxml %s, and virsh define what it says", name);
}

int vh_virt_release(struct vh_virt *v, const char *name, const char *owner, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0 || !domain)
		return r;
	r = vh_virt_domain_lease(domain, &lease, err);
	if (r < 0)
		return r == -ENODATA && !err->num ? 0 : r;
	return lease.owner && !strcmp(lease.owner, owner) ? vh_virt_mark(domain, NULL, err) : 0;
}
