// SPDX-License-Identifier: Apache-2.0
/* What libvirt says of domains. */
#include <string.h>

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
