// SPDX-License-Identifier: Apache-2.0
/* What libvirt says of domains. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/domain/domain.h"
#include "vmm/virt/private.h"

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
	vh_virt_domain_lease(domain, &lease, &none);
	row = json_pack("{s:s, s:s, s:i, s:I, s:s?, s:s?, s:s?, s:s}", "name", virDomainGetName(domain),
			"state", vh_virt_state_name(info.state), "vcpus", (int)info.nrVirtCpu,
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

/* --- those that run, whoever made them */

int vh_virt_running(struct vh_virt *v, char ***ret, struct vh_err *err)
{
	virDomainPtr *domains = NULL;
	vh_autostrv names = NULL;
	int n = virConnectListAllDomains(v->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE), r = 0;

	if (n < 0)
		return vh_virt_err(err, "%s: list", v->uri);
	for (int i = 0; i < n; i++) {
		r = r < 0 ? r : vh_strv_push(&names, virDomainGetName(domains[i]));
		virDomainFree(domains[i]);
	}
	free(domains);
	if (r < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&names);
	return 0;
}

int vh_virt_any_xml(struct vh_virt *v, const char *name, bool defined, char **ret, struct vh_err *err)
{
	vh_autodomain domain = NULL;
	int r = vh_virt_find(v, name, &domain, err);

	*ret = NULL;
	if (r < 0 || !domain)
		return r;
	*ret = virDomainGetXMLDesc(domain, defined ? VIR_DOMAIN_XML_INACTIVE : 0);
	return *ret ? 0 : vh_virt_err(err, "VM %s", name);
}

uint64_t vh_virt_resident(struct vh_virt *v, const char *name)
{
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	vh_autodomain domain = virDomainLookupByName(v->conn, name);
	int n = domain ? virDomainMemoryStats(domain, stats, VIR_DOMAIN_MEMORY_STAT_NR, 0) : 0;

	for (int i = 0; i < n; i++)
		if (stats[i].tag == VIR_DOMAIN_MEMORY_STAT_RSS)
			return (uint64_t)stats[i].val << 10;
	return 0;
}

static int pin_live(virDomainPtr domain, enum vh_virt_thread thread, unsigned id, unsigned char *map, int len)
{
	switch (thread) {
	case VH_VIRT_VCPU: return virDomainPinVcpuFlags(domain, id, map, len, VIR_DOMAIN_AFFECT_LIVE);
	case VH_VIRT_EMULATOR: return virDomainPinEmulator(domain, map, len, VIR_DOMAIN_AFFECT_LIVE);
	case VH_VIRT_IOTHREAD: return virDomainPinIOThread(domain, id, map, len, VIR_DOMAIN_AFFECT_LIVE);
	}
	return -1;
}

int vh_virt_pin(struct vh_virt *v, const char *name, enum vh_virt_thread thread, unsigned id, const unsigned *cpus,
		size_t n, struct vh_err *err)
{
	static const char *const what[] = {
		[VH_VIRT_VCPU] = "vCPU", [VH_VIRT_EMULATOR] = "QEMU's own threads", [VH_VIRT_IOTHREAD] = "I/O thread",
	};
	int len = (int)VIR_CPU_MAPLEN(cpus[n - 1] + 1);
	vh_autofree unsigned char *map = calloc(1, (size_t)len);
	vh_autodomain domain = NULL;
	int r = map ? vh_virt_find(v, name, &domain, err) : vh_err_nomem(err);

	if (r < 0 || !domain)
		return r;
	for (size_t i = 0; i < n; i++)
		VIR_USE_CPU(map, cpus[i]);
	return pin_live(domain, thread, id, map, len) < 0 ? vh_virt_err(err, "VM %s: pin %s %u", name, what[thread], id) : 0;
}

bool vh_virt_is_running(struct vh_virt *v, const char *name)
{
	vh_autodomain domain = virDomainLookupByName(v->conn, name);

	return domain && virDomainIsActive(domain) == 1;
}
