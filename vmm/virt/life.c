// SPDX-License-Identifier: Apache-2.0
/* Domains from define to undefine. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/strv.h"
#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/private.h"

enum { POLL_MS = 200, REPEAT_MS = 5000 };

static int name_in_xml(const char *xml, char **ret, struct vh_err *err)
{
	vh_autoxml doc = NULL;
	vh_autoxmlstr name = NULL;
	int r = vh_xml_parse("domain", xml, strlen(xml), &doc, err);

	if (r < 0)
		return r;
	name = xmlNodeGetContent(vh_xml_child(xmlDocGetRootElement(doc), NULL, "name"));
	*ret = name ? strdup((const char *)name) : NULL;
	return *ret ? 0 : vh_err_set(err, EINVAL, "domain: has no name");
}

/* At the first domain a daemon reads its schemas, and libxml2 fills its table of their types, without a lock: who comes
 * meanwhile is told that a type is missing. So one is defined alone. */
static virDomainPtr define(virConnectPtr conn, const char *xml)
{
	static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
	static bool done;
	virDomainPtr made;
	bool alone;

	pthread_mutex_lock(&first);
	alone = !done;
	if (!alone)
		pthread_mutex_unlock(&first);
	made = virDomainDefineXMLFlags(conn, xml, VIR_DOMAIN_DEFINE_VALIDATE);
	if (alone) {
		done = made != NULL;
		pthread_mutex_unlock(&first);
	}
	return made;
}

int vh_virt_define(struct vh_virt *v, const char *xml, struct vh_err *err)
{
	vh_autodomain there = NULL, made = define(v->conn, xml);
	vh_autoerr none = VH_ERR_NONE;
	vh_autofree char *name = NULL;
	int r;

	if (made)
		return 0;
	r = vh_virt_err(err, "define");
	if (name_in_xml(xml, &name, &none) < 0)
		return r;
	vh_err_within(err, "VM %s", name);
	/* libvirt lets nobody take a name from a domain of another UUID. */
	if (vh_virt_find(v, name, &there, &none) < 0 || !there || vh_virt_check_ours(there, NULL, &none) != -ENODATA)
		return r;
	vh_err_clear(err);
	return vh_err_refuse(err, EEXIST, "VM %s: a VM of that name is there and not vhpc's", name);
}

int vh_virt_xml(struct vh_virt *v, const char *name, char **ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find_ours(v, name, &domain, NULL, err);

	if (r < 0)
		return r;
	*ret = virDomainGetXMLDesc(domain, 0);
	return *ret ? 0 : vh_virt_err(err, "VM %s", name);
}

/* libvirt, asked by one that was killed, may just be starting it, which begins with a pause. */
static int resume(virDomainPtr domain, struct vh_err *err)
{
	int now, r = virDomainResume(domain) == 0 ? 0 : vh_virt_domain_err(err, domain, "resume");

	if (r < 0 && (virDomainGetState(domain, &now, NULL, 0) < 0 || now != VIR_DOMAIN_RUNNING))
		return r;
	vh_err_clear(err);
	return 0;
}

int vh_virt_start_taken(virDomainPtr domain, const char *state, bool *ret_started, struct vh_err *err)
{
	int r = 0;

	*ret_started = false;
	if (!strcmp(state, "paused"))
		return resume(domain, err);
	if (!vh_virt_is_off(state))
		return 0;
	*ret_started = virDomainCreate(domain) == 0;
	if (!*ret_started)
		r = vh_virt_domain_err(err, domain, "start");
	if (r < 0 && virDomainIsActive(domain) != 1)
		return r;
	vh_err_clear(err);
	return 0;
}

int vh_virt_start(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	const char *state;
	bool started;
	int r = vh_virt_take(v, name, &domain, &state, &lease, err);

	return r < 0 ? r : vh_virt_start_taken(domain, state, &started, err);
}

int vh_virt_suspend(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int state, r = vh_virt_find_ours(v, name, &domain, NULL, err);

	if (r == 0)
		r = vh_virt_get_state(domain, &state, err);
	if (r < 0 || state == VIR_DOMAIN_PAUSED)
		return r;
	if (state != VIR_DOMAIN_RUNNING && state != VIR_DOMAIN_BLOCKED)
		return vh_err_refuse(err, ENOTCONN, "VM %s: does not run", name);
	return virDomainSuspend(domain) == 0 ? 0 : vh_virt_err(err, "VM %s: suspend", name);
}

int vh_virt_reset(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find_ours(v, name, &domain, NULL, err);

	if (r < 0)
		return r;
	return virDomainReset(domain, 0) == 0 ? 0 : vh_virt_err(err, "VM %s: reset", name);
}

