// SPDX-License-Identifier: Apache-2.0
/* What a domain has of its host that somebody else made, as a layout: out of its XML, which is untrusted. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/machine.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/domain.h"
#include "vmm/layout/layout.h"

enum { IOTHREADS_MAX = 1024 };

struct reading {
	const struct vh_foreign_host *host;
	xmlNodePtr domain;
	struct vh_foreign *f;
	struct vh_layout *l;
	bool no_memory;
};

static void unfit(struct reading *r, const char *what)
{
	r->no_memory |= vh_strv_push(&r->f->unfit, what) < 0;
}

static xmlNodePtr find(xmlNodePtr from, const char *first, const char *then)
{
	xmlNodePtr node = vh_xml_child(from, NULL, first);

	return node && then ? vh_xml_child(node, NULL, then) : node;
}

static bool number(const xmlChar *text, uint64_t max, uint64_t *ret)
{
	vh_autoerr none = VH_ERR_NONE;

	return text && vh_uint_parse((const char *)text, max, ret, &none) == 0;
}

static bool attr_number(xmlNodePtr node, const char *name, uint64_t max, uint64_t *ret)
{
	vh_autoxmlstr text = xmlGetNoNsProp(node, BAD_CAST name);

	return number(text, max, ret);
}

static bool content_number(xmlNodePtr node, uint64_t max, uint64_t *ret)
{
	vh_autoxmlstr text = node ? xmlNodeGetContent(node) : NULL;

	return number(text, max, ret);
}

static bool attr_is(xmlNodePtr node, const char *name, const char *value)
{
	vh_autoxmlstr text = xmlGetNoNsProp(node, BAD_CAST name);

	return text && !strcmp((const char *)text, value);
}

/* Libvirt says sizes in KiB, whatever was given it. */
static bool is_kib(xmlNodePtr node)
{
	return !xmlHasProp(node, BAD_CAST "unit") || attr_is(node, "unit", "KiB");
}

/* A list of numbers; none where there is no such attribute, or it is no list. */
static bool attr_list(xmlNodePtr node, const char *name, struct vh_numbers *ret)
{
	vh_autoxmlstr text = node ? xmlGetNoNsProp(node, BAD_CAST name) : NULL;

	return text && vh_cpulist_parse((const char *)text, &ret->v, &ret->n) == 0 && ret->n;
}

static bool has(const unsigned *ids, size_t n, unsigned id)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= ids[i] == id;
	return any;
}

/* --- memory */

/* The host node that an element of numatune binds to, as the kernel is made to keep to it; -1: none, or several. */
static int bound_to(xmlNodePtr node)
{
	vh_cleanup(vh_numbers_clear) struct vh_numbers set = { 0 };
	const bool strict = node && (!xmlHasProp(node, BAD_CAST "mode") || attr_is(node, "mode", "strict") || attr_is(node, "mode", "restrictive"));

	return strict && attr_list(node, "nodeset", &set) && set.n == 1 ? (int)set.v[0] : -1;
}

/* The child of that name whose attribute is that number. */
static xmlNodePtr numbered(xmlNodePtr tune, const char *name, const char *attr, uint64_t number)
{
	xmlNodePtr node = tune ? vh_xml_child(tune, NULL, name) : NULL;
	uint64_t id;

	while (node && (!attr_number(node, attr, VH_VCPUS_MAX, &id) || id != number))
		node = vh_xml_next(node, NULL, name);
	return node;
}

static void place_cell(struct reading *r, size_t cell)
{
	xmlNodePtr tune = vh_xml_child(r->domain, NULL, "numatune"), own = numbered(tune, "memnode", "cellid", cell);
	int node = bound_to(own ? own : tune ? vh_xml_child(tune, NULL, "memory") : NULL);

	if (node < 0 && r->host->n_nodes == 1)
		node = (int)r->host->nodes[0];
	if (node < 0)
		unfit(r, "memory: is not bound to one host node (numatune, mode strict), and what is leased is memory of a node");
	else if (!has(r->host->nodes, r->host->n_nodes, (unsigned)node))
		unfit(r, "memory: is bound to a NUMA node that this host has not");
	r->l->cells[cell].node = node < 0 ? 0 : (unsigned)node;
}

