// SPDX-License-Identifier: Apache-2.0
/* Nodes that are domains which somebody else made. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/json.h"
#include "lib/machine.h"
#include "lib/show/finding.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "netctl/netctl.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/plan/network.h"
#include "tools/cluster/plan/pools.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/vm.h"
#include "vmm/want/want.h"

const char *node_domain(const struct node *n)
{
	return n->domain ? n->domain : n->name;
}

bool cluster_is_foreign(const struct cluster *c)
{
	return c->n_nodes + c->n_leaving && c->nodes[0].domain;
}

int cluster_check_own(const struct cluster *c, const char *what, struct vh_err *err)
{
	if (!cluster_is_foreign(c))
		return 0;
	vh_err_refuse(err, EPERM, "cluster %s: its nodes were imported, and %s is not for such nodes", c->name, what);
	return vh_err_hint(err, "who made the domains has their disks, users and keys: ask virsh, or the guest");
}

int foreign_lease(const struct cluster *c, const struct node *n, struct vh_domain_lease *ret, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *holder = vh_strf("vm/%s", node_domain(n));

	if (!holder || vh_layout_lease(n->layout, NULL, holder, c->owner, &lease) < 0 || !(lease.uuid = strdup(n->uuid)))
		return vh_err_nomem(err);
	lease.foreign = true;
	*ret = lease;
	lease = (struct vh_domain_lease){ 0 };
	return 0;
}

/* --- a domain, read */

struct foreign {
	struct vh_foreign is;
	bool differs;		/* it runs otherwise than it is defined */
};

void foreign_free(struct foreign *f)
{
	if (f)
		vh_foreign_clear(&f->is);
	free(f);
}

const char *foreign_uuid(const struct foreign *f)
{
	return f->is.uuid;
}

bool foreign_is_of(const struct foreign *f, const struct node *n)
{
	return n->uuid && !strcmp(f->is.uuid, n->uuid) && !strcmp(f->is.name, node_domain(n));
}

bool foreign_floats(const struct foreign *f)
{
	return f->is.unpinned;
}

static int read_both(struct foreign *f, const char *defined, const char *now, struct vh_err *err)
{
	vh_cleanup(vh_foreign_clear) struct vh_foreign is = { 0 };
	vh_autoroot root = NULL;
	vh_autojson a = NULL;
	vh_autojson b = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_vm_read_foreign(defined, root, &f->is, err);
	if (r == 0)
		r = vh_vm_read_foreign(now, root, &is, err);
	if (r < 0)
		return r;
	a = vh_layout_to_json(f->is.layout);
	b = vh_layout_to_json(is.layout);
	f->differs = !json_equal(a, b);
	return a && b ? 0 : vh_err_nomem(err);
}

int foreign_read(const char *defined, const char *now, struct foreign **ret, struct vh_err *err)
{
	struct foreign *f = calloc(1, sizeof(*f));
	int r = f ? read_both(f, defined, now, err) : vh_err_nomem(err);

	if (r < 0)
		foreign_free(f);
	else
		*ret = f;
	return r;
}

/* --- the manifest's node */

static char *node_name(const struct manifest *m, const struct pool *p, uint64_t number)
{
	return p->name ? vh_strf("%s-%s-%" PRIu64, m->name, p->name, number) : vh_strf("%s-%" PRIu64, m->name, number);
}

/* Which pool the node is of. */
static int find_pool(const struct manifest *m, const char *node, const struct pool **ret, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);

	for (size_t i = 0; i < n; i++)
		for (uint64_t k = 1; k <= pools[i].count; k++) {
			vh_autofree char *name = node_name(m, &pools[i], k);

			if (!name)
				return vh_err_nomem(err);
			if (!strcmp(name, node)) {
				*ret = &pools[i];
				return 0;
			}
		}
	return vh_err_refuse(err, ENOENT, "cluster %s: its manifest has no node %s", m->name, node);
}

/* --- beside the domain */

struct comparing {
	const char *node;
	struct vh_findings *found;
	bool no_memory;
};

/* is and wanted are malloc'd texts, and freed. */
static void compare(struct comparing *c, const char *check, bool same, char *is, char *wanted)
{
	const struct vh_finding f = { .object = c->node, .check = check, .verdict = same ? VH_OK : VH_WRONG, .found = is, .wanted = wanted,
				      .stops = true };

	c->no_memory |= !is || !wanted || !vh_finding_add(c->found, &f);
	free(is);
	free(wanted);
}

static void cannot(struct comparing *c, const char *check, const char *what)
{
	const struct vh_finding f = { .object = c->node, .check = check, .verdict = VH_WRONG, .found = what, .stops = true };

	c->no_memory |= !vh_finding_add(c->found, &f);
}

static void compare_number(struct comparing *c, const char *check, uint64_t is, uint64_t wanted)
{
	compare(c, check, is == wanted, vh_strf("%" PRIu64, is), vh_strf("%" PRIu64, wanted));
}