static void sleep_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* 1 when it is off, 0 at the deadline. A guest that is still booting misses the button, so
 * it is pressed again from time to time. */
static int shut_down(virDomainPtr domain, int deadline_ms, struct vh_err *err)
{
	for (int ms = 0; ; ms += POLL_MS) {
		int state, r;

		if (ms % REPEAT_MS == 0 && ms < deadline_ms)
			virDomainShutdown(domain);
		r = vh_virt_get_state(domain, &state, err);
		if (r < 0)
			return r;
		if (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED)
			return 1;
		if (ms >= deadline_ms)
			return 0;
		sleep_ms(POLL_MS);
	}
}

/* Destroys it unless it is off. */
static int destroy(virDomainPtr domain, struct vh_err *err)
{
	int r;

	if (virDomainDestroy(domain) == 0 || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	r = vh_virt_domain_err(err, domain, "destroy");
	if (virDomainIsActive(domain) != 0)
		return r;
	vh_err_clear(err);
	return 0;
}

int vh_virt_stop(struct vh_virt *v, const char *name, int deadline_ms, bool force, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find_ours(v, name, &domain, NULL, err);

	if (r < 0)
		return r;
	r = shut_down(domain, deadline_ms, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (force)
		return destroy(domain, err);
	vh_err_set(err, ETIMEDOUT, "VM %s: still runs %d s after it was asked to shut down", name,
		   deadline_ms / 1000);
	return vh_err_hint(err, "vhpc vm stop %s --force", name);
}

/* QEMU's own log, which libvirt leaves. */
static void remove_log(const struct vh_virt *v, const char *name)
{
	vh_autofree char *log = v->private_dir ? vh_strf("%s/log/qemu/%s.log", v->private_dir, name) : NULL;

	if (log)
		unlink(log);
}

/* Gives a domain that somebody else made our lease (vh_domain_lease_xml), as it is defined and as it runs; NULL: takes it away. */
static int mark(virDomainPtr domain, const char *lease, struct vh_err *err)
{
	const bool runs = virDomainIsActive(domain) == 1;
	const unsigned flags = VIR_DOMAIN_AFFECT_CONFIG | (runs ? VIR_DOMAIN_AFFECT_LIVE : 0);

	if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, lease, lease ? "vhpc" : NULL, VH_DOMAIN_NS, flags) == 0)
		return 0;
	if (!lease && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN_METADATA)
		return 0;
	return vh_virt_domain_err(err, domain, "metadata");
}

int vh_virt_remove(struct vh_virt *v, const char *name, const char *owner, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0 || !domain)
		return r;
	r = vh_virt_domain_lease(domain, &lease, err);
	if (r == -ENODATA)
		return vh_err_refuse(err, EPERM, "VM %s: is not one of vhpc's, and left alone", name);
	if (r == 0 && (!lease.owner || strcmp(lease.owner, owner)))
		return 0;
	if (r == 0 && lease.foreign)
		return mark(domain, NULL, err);
	if (r == 0)
		r = destroy(domain, err);
	if (r < 0)
		return r;
	if (virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_NVRAM |
				   VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
				   VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA) < 0 &&
	    virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return vh_virt_err(err, "VM %s: undefine", name);
	remove_log(v, name);
	return 0;
}

/* --- domains that somebody else made */

int vh_virt_check_defined(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int is, r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (!domain)
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM on %s", name, v->uri);
	is = virDomainIsPersistent(domain);
	if (is)
		return is < 0 ? vh_virt_domain_err(err, domain, "whether it is defined") : 0;
	vh_err_refuse(err, EINVAL, "VM %s: is gone when it ends, as it is not defined", name);
	return vh_err_hint(err, "virsh dumpxml %s, and virsh define what it says", name);
}

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
	r = vh_virt_check_defined(v, name, err);
	return r < 0 ? r : mark(domain, xml, err);
}

/* What has another name now, and with it what is no mark of ours any more. */
static int find_renamed(struct vh_virt *v, const char *uuid, virDomainPtr *ret, struct vh_err *err)
{
	*ret = virDomainLookupByUUIDString(v->conn, uuid);
	if (*ret || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return vh_virt_err(err, "VM of UUID %s", uuid);
}

int vh_virt_release(struct vh_virt *v, const char *name, const char *uuid, const char *owner, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);
	const bool renamed = r == 0 && !domain;

	if (renamed)
		r = find_renamed(v, uuid, &domain, err);
	if (r < 0 || !domain)
		return r;
	r = vh_virt_domain_lease(domain, &lease, err);
	if (r == -ENODATA && !err->num)
		return renamed ? mark(domain, NULL, err) : 0;
	if (r < 0)
		return r;
	return lease.owner && !strcmp(lease.owner, owner) ? mark(domain, NULL, err) : 0;
}
