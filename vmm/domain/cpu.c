// SPDX-License-Identifier: Apache-2.0
/* What a domain's vCPUs and memory are bound to, and the processor and nodes that the guest sees. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/private.h"
#include "vmm/layout/layout.h"

/* Against a clock that stands still under load, which has hung boots without KVM, and against the proof
 * that ticks come in time, which panics where they do not; with KVM the kernel spares itself that. */
static const char tcg_cmdline[] = "clocksource=tsc tsc=reliable no_timer_check";

/* With one possible CPU TCG drops the atomicity of locked instructions, which memory
 * shared between VMs relies on: then a second one stays unplugged. */
unsigned vh_domain_max_vcpus(const struct vh_domain *d)
{
	return !d->kvm && d->layout->vcpus < 2 ? 2 : d->layout->vcpus;
}

/* vCPUs with a CPU of their own are spared the tick and RCU's callbacks; the first one keeps time.
 * Not without KVM: there a grace period then takes seconds. What is given comes last, and wins. */
char *vh_domain_cmdline(const struct vh_domain *d)
{
	const struct vh_layout *l = d->layout;
	vh_autofree unsigned *own = calloc(l->vcpus, sizeof(*own));
	const char *given = d->cmdline ? d->cmdline : "";
	vh_autofree char *list = NULL;
	size_t n = 0;

	for (unsigned v = 1; own && d->kvm && v < l->vcpus; v++)
		if (l->cpu[v] >= 0)
			own[n++] = v;
	list = own ? vh_cpu_list(own, n) : NULL;
	if (!list)
		return NULL;
	if (!d->kvm)
		return vh_strf("%s%s%s", tcg_cmdline, *given ? " " : "", given);
	return n ? vh_strf("nohz_full=%s rcu_nocbs=%s%s%s", list, list, *given ? " " : "", given) : strdup(given);
}

/* --- binding */

static void add_pages(xmlNodePtr backing, const struct vh_layout *l)
{
	xmlNodePtr page = vh_xml_add(vh_xml_add(backing, "hugepages", NULL), "page", "unit", "KiB", NULL);

	vh_xml_setf(page, "size", "%llu", (unsigned long long)l->page >> 10);
	vh_xml_setf(page, "nodeset", l->n_cells > 1 ? "0-%zu" : "%zu", l->n_cells - 1);
}

/* Of a memfd, which needs no hugetlbfs to be mounted. Whoever serves directories reads and writes the guest's memory. */
static void add_backing(xmlNodePtr domain, const struct vh_domain *d)
{
	const bool huge = d->layout->page > 4096 && !d->rehearse;
	xmlNodePtr backing = huge || d->n_shares ? vh_xml_add(domain, "memoryBacking", NULL) : NULL;

	if (huge)
		add_pages(backing, d->layout);
	if (backing)
		vh_xml_add(backing, "source", "type", "memfd", NULL);
	if (d->n_shares)
		vh_xml_add(backing, "access", "mode", "shared", NULL);
}

static void add_counts(xmlNodePtr domain, const struct vh_domain *d, const char *cpus)
{
	unsigned max = vh_domain_max_vcpus(d);
	vh_autofree char *count = vh_strf("%u", max), *iothreads = vh_strf("%u", d->layout->iothreads);
	xmlNodePtr vcpu = vh_xml_text(domain, "vcpu", count ? count : "");

	vh_xml_setf(vcpu, "placement", "static");
	if (*cpus)
		vh_xml_setf(vcpu, "cpuset", "%s", cpus);
	if (max != d->layout->vcpus)
		vh_xml_setf(vcpu, "current", "%u", d->layout->vcpus);
	if (d->layout->iothreads)
		vh_xml_text(domain, "iothreads", iothreads ? iothreads : "");
}

static int add_pins(xmlNodePtr domain, const struct vh_domain *d)
{
	const struct vh_layout *l = d->layout;
	vh_autofree char *others = vh_layout_emulator_cpus(l, d->rehearse);
	xmlNodePtr tune = vh_xml_add(domain, "cputune", NULL);

	if (!others)
		return -ENOMEM;
	for (unsigned v = 0; v < l->vcpus; v++) {
		vh_autofree char *cpus = vh_layout_vcpu_cpus(l, d->rehearse, v), *id = vh_strf("%u", v);

		if (!cpus || !id)
			return -ENOMEM;
		if (*cpus)
			vh_xml_add(tune, "vcpupin", "vcpu", id, "cpuset", cpus, NULL);
	}
	if (*others)
		vh_xml_add(tune, "emulatorpin", "cpuset", others, NULL);
	for (unsigned i = 1; *others && i <= l->iothreads; i++) {
		xmlNodePtr pin = vh_xml_add(tune, "iothreadpin", NULL);

		vh_xml_setf(pin, "iothread", "%u", i);
		vh_xml_setf(pin, "cpuset", "%s", others);
	}
	return 0;
}