static void read_cell(struct reading *r, xmlNodePtr at)
{
	vh_cleanup(vh_numbers_clear) struct vh_numbers vcpus = { 0 };
	const size_t cell = r->l->n_cells++;
	uint64_t kib = 0;

	if (!attr_number(at, "memory", VH_NODE_MEMORY_MAX >> 10, &kib) || !kib || !is_kib(at) || !attr_list(at, "cpus", &vcpus))
		unfit(r, "numa: a guest node without memory or vCPUs");
	r->l->cells[cell].memory = kib << 10;
	for (size_t i = 0; i < vcpus.n; i++)
		if (vcpus.v[i] < r->l->vcpus)
			r->l->cell[vcpus.v[i]] = (unsigned)cell;
	place_cell(r, cell);
}

static void read_cells(struct reading *r, uint64_t memory)
{
	xmlNodePtr cell = find(vh_xml_child(r->domain, NULL, "cpu"), "numa", "cell");
	struct vh_layout *l = r->l;

	for (; cell && l->n_cells < VH_CELLS_MAX; cell = vh_xml_next(cell, NULL, "cell"))
		read_cell(r, cell);
	if (cell)
		unfit(r, "numa: more than 16 guest nodes");
	if (!l->n_cells) {
		l->cells[l->n_cells++].memory = memory;
		place_cell(r, 0);
	}
	for (size_t i = 0; i < l->n_cells; i++)
		for (size_t k = 0; k < l->n_cells; k++)
			l->distances[i * l->n_cells + k] = i == k ? 10 : 20;
}

static void read_pages(struct reading *r)
{
	xmlNodePtr huge = find(vh_xml_child(r->domain, NULL, "memoryBacking"), "hugepages", NULL);
	xmlNodePtr page = huge ? vh_xml_child(huge, NULL, "page") : NULL;
	uint64_t kib = 0;

	r->l->page = VH_PAGE_SMALL;
	if (!huge)
		return;
	if (page && !vh_xml_next(page, NULL, "page") && is_kib(page) && attr_number(page, "size", VH_NODE_MEMORY_MAX >> 10, &kib) && kib >= 4)
		r->l->page = kib << 10;
	else
		unfit(r, "page_size: huge pages without one size that is said");
}

/* --- CPUs */

/* Two on one CPU have none of their own. */
static bool is_taken(const struct vh_layout *l, unsigned vcpus, int cpu)
{
	for (unsigned v = 0; v < vcpus; v++)
		if (l->cpu[v] == cpu)
			return true;
	return false;
}

static bool is_own(const struct vh_layout *l, unsigned cpu)
{
	return is_taken(l, l->vcpus, (int)cpu) || l->emulator == (int)cpu;
}

static void float_on(struct reading *r, const struct vh_numbers *set, bool *on)
{
	r->f->unpinned |= !set->n;
	for (size_t i = 0; i < r->host->n_cpus; i++)
		on[i] |= !set->n || has(set->v, set->n, r->host->cpus[i]);
}

static void read_pin(struct reading *r, unsigned vcpu, bool *on)
{
	xmlNodePtr pin = numbered(vh_xml_child(r->domain, NULL, "cputune"), "vcpupin", "vcpu", vcpu);
	vh_cleanup(vh_numbers_clear) struct vh_numbers set = { 0 };

	attr_list(pin ? pin : vh_xml_child(r->domain, NULL, "vcpu"), "cpuset", &set);
	r->l->cpu[vcpu] = -1;
	if (set.n != 1) {
		float_on(r, &set, on);
		return;
	}
	if (!has(r->host->cpus, r->host->n_cpus, set.v[0]))
		unfit(r, "cpu_policy: a vCPU is pinned to a CPU that this host has not");
	else if (is_taken(r->l, vcpu, (int)set.v[0]))
		unfit(r, "cpu_policy: two vCPUs are pinned to one CPU");
	else
		r->l->cpu[vcpu] = (int)set.v[0];
}

