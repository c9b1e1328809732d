// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cluster.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"

enum { DEFAULT_POOL_PREFIX = 16, DEFAULT_PREFIX = 24, LARGEST_DEFAULT_PREFIX = 20 };
static const char default_pool[] = "10.119.0.0/16";

void plan_clear(struct plan *p)
{
	for (size_t i = 0; i < p->n_nodes; i++) {
		struct node_plan *n = &p->nodes[i];

		free(n->name);
		free(n->address);
		free(n->mac);
		free(n->uuid);
		vh_layout_clear(&n->layout);
	}
	free(p->nodes);
	free(p->name);
	free(p->owner);
	free(p->dir);
	free(p->image);
	free(p->image_digest);
	free(p->suite);
	free(p->kernel_cmdline);
	free(p->user);
	free(p->mpi);
	free(p->mpi_version);
	free(p->accel_why);
	*p = (struct plan){ 0 };
}

int plan_host_address(const struct plan *p, char buf[24])
{
	char host[16];

	return snprintf(buf, 24, "%s/%u", vh_cidr_host(&p->cidr, 1, host), p->cidr.prefix);
}

struct plan_region plan_region(const struct plan *p)
{
	const uint64_t least = 16ull << 20, most = 4ull << 30, channel = 256 << 10, ranks = p->n_nodes * p->vcpus;
	struct plan_region r = { .size = least };
	const char *id = p->n_nodes ? p->nodes[0].uuid : NULL;

	while (r.size < most && r.size < 2 * ranks * ranks * channel)
		r.size *= 2;
	/* Clusters of the same name in other state directories share /dev/shm with this one. */
	snprintf(r.name, sizeof(r.name), "vhpc-%s", id ? id : p->name);
	return r;
}

/* --- network */

struct nets { struct vh_cidr *v; size_t n; };

static void nets_clear(struct nets *nets)
{
	free(nets->v);
}

static const struct vh_cidr *overlapping(const struct nets *nets, const struct vh_cidr *net)
{
	for (size_t i = 0; i < nets->n; i++)
		if (vh_cidr_overlap(&nets->v[i], net))
			return &nets->v[i];
	return NULL;
}

/* What this host has addresses in or routes to, and what other clusters lease. */
static int nets_taken(struct vh_store *store, bool live, struct nets *ret, struct vh_err *err)
{
	vh_cleanup(nets_clear) struct nets nets = { 0 };
	struct vh_lease *leases = NULL;
	struct vh_cidr *grown;
	size_t n = 0;
	int r = live ? vh_net_in_use(&nets.v, &nets.n, err) : 0;

	if (r == 0)
		r = vh_lease_list(store, "subnet", NULL, &leases, &n, err);
	if (r < 0)
		return r;
	grown = reallocarray(nets.v, nets.n + n + 1, sizeof(*grown));
	if (!grown) {
		vh_lease_free(leases, n);
		return vh_err_nomem(err);
	}
	nets.v = grown;
	for (size_t i = 0; i < n; i++)
		if (vh_cidr_parse(leases[i].key, &nets.v[nets.n], err) == 0)
			nets.n++;
	vh_lease_free(leases, n);
	*ret = nets;
	nets = (struct nets){ 0 };
	return 0;
}

static int wanted_net(const char *cidr, const struct nets *taken, uint64_t nodes, struct vh_cidr *ret, struct vh_err *err)
{
	const struct vh_cidr *other;
	char text[19];
	int r = vh_cidr_parse(cidr, ret, err);

	if (r < 0)
		return r;
	if (vh_cidr_hosts(ret) < nodes + 1)
		return vh_err_refuse(err, ERANGE, "network %s: %" PRIu64 " addresses wanted (a node each and the host), %u there",
				     cidr, nodes + 1, vh_cidr_hosts(ret));
	other = overlapping(taken, ret);
	if (other) {
		vh_err_refuse(err, EADDRINUSE, "network %s: overlaps %s, which is in use on this host", cidr,
			      vh_cidr_format(other, text));
		return vh_err_hint(err, "leave network.cidr out to have a free one chosen");
	}
	return 0;
}

