// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/floating.h"

enum { MIB = 1 << 20 };

struct checking {
	const struct vh_check *c;
	xmlNodePtr domain;
	struct vh_thread *threads;
	size_t n_threads;
	struct vh_findings *findings;
};

/* Takes over the plan's text. */
static void tell(struct checking *k, const char *what, char *plan, const char *libvirt, const char *cgroup,
		 const char *kernel, enum vh_verdict v)
{
	const struct vh_finding finding = { .object = k->c->name, .check = what, .verdict = v, .wanted = plan,
					    .found = kernel ? kernel : cgroup ? cgroup : libvirt };
	json_t *row = vh_finding_add(k->findings, &finding);

	if (row && (json_object_set_new(row, "libvirt", vh_json_text(libvirt)) < 0 ||
		    json_object_set_new(row, "cgroup", vh_json_text(cgroup)) < 0 ||
		    json_object_set_new(row, "kernel", vh_json_text(kernel)) < 0))
		k->findings->no_memory = true;
	free(plan);
}

/* --- lists of numbers */

static bool has_number(const unsigned *v, size_t n, unsigned x)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

/* Whether the list a is all in b. */
static bool list_within(const char *a, const char *b)
{
	vh_autofree unsigned *x = NULL, *y = NULL;
	size_t n = 0, m = 0;
	bool all = vh_cpulist_parse(a, &x, &n) == 0 && vh_cpulist_parse(b, &y, &m) == 0;

	for (size_t i = 0; all && i < n; i++)
		all = has_number(y, m, x[i]);
	return all;
}

static bool list_same(const char *a, const char *b)
{
	return list_within(a, b) && list_within(b, a);
}

/* --- CPUs */

/* The cpuset of an element of cputune; malloc'd, NULL: none. */
static char *pinned_to(const struct checking *k, const char *element, const char *attr, unsigned id)
{
	xmlNodePtr tune = vh_xml_child(k->domain, NULL, "cputune"), node = vh_xml_child(tune, NULL, element);

	for (; node; node = vh_xml_next(node, NULL, element)) {
		vh_autoxmlstr is = attr ? xmlGetNoNsProp(node, BAD_CAST attr) : NULL;
		vh_autoxmlstr cpus = xmlGetNoNsProp(node, BAD_CAST "cpuset");

		if (cpus && (!attr || (is && strtoul((const char *)is, NULL, 10) == id)))
			return strdup((const char *)cpus);
	}
	return NULL;
}

/* The next thread of this kind and number, or NULL. */
static const struct vh_thread *next_thread(const struct checking *k, enum vh_thread_kind kind, unsigned id,
					   const struct vh_thread *after)
{
	for (size_t i = after ? (size_t)(after - k->threads) + 1 : 0; i < k->n_threads; i++)
		if (k->threads[i].kind == kind && (kind == VH_THREAD_OTHER || k->threads[i].id == id))
			return &k->threads[i];
	return NULL;
}

/* One row for the threads of that kind and number; here: the plan's CPUs that are here. The first
 * thread that is elsewhere speaks for all. */
static void check_threads(struct checking *k, const char *what, enum vh_thread_kind kind, unsigned id, char *plan,
			  const char *here, const char *libvirt)
{
	const struct vh_thread *t = next_thread(k, kind, id, NULL), *shown = t;
	enum vh_verdict v = libvirt && list_same(libvirt, here) ? VH_OK : VH_WRONG;

	if (!*here) {
		tell(k, what, plan, libvirt, NULL, t ? t->allowed : NULL, VH_UNKNOWN);
		return;
	}
	for (; t; t = next_thread(k, kind, id, t))
		if (!list_same(t->allowed, here) || (t->cpuset && !list_within(here, t->cpuset))) {
			shown = t;
			v = VH_WRONG;
			break;
		}
	if (k->c->pid && !shown)
		v = VH_WRONG;
	tell(k, what, plan, libvirt, shown ? shown->cpuset : NULL, shown ? shown->allowed : NULL, v);
}

/* The plan's CPUs that are here, less those that others lease. NULL without memory. */
static char *left_of(const struct checking *k, char *here)
{
	char *left = here ? vh_floating_left(here, k->c->leases, k->c->n_leases, k->c->holder) : NULL;

	free(here);
	return left;
}

/* "2 (not here)" of what a rehearsal lacks. */
static char *plan_text(const struct checking *k, const char *all, const char *here)
{
	return list_same(all, here) ? strdup(all) :
	       vh_strf("%s (%s %s)", all, *here ? here : "none", k->c->rehearse ? "here" : "left");
}