/* QEMU's own threads have a CPU that no vCPU runs on, or run where these do. */
static void read_emulator(struct reading *r)
{
	vh_cleanup(vh_numbers_clear) struct vh_numbers set = { 0 };

	r->l->emulator = -1;
	if (vh_layout_is_dedicated(r->l) && attr_list(find(r->domain, "cputune", "emulatorpin"), "cpuset", &set) && set.n == 1 &&
	    has(r->host->cpus, r->host->n_cpus, set.v[0]) && !is_own(r->l, set.v[0]))
		r->l->emulator = (int)set.v[0];
}

static int read_cpus(struct reading *r)
{
	vh_autofree bool *on = calloc(r->host->n_cpus + 1, sizeof(*on));
	struct vh_layout *l = r->l;

	l->floating = calloc(r->host->n_cpus + 1, sizeof(*l->floating));
	if (!on || !l->floating)
		return -ENOMEM;
	for (unsigned v = 0; v < l->vcpus; v++)
		read_pin(r, v, on);
	read_emulator(r);
	for (size_t i = 0; i < r->host->n_cpus; i++)
		if (on[i] && !is_own(l, r->host->cpus[i]))
			l->floating[l->n_floating++] = r->host->cpus[i];
	vh_sort_unsigned(l->floating, l->n_floating);
	if (!vh_layout_is_dedicated(l) && !l->n_floating)
		unfit(r, "cpu_policy: vCPUs are pinned to CPUs that this host has not, or that others of them have alone");
	return 0;
}

/* As libvirt has it where nothing is said: each a socket. */
static void read_topology(struct reading *r)
{
	xmlNodePtr at = find(vh_xml_child(r->domain, NULL, "cpu"), "topology", NULL);
	uint64_t sockets = 0, dies = 1, clusters = 1, cores = 0, threads = 0;
	struct vh_layout *l = r->l;
	bool whole = at && attr_number(at, "sockets", VH_VCPUS_MAX, &sockets) && attr_number(at, "cores", VH_VCPUS_MAX, &cores) &&
		     attr_number(at, "threads", VH_VCPUS_MAX, &threads);

	if (whole && xmlHasProp(at, BAD_CAST "dies"))
		whole = attr_number(at, "dies", VH_VCPUS_MAX, &dies);
	if (whole && xmlHasProp(at, BAD_CAST "clusters"))
		whole = attr_number(at, "clusters", VH_VCPUS_MAX, &clusters);
	if (!whole || sockets * dies * clusters * cores * threads != l->vcpus) {
		sockets = l->vcpus;
		dies = clusters = cores = threads = 1;
	}
	l->sockets = (unsigned)sockets;
	l->dies = (unsigned)dies;
	l->cores = (unsigned)(clusters * cores);
	l->threads = (unsigned)threads;
}

/* --- what is not taken in */

static void read_devices(struct reading *r)
{
	xmlNodePtr devices = vh_xml_child(r->domain, NULL, "devices");

	for (xmlNodePtr d = vh_xml_child(devices, NULL, "interface"); d; d = vh_xml_next(d, NULL, "interface"))
		if (attr_is(d, "type", "hostdev"))
			unfit(r, "devices: it has an interface that is a device of the host");
	if (vh_xml_child(devices, NULL, "hostdev"))
		unfit(r, "devices: it has devices of the host");
	if (vh_xml_child(devices, NULL, "memory"))
		unfit(r, "memory: it has memory that can be unplugged");
}

