// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/virt/virt.h"

/* --- CPUs */

static bool has_every_cpu(const struct vh_host *host, const unsigned *cpus, size_t n)
{
	for (size_t i = 0; i < host->n_cpus; i++) {
		size_t k = 0;

		while (k < n && cpus[k] != host->cpus[i].id)
			k++;
		if (k == n)
			return false;
	}
	return true;
}

/* An attribute's CPUs, unless they are all there are: that is no pinning. */
static int take_pinned(struct vh_taken *taken, const struct vh_host *host, xmlNodePtr node)
{
	vh_autoxmlstr text = node ? xmlGetNoNsProp(node, BAD_CAST "cpuset") : NULL;
	vh_autofree unsigned *cpus = NULL;
	size_t n = 0;

	if (!text || vh_cpulist_parse((const char *)text, &cpus, &n) < 0 || has_every_cpu(host, cpus, n))
		return 0;
	return vh_taken_add_cpus(taken, cpus, n);
}

static int take_pins(struct vh_taken *taken, const struct vh_host *host, xmlNodePtr domain)
{
	xmlNodePtr tune = vh_xml_child(domain, NULL, "cputune"), pin = tune ? vh_xml_child(tune, NULL, "vcpupin") : NULL;
	int r = pin ? 0 : take_pinned(taken, host, vh_xml_child(domain, NULL, "vcpu"));

	for (; r == 0 && pin; pin = vh_xml_next(pin, NULL, "vcpupin"))
		r = take_pinned(taken, host, pin);
	return r;
}

/* --- memory */

static uint64_t kib(xmlNodePtr node)
{
	vh_autoxmlstr text = node ? xmlNodeGetContent(node) : NULL;
	uint64_t n;

	/* In a live domain's XML always KiB. */
	return text && sscanf((const char *)text, "%" SCNu64, &n) == 1 && n < VH_NODE_MEMORY_MAX >> 10 ? n << 10 : 0;
}

static bool is_in(const unsigned *ids, size_t n, unsigned id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* What it may still touch, evenly over its nodes (no nodeset: all of them). Huge pages it has
 * had since its start, and their pools say so. */
static int take_memory(struct vh_taken *taken, const struct vh_host *host, xmlNodePtr domain, uint64_t resident)
{
	xmlNodePtr backing = vh_xml_child(domain, NULL, "memoryBacking"), tune = vh_xml_child(domain, NULL, "numatune");
	xmlNodePtr nodes = tune ? vh_xml_child(tune, NULL, "memory") : NULL;
	vh_autoxmlstr set = nodes ? xmlGetNoNsProp(nodes, BAD_CAST "nodeset") : NULL;
	uint64_t all = kib(vh_xml_child(domain, NULL, "memory"));
	vh_autofree unsigned *ids = NULL;
	size_t n = 0, among = 0;

	if ((backing && vh_xml_child(backing, NULL, "hugepages")) || all <= resident)
		return 0;
	if (set && vh_cpulist_parse((const char *)set, &ids, &n) < 0)
		n = 0;
	if (!taken->memory && !(taken->memory = calloc(host->n_nodes + 1, sizeof(*taken->memory))))
		return -ENOMEM;
	for (size_t i = 0; i < host->n_nodes; i++)
		among += !n || is_in(ids, n, host->nodes[i].id);
	for (size_t i = 0; among && i < host->n_nodes; i++)
		if (!n || is_in(ids, n, host->nodes[i].id))
			((uint64_t *)taken->memory)[i] += (all - resident) / among;
	return 0;
}

/* --- devices */

static unsigned address_part(xmlNodePtr node, const char *name)
{
	vh_autoxmlstr text = xmlGetNoNsProp(node, BAD_CAST name);

	return text ? (unsigned)strtoul((const char *)text, NULL, 0) : 0;
}

static void hold_device(struct vh_host *host, xmlNodePtr passed)
{
	xmlNodePtr source = vh_xml_child(passed, NULL, "source");
	xmlNodePtr at = source ? vh_xml_child(source, NULL, "address") : NULL;
	char address[20];

	if (!at)
		return;
	snprintf(address, sizeof(address), "%04x:%02x:%02x.%x", address_part(at, "domain") & 0xffff,
		 address_part(at, "bus") & 0xff,
		 address_part(at, "slot") & 0x1f, address_part(at, "function") & 7);
	for (size_t i = 0; i < host->n_devices; i++)
		if (!strcmp(host->devices[i].address, address))
			host->devices[i].held = true;
}

static void hold_devices(struct vh_host *host, xmlNodePtr domain)
{
	static const char *const kinds[] = { "hostdev", "interface" };
	xmlNodePtr devices = vh_xml_child(domain, NULL, "devices");

	for (size_t i = 0; devices && i < vh_array_len(kinds); i++)
		for (xmlNodePtr d = vh_xml_child(devices, NULL, kinds[i]); d; d = vh_xml_next(d, NULL, kinds[i]))
			hold_device(host, d);
}

/* --- the domain */

int vh_taken_add_domain(struct vh_taken *taken, struct vh_host *host, const char *xml, uint64_t resident,
			struct vh_err *err)
{
	struct vh_domain_lease lease = { 0 };
	vh_autoxml doc = NULL;
	xmlNodePtr domain;
	int ours = vh_domain_lease_parse(xml, strlen(xml), &lease, err), r;

	/* A lease that makes no sense is another's pinning. */
	vh_err_clear(err);
	r = ours == 0 ? vh_taken_add_cpus(taken, lease.cpus, lease.n_cpus) : 0;
	vh_domain_lease_clear(&lease);
	if (r == 0)
		r = vh_xml_parse("domain", xml, strlen(xml), &doc, err);
	if (r < 0)
		return r == -ENOMEM ? vh_err_nomem(err) : r;
	domain = xmlDocGetRootElement(doc);
	hold_devices(host, domain);
	if (ours < 0)
		r = take_pins(taken, host, domain);
	/* Ours are leased, and what of that is resident is known by node. */
	if (r == 0 && ours < 0)
		r = take_memory(taken, host, domain, resident);
	return r < 0 ? vh_err_nomem(err) : 0;
}

static int take_domains(struct vh_taken *taken, struct vh_virt *v, struct vh_host *host, struct vh_err *err)
{
	vh_autostrv names = NULL;
	int r = vh_virt_running(v, &names, err);

	for (char **name = names; r == 0 && name && *name; name++) {
		vh_autoerr gone = VH_ERR_NONE;
		vh_autofree char *xml = NULL;

		vh_virt_any_xml(v, *name, false, &xml, &gone);
		/* NULL: it ended meanwhile. */
		if (xml)
			r = vh_taken_add_domain(taken, host, xml, vh_virt_resident(v, *name), err);
	}
	return r;
}

int vh_taken_add_running(struct vh_taken *taken, struct vh_hosts_query *q, struct vh_host *host, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_autoerr why = VH_ERR_NONE;
	bool asleep = !q->connect && vh_virt_is_asleep(q->state);
	int r = asleep ? -ENOTCONN : vh_virt_open(&v, q->connect, q->state, false, q->connect ? err : &why);

	if (r == 0)
		return take_domains(taken, v, host, err);
	/* The private daemon, asked for by name, does not run: then nothing runs in it. */
	if (q->connect)
		return r == -ENOTCONN && !err->num ? 0 : r;
	if (why.num && vh_strv_pushf(&q->notes, "running VMs are not counted: %s", why.text) < 0)
		return vh_err_nomem(err);
	return 0;
}
