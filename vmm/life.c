// SPDX-License-Identifier: Apache-2.0
/* Domains from define to undefine. */
#include "vmm/virt_private.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <time.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/xml.h"

enum { POLL_MS = 200, REPEAT_MS = 5000 };

int vh_virt_find(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err)
{
	*ret = virDomainLookupByName(v->conn, name);
	if (*ret || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
		return 0;
	return vh_virt_err(err, "VM %s", name);
}

int vh_virt_lease(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_autofree char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);

	if (!xml)
		return vh_virt_err(err, "VM %s", virDomainGetName(domain));
	return vh_domain_lease_parse(xml, strlen(xml), ret, err);
}

/* 0: ours; -ENODATA (no error text): another's. */
static int check_ours(virDomainPtr domain, struct vh_err *err)
{
	struct vh_domain_lease lease;
	int r = vh_virt_lease(domain, &lease, err);

	if (r == 0)
		vh_domain_lease_clear(&lease);
	return r;
}

int vh_virt_find_ours(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (!domain)
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM on %s", name, v->uri);
	r = check_ours(domain, err);
	if (r == -ENODATA)
		return vh_err_refuse(err, EPERM, "VM %s: is not one of vhpc's, and left alone", name);
	if (r < 0)
		return r;
	*ret = vh_steal(&domain);
	return 0;
}

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

int vh_virt_define(struct vh_virt *v, const char *xml, struct vh_err *err)
{
	vh_autodomain there = NULL, made = NULL;
	vh_autofree char *name = NULL;
	int r = name_in_xml(xml, &name, err);

	if (r == 0)
		r = vh_virt_find(v, name, &there, err);
	if (r == 0 && there)
		r = check_ours(there, err);
	if (r == -ENODATA)
		return vh_err_refuse(err, EEXIST, "VM %s: a VM of that name is there and not vhpc's", name);
	if (r < 0)
		return r;
	made = virDomainDefineXMLFlags(v->conn, xml, VIR_DOMAIN_DEFINE_VALIDATE);
	return made ? 0 : vh_virt_err(err, "VM %s: define", name);
}

static int get_state(virDomainPtr domain, int *ret, struct vh_err *err)
{
	if (virDomainGetState(domain, ret, NULL, 0) == 0)
		return 0;
	return vh_virt_err(err, "VM %s: state", virDomainGetName(domain));
}

int vh_virt_start(struct vh_virt *v, const char *name, bool *ret_started, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int state, r = vh_virt_find_ours(v, name, &domain, err);
	bool started = false;

	if (r == 0)
		r = get_state(domain, &state, err);
	if (r < 0)
		return r;
	if (state == VIR_DOMAIN_PAUSED) {
		if (virDomainResume(domain) < 0)
			return vh_virt_err(err, "VM %s: resume", name);
	} else if (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED) {
		started = virDomainCreate(domain) == 0;
		r = started ? 0 : vh_virt_err(err, "VM %s: start", name);
		if (r < 0 && virDomainIsActive(domain) != 1)
			return r;
		vh_err_clear(err);
	}
	if (ret_started)
		*ret_started = started;
	return 0;
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
		r = get_state(domain, &state, err);
		if (r < 0)
			return r;
		if (state == VIR_DOMAIN_SHUTOFF || state == VIR_DOMAIN_CRASHED)
			return 1;
		if (ms >= deadline_ms)
			return 0;
		sleep_ms(POLL_MS);
	}
}

/* Destroys it unless it ended in the meantime. */
static int destroy(virDomainPtr domain, struct vh_err *err)
{
	int r;

	if (virDomainIsActive(domain) != 1 || virDomainDestroy(domain) == 0)
		return 0;
	r = vh_virt_err(err, "VM %s: destroy", virDomainGetName(domain));
	if (virDomainIsActive(domain) != 0)
		return r;
	vh_err_clear(err);
	return 0;
}