static int add_nodes(xmlNodePtr domain, const struct vh_domain *d)
{
	const struct vh_layout *l = d->layout;
	unsigned here[VH_CELLS_MAX];
	vh_autofree char *nodes = NULL;
	xmlNodePtr tune;
	size_t n = 0;

	for (size_t i = 0; i < l->n_cells; i++)
		if (vh_layout_node_is_here(d->rehearse, l->cells[i].node))
			here[n++] = l->cells[i].node;
	nodes = vh_cpu_list(here, n);
	if (!nodes)
		return -ENOMEM;
	if (!n)
		return 0;
	tune = vh_xml_add(domain, "numatune", NULL);
	vh_xml_add(tune, "memory", "mode", "strict", "nodeset", nodes, NULL);
	for (size_t i = 0; i < l->n_cells; i++) {
		xmlNodePtr cell;

		if (!vh_layout_node_is_here(d->rehearse, l->cells[i].node))
			continue;
		cell = vh_xml_add(tune, "memnode", NULL);
		vh_xml_setf(cell, "cellid", "%zu", i);
		vh_xml_setf(cell, "mode", "strict");
		vh_xml_setf(cell, "nodeset", "%u", l->cells[i].node);
	}
	return 0;
}

int vh_domain_add_binding(xmlNodePtr domain, const struct vh_domain *d)
{
	vh_autofree char *cpus = NULL;
	struct vh_numbers used;

	if (vh_layout_used(d->layout, d->rehearse, &used) < 0)
		return -ENOMEM;
	cpus = vh_cpu_list(used.v, used.n);
	vh_numbers_clear(&used);
	if (!cpus)
		return -ENOMEM;
	add_backing(domain, d);
	add_counts(domain, d, cpus);
	return add_pins(domain, d) < 0 || add_nodes(domain, d) < 0 ? -ENOMEM : 0;
}

/* --- what the guest sees */

static void add_features(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr features = vh_xml_add(domain, "features", NULL), kvm;

	vh_xml_add(features, "acpi", NULL);
	vh_xml_add(features, "apic", NULL);
	if (!d->kvm || !vh_layout_is_dedicated(d->layout))
		return;
	kvm = vh_xml_add(features, "kvm", NULL);
	vh_xml_add(kvm, "hint-dedicated", "state", "on", NULL);
	/* The guest polls before it halts, and tells the host not to. */
	vh_xml_add(kvm, "poll-control", "state", "on", NULL);
}

static void add_topology(xmlNodePtr cpu, const struct vh_domain *d)
{
	const struct vh_layout *l = d->layout;
	xmlNodePtr topology = vh_xml_add(cpu, "topology", NULL);
	bool alone = vh_domain_max_vcpus(d) != l->vcpus;

	vh_xml_setf(topology, "sockets", "%u", l->sockets);
	if (l->dies > 1)
		vh_xml_setf(topology, "dies", "%u", l->dies);
	vh_xml_setf(topology, "cores", "%u", alone ? vh_domain_max_vcpus(d) : l->cores);
	vh_xml_setf(topology, "threads", "%u", l->threads);
}

static char *cell_vcpus(const struct vh_domain *d, size_t cell)
{
	const struct vh_layout *l = d->layout;
	vh_autofree unsigned *ids = calloc(l->vcpus + 1, sizeof(*ids));
	size_t n = 0;

	for (unsigned v = 0; ids && v < l->vcpus; v++)
		if (l->cell[v] == cell)
			ids[n++] = v;
	/* The one that stays unplugged. */
	if (ids && vh_domain_max_vcpus(d) != l->vcpus && n)
		ids[n++] = l->vcpus;
	return ids ? vh_cpu_list(ids, n) : NULL;
}

static void add_cell(xmlNodePtr numa, const struct vh_domain *d, size_t i)
{
	const struct vh_layout *l = d->layout;
	vh_autofree char *vcpus = cell_vcpus(d, i);
	xmlNodePtr cell = vh_xml_add(numa, "cell", NULL), distances;

	vh_xml_setf(cell, "id", "%zu", i);
	if (vcpus && *vcpus)
		vh_xml_setf(cell, "cpus", "%s", vcpus);
	vh_xml_setf(cell, "memory", "%llu", (unsigned long long)((l->cells[i].memory + 1023) / 1024));
	vh_xml_setf(cell, "unit", "KiB");
	if (l->n_cells == 1)
		return;
	distances = vh_xml_add(cell, "distances", NULL);
	for (size_t k = 0; k < l->n_cells; k++) {
		xmlNodePtr sibling = vh_xml_add(distances, "sibling", NULL);

		vh_xml_setf(sibling, "id", "%zu", k);
		vh_xml_setf(sibling, "value", "%u", l->distances[i * l->n_cells + k]);
	}
}

void vh_domain_add_cpu(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr cpu, numa;

	add_features(domain, d);
	cpu = vh_xml_add(domain, "cpu", "mode", d->kvm ? "host-passthrough" : "maximum", "check", "none",
			 "migratable", d->kvm ? "off" : NULL, NULL);
	add_topology(cpu, d);
	if (d->kvm) {
		vh_xml_add(cpu, "cache", "mode", "passthrough", NULL);
		/* Large BARs lie higher than the addresses that QEMU's default lets a guest have. */
		vh_xml_add(cpu, "maxphysaddr", "mode", "passthrough", NULL);
	}
	if (d->kvm && d->topoext && d->layout->threads > 1)
		vh_xml_add(cpu, "feature", "policy", "require", "name", "topoext", NULL);
	numa = vh_xml_add(cpu, "numa", NULL);
	for (size_t i = 0; i < d->layout->n_cells; i++)
		add_cell(numa, d, i);
}