static char *size_text(uint64_t bytes)
{
	char text[16];

	return strdup(vh_size_format(text, sizeof(text), bytes));
}

static unsigned count_own(const struct vh_layout *l)
{
	unsigned n = 0;

	for (unsigned v = 0; v < l->vcpus; v++)
		n += l->cpu[v] >= 0;
	return n;
}

static char *policy_text(unsigned own, unsigned vcpus)
{
	return own == vcpus ? strdup("dedicated") : own ? vh_strf("mixed: %u dedicated", own) : strdup("shared");
}

static void compare_policy(struct comparing *c, const struct vh_layout *l, const struct vh_want *w)
{
	const unsigned own = count_own(l), wanted = w->policy == VH_WANT_DEDICATED ? w->vcpus : w->policy == VH_WANT_SHARED ? 0 : w->dedicated;
	const bool same = w->policy == VH_WANT_DEDICATED ? own == l->vcpus : own == wanted;

	compare(c, "cpu_policy", same, policy_text(own, l->vcpus), policy_text(wanted, w->vcpus));
}

static void compare_page(struct comparing *c, const struct vh_layout *l, const struct vh_want *w)
{
	const bool same = w->page == VH_PAGE_ANY || (w->page == VH_PAGE_LARGE ? l->page > VH_PAGE_SMALL : l->page == w->page);

	compare(c, "page_size", same, size_text(l->page),
		w->page == VH_PAGE_ANY ? strdup("any") : w->page == VH_PAGE_LARGE ? strdup("large") : size_text(w->page));
}

static unsigned vcpus_of(const struct vh_layout *l, size_t cell)
{
	unsigned n = 0;

	for (unsigned v = 0; v < l->vcpus; v++)
		n += l->cell[v] == cell;
	return n;
}

/* "4:8G,2:4G" */
static char *cells_text(const struct vh_want_cell *cells, size_t n)
{
	vh_autofree char *all = strdup("");

	for (size_t i = 0; all && i < n; i++) {
		vh_autofree char *memory = size_text(cells[i].memory), *before = vh_steal(&all);

		all = memory ? vh_strf("%s%s%u:%s", before, i ? "," : "", cells[i].vcpus, memory) : NULL;
	}
	return vh_steal(&all);
}

static void compare_cells(struct comparing *c, const struct vh_layout *l, const struct vh_want *w)
{
	struct vh_want_cell is[VH_CELLS_MAX];
	bool same = l->n_cells == w->n_cells;

	for (size_t i = 0; i < l->n_cells; i++) {
		is[i] = (struct vh_want_cell){ .vcpus = vcpus_of(l, i), .memory = l->cells[i].memory };
		same &= i < w->n_cells && is[i].vcpus == w->cells[i].vcpus && is[i].memory == w->cells[i].memory;
	}
	if (w->n_cells)
		compare(c, "numa", same, cells_text(is, l->n_cells), cells_text(w->cells, w->n_cells));
}

static void compare_request(struct comparing *c, const struct vh_layout *l, const struct vh_want *w)
{
	unsigned devices = 0;

	compare_number(c, "vcpus", l->vcpus, w->vcpus);
	compare(c, "memory", vh_layout_memory(l) == w->memory, size_text(vh_layout_memory(l)), size_text(w->memory));
	compare_policy(c, l, w);
	compare_page(c, l, w);
	compare_cells(c, l, w);
	compare(c, "emulator", w->emulator == (l->emulator >= 0), strdup(l->emulator >= 0 ? "isolate" : "share"),
		strdup(w->emulator ? "isolate" : "share"));
	compare_number(c, "iothreads", l->iothreads, w->iothreads);
	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		devices += w->devices[k].count;
	if (devices)
		cannot(c, "devices", "of domains that others made devices are not leased");
}

/* "WHAT: why not" */
static void compare_unfit(struct comparing *c, const struct foreign *f)
{
	if (f->differs)
		cannot(c, "domain", "runs otherwise than it is defined");
	for (char **text = f->is.unfit; text && *text; text++) {
		const char *why = strstr(*text, ": ");
		vh_autofree char *check = why ? strndup(*text, (size_t)(why - *text)) : NULL;

		c->no_memory |= !check;
		if (check)
			cannot(c, check, why + 2);
	}
}

/* What is made for nodes that are made with it. */
static void compare_cluster(struct comparing *c, const struct manifest *m)
{
	if (m->users.n)
		cannot(c, "users", "nobody of vhpc's can tell an imported node of users");
	if (m->volumes.n)
		cannot(c, "volumes", "an imported node gets no disks");
	if (m->slurm)
		cannot(c, "slurm", "an imported node has no part in a Slurm");
}