static int read_vcpus(struct reading *r, struct vh_err *err)
{
	xmlNodePtr node = vh_xml_child(r->domain, NULL, "vcpu");
	uint64_t vcpus = 0, current;
	struct vh_layout *l = r->l;

	if (!content_number(node, VH_VCPUS_MAX, &vcpus) || !vcpus)
		return vh_err_refuse(err, EINVAL, "domain %s: has not 1 to %d vCPUs", r->f->name, VH_VCPUS_MAX);
	if (attr_number(node, "current", VH_VCPUS_MAX, &current) && current != vcpus)
		unfit(r, "vcpus: not all of them are plugged");
	l->vcpus = (unsigned)vcpus;
	l->cpu = calloc(vcpus, sizeof(*l->cpu));
	l->cell = calloc(vcpus, sizeof(*l->cell));
	return l->cpu && l->cell ? 0 : vh_err_nomem(err);
}

static int read_domain(struct reading *r, struct vh_err *err)
{
	xmlNodePtr memory = vh_xml_child(r->domain, NULL, "memory");
	uint64_t kib = 0, iothreads = 0;

	if (read_vcpus(r, err) < 0)
		return -err->num;
	if (!content_number(memory, VH_NODE_MEMORY_MAX >> 10, &kib) || !kib || !is_kib(memory))
		return vh_err_refuse(err, EINVAL, "domain %s: has no memory in KiB", r->f->name);
	read_cells(r, kib << 10);
	read_pages(r);
	read_topology(r);
	read_devices(r);
	if (content_number(vh_xml_child(r->domain, NULL, "iothreads"), IOTHREADS_MAX, &iothreads))
		r->l->iothreads = (unsigned)iothreads;
	return read_cpus(r) < 0 || r->no_memory ? vh_err_nomem(err) : 0;
}

static int read_names(struct reading *r, struct vh_err *err)
{
	vh_autoxmlstr name = xmlNodeGetContent(vh_xml_child(r->domain, NULL, "name"));
	vh_autoxmlstr uuid = xmlNodeGetContent(vh_xml_child(r->domain, NULL, "uuid"));

	if (!name || !uuid || !*name)
		return vh_err_refuse(err, EINVAL, "domain: has no name, or no UUID");
	r->f->name = strdup((const char *)name);
	r->f->uuid = strdup((const char *)uuid);
	r->f->layout = r->l = calloc(1, sizeof(*r->l));
	if (!r->f->name || !r->f->uuid || !r->l)
		return vh_err_nomem(err);
	if (strlen(r->f->uuid) != 36 || r->f->uuid[strspn(r->f->uuid, "0123456789abcdef-")])
		return vh_err_refuse(err, EINVAL, "domain: its UUID is none");
	/* Of leases, and a part of paths. */
	if (vh_is_hostname(r->f->name))
		return 0;
	vh_err_refuse(err, EINVAL, "domain '%.80s': its name has more in it than lower-case letters, digits and inner hyphens", r->f->name);
	return vh_err_hint(err, "virsh domrename gives it another while it is off");
}

void vh_foreign_clear(struct vh_foreign *f)
{
	free(f->name);
	free(f->uuid);
	if (f->layout)
		vh_layout_clear(f->layout);
	free(f->layout);
	vh_strv_free(f->unfit);
	*f = (struct vh_foreign){ 0 };
}

int vh_foreign_parse(const char *xml, size_t len, const struct vh_foreign_host *host, struct vh_foreign *ret, struct vh_err *err)
{
	vh_cleanup(vh_foreign_clear) struct vh_foreign f = { 0 };
	struct reading reading = { .host = host, .f = &f };
	vh_autoxml doc = NULL;
	int r = vh_xml_parse("domain", xml, len, &doc, err);

	if (r < 0)
		return r;
	reading.domain = xmlDocGetRootElement(doc);
	if (!reading.domain || strcmp((const char *)reading.domain->name, "domain"))
		return vh_err_refuse(err, EINVAL, "domain: the document is no libvirt domain");
	r = read_names(&reading, err);
	if (r == 0)
		r = read_domain(&reading, err);
	if (r < 0)
		return r;
	*ret = f;
	f = (struct vh_foreign){ 0 };
	return 0;
}