static int free_net(const struct nets *taken, uint64_t nodes, struct vh_cidr *ret, struct vh_err *err)
{
	struct vh_cidr pool, net;
	int r = vh_cidr_parse(default_pool, &pool, err);

	if (r < 0)
		return r;
	net.prefix = DEFAULT_PREFIX;
	for (net.base = pool.base; vh_cidr_hosts(&net) < nodes + 1 && net.prefix > LARGEST_DEFAULT_PREFIX; )
		net.prefix--;
	for (; net.base >> (32 - DEFAULT_POOL_PREFIX) == pool.base >> (32 - DEFAULT_POOL_PREFIX);
	     net.base += 1u << (32 - net.prefix))
		if (!overlapping(taken, &net)) {
			*ret = net;
			return 0;
		}
	vh_err_refuse(err, EADDRNOTAVAIL, "no free /%u is left in %s", net.prefix, default_pool);
	return vh_err_hint(err, "name one with network.cidr");
}

static int choose_net(const struct manifest *m, struct vh_store *store, bool live, struct plan *p, struct vh_err *err)
{
	vh_cleanup(nets_clear) struct nets taken = { 0 };
	int r = nets_taken(store, live, &taken, err);

	if (r < 0)
		return r;
	return m->network.cidr ? wanted_net(m->network.cidr, &taken, m->nodes, &p->cidr, err)
			       : free_net(&taken, m->nodes, &p->cidr, err);
}

/* --- placement */

static int place_nodes(struct plan *p, const struct vh_cli *cli, const struct vh_root *root, struct vh_store *store,
		       struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_autofree struct vh_request *reqs = calloc(p->n_nodes, sizeof(*reqs));
	struct vh_layout *layouts = NULL;
	int r;

	if (!reqs)
		return vh_err_nomem(err);
	for (size_t i = 0; i < p->n_nodes; i++)
		reqs[i] = (struct vh_request){
			.name = p->nodes[i].name,
			.vcpus = (unsigned)p->vcpus,
			.memory = p->memory,
			.policy = (enum vh_cpu_policy)p->cpu_policy,
		};
	r = vh_host_load(root, NULL, &host, err);
	if (r == 0)
		r = vh_taken_load(store, root, host, &taken, err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_taken_add_running(&taken, cli, host, err);
	if (r == 0)
		r = vh_place(host, &taken, reqs, p->n_nodes, &layouts, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n_nodes; i++)
		p->nodes[i].layout = layouts[i];
	free(layouts);
	return 0;
}

static int name_nodes(struct plan *p, size_t n, struct vh_err *err)
{
	char mac[18];

	p->nodes = calloc(n, sizeof(*p->nodes));
	if (!p->nodes)
		return vh_err_nomem(err);
	p->n_nodes = n;
	for (size_t i = 0; i < n; i++) {
		struct node_plan *node = &p->nodes[i];

		vh_net_mac(mac, p->owner, (unsigned)i + 1);
		node->name = vh_strf("%s-%zu", p->name, i + 1);
		node->mac = strdup(mac);
		vh_net_ifname(node->tap, "vt", p->owner, (int)i + 1);
		if (!node->name || !node->mac)
			return vh_err_nomem(err);
	}
	return 0;
}

/* The host has the first address, nodes the ones that follow. */
static int address_nodes(struct plan *p, struct vh_err *err)
{
	char address[16];

	for (size_t i = 0; i < p->n_nodes; i++) {
		p->nodes[i].address = strdup(vh_cidr_host(&p->cidr, (uint32_t)i + 2, address));
		if (!p->nodes[i].address)
			return vh_err_nomem(err);
	}
	return 0;
}

static int check_boot(const struct manifest *m, const struct vh_image *image, const struct vh_root *root,
		      struct vh_err *err)
{
	char want[16], least[16];
	int r = vh_image_check_boot(image, (enum vh_boot)m->boot, err);

	if (r < 0)
		return r;
	if (m->boot == VH_BOOT_UEFI && vh_root_is_live(root) && !vh_root_exists(root, &UEFI_FIRMWARE[1])) {
		vh_err_refuse(err, ENOENT, "no UEFI firmware: %s", UEFI_FIRMWARE);
		return vh_err_hint(err, "apt-get install ovmf");
	}
	if (m->disk && m->disk < vh_image_disk_size(image, (enum vh_boot)m->boot))
		return vh_err_refuse(err, ERANGE, "disk: %s, the image needs %s", vh_size_format(want, sizeof(want), m->disk),
				     vh_size_format(least, sizeof(least), vh_image_disk_size(image, (enum vh_boot)m->boot)));
	return 0;
}

static int describe(const struct manifest *m, const struct vh_image *image, const struct vh_cli *cli,
		    const struct vh_root *root, struct plan *p, struct vh_err *err)
{
	struct vh_accel accel;

	vh_accel_detect(root, &accel);
	p->kvm = accel.kvm;
	p->vcpus = m->vcpus;
	p->memory = m->memory;
	p->cpu_policy = m->cpu_policy;
	p->boot = m->boot;
	p->disk = m->disk;
	p->name = strdup(m->name);
	p->owner = vh_strf("cluster/%s", m->name);
	p->dir = vh_strf("%s/clusters/%s", cli->state, m->name);
	p->image = strdup(image->name);
	p->image_digest = strdup(image->digest);
	p->suite = strdup(image->suite);
	p->kernel_cmdline = strdup(image->cmdline[m->boot]);
	p->user = strdup(image->user);
	p->mpi = strdup(image->mpi);
	p->mpi_version = strdup(image->mpi_version);
	p->accel_why = strdup(accel.why);
	if (!p->name || !p->owner || !p->dir || !p->image || !p->image_digest || !p->suite || !p->kernel_cmdline ||
	    !p->user || !p->mpi || !p->mpi_version || !p->accel_why)
		return vh_err_nomem(err);
	vh_net_ifname(p->bridge, "vb", p->owner, -1);
	return 0;
}

int plan_make(const struct manifest *m, const struct vh_image *image, const struct vh_cli *cli,
	      struct vh_store *store, struct plan *ret, struct vh_err *err)
{
	vh_cleanup(plan_clear) struct plan p = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, cli->root, err);

	if (r == 0)
		r = check_boot(m, image, root, err);
	if (r == 0)
		r = describe(m, image, cli, root, &p, err);
	if (r == 0)
		r = name_nodes(&p, m->nodes, err);
	if (r == 0)
		r = place_nodes(&p, cli, root, store, err);
	if (r == 0)
		r = choose_net(m, store, vh_root_is_live(root), &p, err);
	if (r == 0)
		r = address_nodes(&p, err);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = p;
	p = (struct plan){ 0 };
	return 0;
}

