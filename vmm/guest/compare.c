// SPDX-License-Identifier: Apache-2.0
/* What a guest's own hwloc says of it, beside its layout. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/guest/guest.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"

/* Of a guest node's memory its kernel keeps some for itself before it counts. */
enum { MEMORY_PERCENT = 75 };

struct telling {
	const char *object;
	struct vh_findings *findings;
};

/* All texts are freed. */
static void tell(const struct telling *t, char *what, char *plan, char *guest, bool ok)
{
	vh_finding_add(t->findings, &(struct vh_finding){ .object = t->object, .check = what ? what : "", .wanted = plan,
							  .verdict = ok ? VH_OK : VH_WRONG, .found = guest });
	free(what);
	free(plan);
	free(guest);
}

/* How many cores, say: the distinct values of that member of the CPUs. */
static unsigned count(const struct vh_host *h, unsigned (*of)(const struct vh_host_cpu *))
{
	unsigned n = 0;

	for (size_t i = 0; i < h->n_cpus; i++) {
		size_t k = 0;

		while (k < i && of(&h->cpus[k]) != of(&h->cpus[i]))
			k++;
		n += k == i;
	}
	return n;
}

static unsigned package_of(const struct vh_host_cpu *c) { return c->package; }
static unsigned core_of(const struct vh_host_cpu *c) { return c->core; }

static void compare_processor(const struct vh_layout *l, const struct vh_host *h, const struct telling *t)
{
	unsigned packages = count(h, package_of), cores = count(h, core_of), want = l->sockets * l->dies * l->cores;

	tell(t, strdup("processor"), vh_strf("%u packages, %u cores, %u vCPUs", l->sockets, want, l->vcpus),
	    vh_strf("%u packages, %u cores, %zu vCPUs", packages, cores, h->n_cpus),
	    packages == l->sockets && cores == want && h->n_cpus == l->vcpus);
}

static char *vcpus_of_cell(const struct vh_layout *l, size_t cell)
{
	vh_autofree unsigned *v = calloc(l->vcpus + 1, sizeof(*v));
	size_t n = 0;

	for (unsigned i = 0; v && i < l->vcpus; i++)
		if (l->cell[i] == cell)
			v[n++] = i;
	return v ? vh_cpu_list(v, n) : NULL;
}

static char *cpus_of_node(const struct vh_host *h, unsigned node)
{
	vh_autofree unsigned *v = calloc(h->n_cpus + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; v && i < h->n_cpus; i++)
		if (h->cpus[i].node == node)
			v[n++] = h->cpus[i].id;
	return v ? vh_cpu_list(v, n) : NULL;
}

static const struct vh_host_node *find_node(const struct vh_host *h, unsigned id)
{
	for (size_t i = 0; i < h->n_nodes; i++)
		if (h->nodes[i].id == id)
			return &h->nodes[i];
	return NULL;
}

static void compare_cell(const struct vh_layout *l, const struct vh_host *h, size_t cell, const struct telling *t)
{
	const struct vh_host_node *node = find_node(h, (unsigned)cell);
	uint64_t memory = l->cells[cell].memory;
	char want[16], is[16];
	char *vcpus = vcpus_of_cell(l, cell), *cpus = node ? cpus_of_node(h, node->id) : NULL;

	tell(t, vh_strf("guest node %zu: vCPUs", cell), vcpus ? strdup(vcpus) : NULL, cpus ? strdup(cpus) : NULL,
	    vcpus && cpus && !strcmp(vcpus, cpus));
	free(vcpus);
	free(cpus);
	tell(t, vh_strf("guest node %zu: memory", cell), strdup(vh_size_format(want, sizeof(want), memory)),
	    node ? strdup(vh_size_format(is, sizeof(is), node->memory)) : NULL,
	    node && node->memory <= memory && node->memory >= memory / 100 * MEMORY_PERCENT);
}

static void compare_distances(const struct vh_layout *l, const struct vh_host *h, size_t cell, const struct telling *t)
{
	const struct vh_host_node *from = find_node(h, (unsigned)cell);
	char *want = strdup(""), *is = strdup("");
	bool ok = from;

	for (size_t k = 0; k < l->n_cells; k++) {
		const struct vh_host_node *to = find_node(h, (unsigned)k);
		unsigned d = l->distances[cell * l->n_cells + k];
		unsigned seen = from && to ? vh_host_distance(h, (size_t)(from - h->nodes), (size_t)(to - h->nodes)) : 0;
		char *a = vh_strf("%s%s%u", want, k ? "," : "", d), *b = vh_strf("%s%s%u", is, k ? "," : "", seen);

		free(want);
		free(is);
		want = a;
		is = b;
		ok = ok && seen == d;
	}
	tell(t, vh_strf("guest node %zu: distances", cell), want, is, ok);
}

static int compare_devices(const struct vh_layout *l, const struct vh_host *h, const char *xml, const struct telling *t,
			   struct vh_err *err)
{
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };
	char addresses[VH_PLAN_DEVICES_MAX][20];
	int nodes[VH_PLAN_DEVICES_MAX], r;

	if (vh_guest_pci(l, &pci) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < l->n_devices; i++)
		vh_guest_address(&pci, i, addresses[i]);
	r = vh_host_find_devices(xml, addresses, l->n_devices, nodes, err);
	for (size_t i = 0; r == 0 && i < l->n_devices; i++) {
		const struct vh_layout_device *d = &l->devices[i];
		int is = nodes[i] < 0 ? -1 : (int)h->nodes[nodes[i]].id;

		if (!*addresses[i])
			continue;
		tell(t, vh_strf("%s %s", vh_device_kind_name(d->kind), d->address),
		    vh_strf("%s on guest node %d", addresses[i], d->cell),
		    nodes[i] == VH_NO_DEVICE ? strdup("not there") :
		    is < 0 ? vh_strf("%s on none", addresses[i]) : vh_strf("%s on guest node %d", addresses[i], is),
		    is >= 0 && is == d->cell);
	}
	return r;
}

int vh_guest_compare(const struct vh_layout *l, const char *name, const char *xml, struct vh_findings *ret,
		     struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *h = NULL;
	vh_autofree char *inside = vh_strf("inside %s", name);
	const struct telling t = { inside, ret };
	int r = vh_host_load(NULL, xml, &h, err);

	if (r < 0)
		return r;
	if (!inside)
		return vh_err_nomem(err);
	compare_processor(l, h, &t);
	for (size_t i = 0; i < l->n_cells; i++) {
		compare_cell(l, h, i, &t);
		if (l->n_cells > 1)
			compare_distances(l, h, i, &t);
	}
	r = compare_devices(l, h, xml, &t, err);
	return r == 0 && ret->no_memory ? vh_err_nomem(err) : r;
}