static void check_vcpu(struct checking *k, unsigned vcpu)
{
	vh_autofree char *all = vh_layout_vcpu_cpus(k->c->layout, NULL, vcpu), *what = vh_strf("vCPU %u", vcpu);
	vh_autofree char *here = left_of(k, vh_layout_vcpu_cpus(k->c->layout, k->c->rehearse, vcpu));
	vh_autofree char *libvirt = pinned_to(k, "vcpupin", "vcpu", vcpu);

	if (all && here && what)
		check_threads(k, what, VH_THREAD_VCPU, vcpu, plan_text(k, all, here), here, libvirt);
}

static void check_others(struct checking *k)
{
	vh_autofree char *all = vh_layout_emulator_cpus(k->c->layout, NULL);
	vh_autofree char *here = left_of(k, vh_layout_emulator_cpus(k->c->layout, k->c->rehearse));
	vh_autofree char *libvirt = pinned_to(k, "emulatorpin", NULL, 0);

	if (!all || !here)
		return;
	check_threads(k, "emulator", VH_THREAD_OTHER, 0, plan_text(k, all, here), here, libvirt);
	for (unsigned i = 1; i <= k->c->layout->iothreads; i++) {
		vh_autofree char *pin = pinned_to(k, "iothreadpin", "iothread", i), *what = vh_strf("I/O thread %u", i);

		if (what)
			check_threads(k, what, VH_THREAD_IO, i, plan_text(k, all, here), here, pin);
	}
}

/* --- memory */

/* The host nodes that libvirt binds a guest node to; malloc'd, NULL: none. */
static char *memnode(const struct checking *k, unsigned cell)
{
	xmlNodePtr tune = vh_xml_child(k->domain, NULL, "numatune"), node = vh_xml_child(tune, NULL, "memnode");

	for (; node; node = vh_xml_next(node, NULL, "memnode")) {
		vh_autoxmlstr id = xmlGetNoNsProp(node, BAD_CAST "cellid");
		vh_autoxmlstr nodes = xmlGetNoNsProp(node, BAD_CAST "nodeset");

		if (id && nodes && strtoul((const char *)id, NULL, 10) == cell)
			return strdup((const char *)nodes);
	}
	return NULL;
}

/* The mapping that is bound as libvirt says, or not at all: of several the one after skip others. */
static struct vh_memory *choose_mapping(struct vh_memory *all, size_t n, const char *nodes, unsigned skip)
{
	struct vh_memory *any = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *bound = strncmp(all[i].policy, "bind:", 5) ? NULL : all[i].policy + 5;

		if (nodes ? bound && list_same(nodes, bound) : !bound)
			any = &all[i];
		if (any == &all[i] && !skip--)
			break;
	}
	/* Not bound as said: then the pages of another tell where they are. */
	return any ? any : n ? &all[0] : NULL;
}

/* How many guest nodes before this one have mappings like its. */
static unsigned alike(const struct checking *k, unsigned cell, const char *nodes)
{
	const struct vh_layout *l = k->c->layout;
	unsigned n = 0;

	for (unsigned i = 0; i < cell; i++) {
		vh_autofree char *other = memnode(k, i);

		n += l->cells[i].memory == l->cells[cell].memory && (nodes ? other && list_same(other, nodes) : !other);
	}
	return n;
}

/* "node 0: 512 MiB in 2 MiB", and whether all of it is on that node in such pages. */
static char *describe(const struct vh_memory *m, unsigned node, uint64_t page, bool *ret_ok)
{
	char *text = strdup(""), size[16];

	*ret_ok = !m->page || m->page == page;
	for (unsigned i = 0; i < VH_HOST_NODES_MAX; i++) {
		char *more;

		if (!m->on[i])
			continue;
		*ret_ok = *ret_ok && i == node;
		more = vh_strf("%s%snode %u: %s", text, *text ? ", " : "", i, vh_size_format(size, sizeof(size), m->on[i]));
		free(text);
		text = more;
	}
	if (m->page > 4096) {
		char *more = vh_strf("%s in %s", text, vh_size_format(size, sizeof(size), m->page));

		free(text);
		text = more;
	}
	return text;
}

