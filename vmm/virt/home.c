// SPDX-License-Identifier: Apache-2.0
/* Domains and hook of a state directory that has another name than before. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "lib/files/home.h"
#include "lib/strv.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/daemon_dir.h"
#include "vmm/virt/private.h"

static int failed(const char *what, const char *to, struct vh_err *err)
{
	return vh_err_set(err, EIO, "%s: its files are at %s now: %s", what, to, virGetLastErrorMessage());
}

static int move_domain(struct vh_virt *v, virDomainPtr domain, const char *from, const char *to, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE), *now = NULL;
	const char *name = virDomainGetName(domain);
	vh_autodomain made = NULL;
	int r = xml ? vh_domain_lease_parse(xml, strlen(xml), &lease, err) : 0;

	/* It has just gone, or is another's. */
	if (!xml || r < 0) {
		vh_err_clear(err);
		return 0;
	}
	r = vh_domain_moved(xml, from, to, &now, err);
	if (r < 0 || !now)
		return r;
	made = virDomainDefineXML(v->conn, now);
	return made ? 0 : failed(name, to, err);
}

static int move_domains(struct vh_virt *v, const char *from, const char *to, struct vh_err *err)
{
	virDomainPtr *domains = NULL;
	int n = virConnectListAllDomains(v->conn, &domains, VIR_CONNECT_LIST_DOMAINS_PERSISTENT), r = 0;

	if (n < 0)
		return failed(v->uri, to, err);
	for (int i = 0; i < n; i++) {
		r = r < 0 ? r : move_domain(v, domains[i], from, to, err);
		virDomainFree(domains[i]);
	}
	free(domains);
	return r;
}

int vh_virt_settle_home(struct vh_virt *v, const char *state, struct vh_err *err)
{
	vh_cleanup(vh_home_clear) struct vh_home home = { 0 };
	vh_autofree char *now = realpath(state, NULL);
	int r = now ? vh_home_look(now, &home, err) : 0;

	if (r < 0 || home.is != VH_HOME_MOVED || access(now, W_OK) < 0)
		return r;
	r = move_domains(v, home.was, now, err);
	if (r == 0 && v->private_dir)
		r = vh_daemon_dir_link(v->private_dir, now, err);
	/* Last: should this run end before, the next does it again. */
	return r < 0 ? r : vh_home_settle(now, err);
}