static int differs(const struct plan *p, struct vh_err *err, const char *key, const char *is, const char *wanted)
{
	vh_err_refuse(err, EEXIST, "cluster %s exists with another shape: %s is %s, the manifest says %s",
		      p->name, key, is, wanted);
	return vh_err_hint(err, "vhpc cluster destroy %s first, or give the manifest another name", p->name);
}

static int differs_number(const struct plan *p, struct vh_err *err, const char *key, uint64_t is, uint64_t wanted)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%" PRIu64, is);
	snprintf(b, sizeof(b), "%" PRIu64, wanted);
	return differs(p, err, key, a, b);
}

int plan_matches(const struct plan *p, const struct manifest *m, struct vh_err *err)
{
	static const char *const policies[] = { "dedicated", "shared" };
	struct vh_cidr wanted = p->cidr;
	char cidr[19];

	if (m->network.cidr && vh_cidr_parse(m->network.cidr, &wanted, err) < 0)
		return -err->num;
	vh_cidr_format(&p->cidr, cidr);
	if (strcmp(p->image, m->image))
		return differs(p, err, "image", p->image, m->image);
	if (p->n_nodes != m->nodes)
		return differs_number(p, err, "nodes", p->n_nodes, m->nodes);
	if (p->vcpus != m->vcpus)
		return differs_number(p, err, "vcpus", p->vcpus, m->vcpus);
	if (p->memory != m->memory)
		return differs_number(p, err, "memory", p->memory, m->memory);
	if (p->cpu_policy != m->cpu_policy)
		return differs(p, err, "cpu_policy", policies[p->cpu_policy], policies[m->cpu_policy]);
	if (p->boot != m->boot)
		return differs(p, err, "boot", vh_boot_names[p->boot], vh_boot_names[m->boot]);
	if (p->disk != m->disk)
		return differs_number(p, err, "disk", p->disk, m->disk);
	if (wanted.base != p->cidr.base || wanted.prefix != p->cidr.prefix)
		return differs(p, err, "network.cidr", cidr, m->network.cidr);
	return 0;
}