int vh_virt_stop(struct vh_virt *v, const char *name, int deadline_ms, bool force, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find_ours(v, name, &domain, err);

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

int vh_virt_remove(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	if (r < 0 || !domain)
		return r;
	r = check_ours(domain, err);
	if (r == -ENODATA)
		return vh_err_refuse(err, EPERM, "VM %s: is not one of vhpc's, and left alone", name);
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

static const char *state_name(int state)
{
	static const char *const names[] = {
		[VIR_DOMAIN_NOSTATE] = "no state", [VIR_DOMAIN_RUNNING] = "running",
		[VIR_DOMAIN_BLOCKED] = "idle", [VIR_DOMAIN_PAUSED] = "paused",
		[VIR_DOMAIN_SHUTDOWN] = "in shutdown", [VIR_DOMAIN_SHUTOFF] = "shut off",
		[VIR_DOMAIN_CRASHED] = "crashed", [VIR_DOMAIN_PMSUSPENDED] = "suspended",
	};

	return state >= 0 && state < (int)vh_array_len(names) ? names[state] : "unknown";
}

int vh_virt_state(struct vh_virt *v, const char *name, const char **ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int state, r = vh_virt_find(v, name, &domain, err);

	if (r < 0)
		return r;
	if (domain)
		r = get_state(domain, &state, err);
	if (r == 0)
		*ret = domain ? state_name(state) : NULL;
	return r;
}

/* The union of all vCPUs' pins as libvirt reports them; NULL: unknown. */
static char *pinned_cpus(struct vh_virt *v, virDomainPtr domain)
{
	int cpus = virNodeGetCPUMap(v->conn, NULL, NULL, 0), n = 0;
	int vcpus = virDomainGetVcpusFlags(domain, VIR_DOMAIN_AFFECT_CURRENT);
	vh_autofree unsigned char *maps = NULL;
	vh_autofree unsigned *ids = NULL;
	int len = cpus > 0 ? VIR_CPU_MAPLEN(cpus) : 0;
	size_t found = 0;

	if (len <= 0 || vcpus <= 0)
		return NULL;
	maps = calloc((size_t)vcpus, (size_t)len);
	ids = calloc((size_t)cpus, sizeof(*ids));
	if (maps && ids)
		n = virDomainGetVcpuPinInfo(domain, vcpus, maps, len, VIR_DOMAIN_AFFECT_CURRENT);
	for (int cpu = 0; cpu < cpus; cpu++)
		for (int i = 0; i < n; i++)
			if (VIR_CPU_USABLE(maps, len, i, cpu)) {
				ids[found++] = (unsigned)cpu;
				break;
			}
	return n > 0 ? vh_cpulist_format(ids, found) : NULL;
}

static char *memory_nodes(virDomainPtr domain)
{
	virTypedParameter params[8];
	const char *nodes = NULL;
	char *ret = NULL;
	int n = vh_array_len(params);

	if (virDomainGetNumaParameters(domain, params, &n, VIR_DOMAIN_AFFECT_CURRENT) < 0)
		return NULL;
	virTypedParamsGetString(params, n, VIR_DOMAIN_NUMA_NODESET, &nodes);
	if (nodes && *nodes)
		ret = strdup(nodes);
	virTypedParamsClear(params, n);
	return ret;
}

static json_t *list_row(struct vh_virt *v, virDomainPtr domain)
{
	vh_autofree char *cpus = pinned_cpus(v, domain), *nodes = memory_nodes(domain);
	vh_autoerr none = VH_ERR_NONE;
	struct vh_domain_lease lease = { 0 };
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	virDomainInfo info;
	json_t *row;

	if (virDomainGetInfo(domain, &info) < 0)
		return NULL;
	virDomainGetUUIDString(domain, uuid);
	vh_virt_lease(domain, &lease, &none);
	row = json_pack("{s:s, s:s, s:i, s:I, s:s?, s:s?, s:s?, s:s}", "name", virDomainGetName(domain),
			"state", state_name(info.state), "vcpus", (int)info.nrVirtCpu,
			"memory", (json_int_t)info.maxMem << 10, "cpus", cpus, "nodes", nodes,
			"owner", lease.owner, "uuid", uuid);
	vh_domain_lease_clear(&lease);
	return row;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(virDomainGetName(*(virDomainPtr const *)a), virDomainGetName(*(virDomainPtr const *)b));
}

int vh_virt_list(struct vh_virt *v, json_t **ret, struct vh_err *err)
{
	virDomainPtr *domains = NULL;
	json_t *rows = json_array();
	int n = virConnectListAllDomains(v->conn, &domains, 0);

	if (n < 0 || !rows) {
		json_decref(rows);
		return rows ? vh_virt_err(err, "%s: list", v->uri) : vh_err_nomem(err);
	}
	qsort(domains, (size_t)n, sizeof(*domains), by_name);
	for (int i = 0; i < n; i++) {
		json_t *row = list_row(v, domains[i]);

		/* NULL: it ended meanwhile. */
		if (row)
			json_array_append_new(rows, row);
		virDomainFree(domains[i]);
	}
	free(domains);
	*ret = rows;
	return 0;
}