int foreign_compare(const struct manifest *m, const char *node, const struct foreign *f, struct vh_findings *ret, struct vh_err *err)
{
	struct comparing c = { .node = node, .found = ret };
	const struct pool *pool = NULL;
	struct vh_want want;
	int r = find_pool(m, node, &pool, err);

	if (r == 0)
		r = pool_want(pool, node, &want, err);
	if (r < 0)
		return r;
	compare_request(&c, f->is.layout, &want);
	compare_unfit(&c, f);
	compare_cluster(&c, m);
	return c.no_memory ? vh_err_nomem(err) : 0;
}

int foreign_uncompared(const struct manifest *m, const char *node, char ***ret, struct vh_err *err)
{
	vh_autostrv all = NULL;
	const struct pool *p = NULL;
	int r = find_pool(m, node, &p, err);

	if (r < 0)
		return r;
	r = vh_strv_pushf(&all, "image %s: what its disk holds is its own", p->image);
	if (r == 0)
		r = vh_strv_push(&all, "boot and disk: they stay as they are");
	if (r == 0)
		r = vh_strv_push(&all, "threads, place, and numa where it does not say each guest node");
	if (r < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&all);
	return 0;
}

/* --- the cluster with it */

static bool has_node(const struct cluster *c, const char *name)
{
	bool has = false;

	for (size_t i = 0; c && i < c->n_nodes; i++)
		has |= !strcmp(c->nodes[i].name, name);
	return has;
}

/* What was not imported yet, it does without. */
static int fill_missing(struct cluster *c, const struct manifest *m, const char *node, const struct cluster *old, struct vh_err *err)
{
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = 0;

	for (size_t i = 0; i < n; i++)
		for (uint64_t k = 1; r == 0 && k <= pools[i].count; k++) {
			vh_autofree char *name = node_name(m, &pools[i], k);
			const struct missing it = { .name = name, .group = pools[i].name, .why = (char *)"is not imported yet", .sockets = 1,
						    .cores = 1, .threads = 1 };

			if (!name)
				r = -ENOMEM;
			else if (strcmp(name, node) && !has_node(old, name))
				r = missing_add(&c->missing, &it);
		}
	return r < 0 ? vh_err_nomem(err) : 0;
}

/* Of its network and interfaces only the names are taken. */
static int describe(struct cluster *c, const struct manifest *m, const struct vh_root *root, struct vh_err *err)
{
	struct vh_accel accel;
	char bridge[IFNAMSIZ];

	vh_accel_detect(root, &accel);
	vh_net_ifname(bridge, "vb", c->owner, -1);
	c->accel = accel.kvm ? CLUSTER_KVM : CLUSTER_TCG;
	c->accel_why = strdup("as its domains say");
	c->bridge = strdup(bridge);
	c->ready = strdup(m->ready ? m->ready : READY_ALL);
	return c->accel_why && c->bridge && c->ready ? 0 : vh_err_nomem(err);
}

/* The layout as a record takes it: through JSON, which is checked. */
static int take_layout(struct node *n, const struct foreign *f, struct vh_err *err)
{
	vh_autojson doc = vh_layout_to_json(f->is.layout);

	return doc ? vh_layout_from_json(doc, n->layout, err) : vh_err_nomem(err);
}

static int take_domain(struct cluster *c, const char *node, const struct foreign *f, struct vh_err *err)
{
	struct node *n = NULL;

	for (size_t i = 0; i < c->n_nodes; i++)
		if (!strcmp(c->nodes[i].name, node))
			n = &c->nodes[i];
	if (!n || c->n_leaving) {
		vh_err_refuse(err, EEXIST, "cluster %s: has nodes that the manifest has not", c->name);
		return vh_err_hint(err, "say them too; vhpc cluster destroy %s gives all of them back", c->name);
	}
	n->domain = strdup(f->is.name);
	n->uuid = strdup(f->is.uuid);
	if (!n->domain || !n->uuid)
		return vh_err_nomem(err);
	c->pools[n->pool].vcpus = f->is.layout->vcpus;
	return take_layout(n, f, err);
}

int cluster_import(const struct manifest *m, const char *node, const struct foreign *f, const char *state, struct vh_store *store,
		   struct cluster *old, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = old ? cluster_asks_alike(old, m, err) : 0;

	if (r == 0)
		r = vh_root_open(&root, NULL, err);
	if (r == 0)
		r = pools_take(&c, m, NULL, state, root, old, err);
	if (r == 0)
		r = describe(&c, m, root, err);
	if (r == 0)
		r = fill_missing(&c, m, node, old, err);
	if (r == 0 && old)
		c.cidr = old->cidr;
	if (r == 0 && !old)
		r = network_choose(m->network.cidr, manifest_nodes(m), store, true, &c.cidr, err);
	if (r == 0)
		r = nodes_take(&c, old, err);
	if (r == 0)
		r = nodes_address(&c, err);
	if (r == 0)
		r = take_domain(&c, node, f, err);
	if (r < 0)
		return r;
	cluster_take_policy(&c, m);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}