/* libvirt makes guest nodes of whole MiB. */
static int check_cell(struct checking *k, unsigned cell, struct vh_err *err)
{
	const struct vh_layout_cell *c = &k->c->layout->cells[cell];
	uint64_t bytes = (c->memory + MIB - 1) / MIB * MIB, page = k->c->rehearse ? 4096 : k->c->layout->page;
	vh_autofree struct vh_memory *all = NULL;
	vh_autofree char *libvirt = memnode(k, cell), *node = vh_strf("%u", c->node), *what = NULL, *kernel = NULL;
	const struct vh_thread *main_thread = next_thread(k, VH_THREAD_OTHER, 0, NULL);
	const char *mems = main_thread ? main_thread->mems : NULL;
	bool here = vh_layout_node_is_here(k->c->rehearse, c->node), there = true;
	struct vh_memory *m = NULL;
	char a[16], b[16];
	size_t n = 0;
	int r = k->c->pid ? vh_process_memory(k->c->root, k->c->pid, bytes, &all, &n) : 0;

	what = vh_strf("guest node %u", cell);
	if (r == -ENOMEM || !node || !what)
		return vh_err_nomem(err);
	m = choose_mapping(all, n, libvirt, alike(k, cell, libvirt));
	kernel = m ? describe(m, c->node, page, &there) : NULL;
	if (here && (!libvirt || !list_same(libvirt, node) || (mems && !list_within(node, mems))))
		there = false;
	tell(k, what, vh_strf("node %u: %s in %s%s", c->node, vh_size_format(a, sizeof(a), c->memory),
			     vh_size_format(b, sizeof(b), k->c->layout->page), here ? "" : " (not here)"),
	    libvirt, mems, kernel, !here ? VH_UNKNOWN : there ? VH_OK : VH_WRONG);
	return 0;
}

/* --- devices */

static unsigned address_part(xmlNodePtr address, const char *attr)
{
	vh_autoxmlstr text = xmlGetNoNsProp(address, BAD_CAST attr);

	return text ? (unsigned)strtoul((const char *)text, NULL, 0) : 0;
}

/* Whether libvirt hands over the host's device of that address. */
static bool is_given(const struct checking *k, const char *address)
{
	xmlNodePtr devices = vh_xml_child(k->domain, NULL, "devices");

	for (xmlNodePtr d = devices ? devices->children : NULL; d; d = d->next) {
		xmlNodePtr at = vh_xml_child(vh_xml_child(d, NULL, "source"), NULL, "address");
		char is[24];

		if (!at || (strcmp((const char *)d->name, "hostdev") && strcmp((const char *)d->name, "interface")))
			continue;
		snprintf(is, sizeof(is), "%04x:%02x:%02x.%x", address_part(at, "domain"), address_part(at, "bus"),
			 address_part(at, "slot"), address_part(at, "function"));
		if (!strcmp(is, address))
			return true;
	}
	return false;
}

static void check_device(struct checking *k, const struct vh_layout_device *d)
{
	vh_autofree char *what = vh_strf("%s %s", vh_device_kind_name(d->kind), d->address), *driver = NULL;
	bool given = is_given(k, d->address), right;

	if (!what)
		return;
	if (k->c->pid && !k->c->rehearse)
		vh_root_link_name(k->c->root, &driver, "sys/bus/pci/devices/%s/driver", d->address);
	right = given && (!k->c->pid || (driver && !strcmp(driver, "vfio-pci")));
	tell(k, what, d->cell < 0 ? strdup("on no guest node") : vh_strf("on guest node %d", d->cell),
	    given ? "given" : k->c->rehearse ? "emulated" : NULL, NULL, driver,
	    k->c->rehearse ? VH_UNKNOWN : right ? VH_OK : VH_WRONG);
}

int vh_check(const struct vh_check *c, struct vh_findings *ret, struct vh_err *err)
{
	struct checking k = { .c = c, .findings = ret };
	vh_autoxml doc = NULL;
	int r = vh_xml_parse("domain", c->xml, strlen(c->xml), &doc, err);

	if (r == 0) {
		k.domain = xmlDocGetRootElement(doc);
		if (c->pid && vh_process_threads(c->root, c->pid, &k.threads, &k.n_threads) < 0)
			r = vh_err_set(err, ESRCH, "QEMU's process %s is gone", c->pid);
	}
	for (unsigned v = 0; r == 0 && v < c->layout->vcpus; v++)
		check_vcpu(&k, v);
	if (r == 0)
		check_others(&k);
	for (unsigned i = 0; r == 0 && i < c->layout->n_cells; i++)
		r = check_cell(&k, i, err);
	for (size_t i = 0; r == 0 && i < c->layout->n_devices; i++)
		check_device(&k, &c->layout->devices[i]);
	vh_threads_free(k.threads, k.n_threads);
	return r == 0 && ret->no_memory ? vh_err_nomem(err) : r;
}
