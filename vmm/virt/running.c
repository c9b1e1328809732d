// SPDX-License-Identifier: Apache-2.0
/* Domains that run, whoever made them. */
#include <errno.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "lib/strv.h"
#include "vmm/virt/private.h"

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
