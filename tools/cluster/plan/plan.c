// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/plan/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/region.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/plan/network.h"

void cluster_clear(struct cluster *c)
{
	for (size_t i = 0; i < c->n_nodes; i++) {
		struct node *n = &c->nodes[i];

		free(n->name);
		free(n->address);
		free(n->mac);
		free(n->uuid);
		vh_layout_clear(&n->layout);
	}
	free(c->nodes);
	free(c->name);
	free(c->owner);
	free(c->dir);
	free(c->image);
	free(c->image_digest);
	free(c->suite);
	free(c->kernel_cmdline);
	free(c->user);
	free(c->mpi);
	free(c->mpi_version);
	free(c->accel_why);
	*c = (struct cluster){ 0 };
}

int cluster_host_address(const struct cluster *c, char buf[24])
{
	char host[16];

	return snprintf(buf, 24, "%s/%u", vh_cidr_host(&c->cidr, 1, host), c->cidr.prefix);
}

struct region cluster_region(const struct cluster *c)
{
	struct region r = { .size = vh_region_size(c->n_nodes * c->vcpus) };
	const char *id = c->n_nodes ? c->nodes[0].uuid : NULL;

	/* Clusters of the same name in other state directories share /dev/shm with this one. */
	snprintf(r.name, sizeof(r.name), "vhpc-%s", id ? id : c->name);
	return r;
}

static int place_nodes(struct cluster *c, const struct vh_cli *cli, const struct vh_root *root, struct vh_store *store,
		       struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	vh_autofree struct vh_request *reqs = calloc(c->n_nodes, sizeof(*reqs));
	struct vh_layout *layouts = NULL;
	int r;

	if (!reqs)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->n_nodes; i++)
		reqs[i] = (struct vh_request){
			.name = c->nodes[i].name,
			.vcpus = (unsigned)c->vcpus,
			.memory = c->memory,
			.policy = (enum vh_cpu_policy)c->cpu_policy,
		};
	r = vh_host_load(root, NULL, &host, err);
	if (r == 0)
		r = vh_taken_load(store, root, host, &taken, err);
	if (r == 0 && vh_root_is_live(root))
		r = vh_taken_add_running(&taken, cli, host, err);
	if (r == 0)
		r = vh_place(host, &taken, reqs, c->n_nodes, &layouts, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n_nodes; i++)
		c->nodes[i].layout = layouts[i];
	free(layouts);
	return 0;
}

static int name_nodes(struct cluster *c, size_t n, struct vh_err *err)
{
	char mac[18];

	c->nodes = calloc(n, sizeof(*c->nodes));
	if (!c->nodes)
		return vh_err_nomem(err);
	c->n_nodes = n;
	for (size_t i = 0; i < n; i++) {
		struct node *node = &c->nodes[i];

		vh_net_mac(mac, c->owner, (unsigned)i + 1);
		node->name = vh_strf("%s-%zu", c->name, i + 1);
		node->mac = strdup(mac);
		vh_net_ifname(node->tap, "vt", c->owner, (int)i + 1);
		if (!node->name || !node->mac)
			return vh_err_nomem(err);
	}
	return 0;
}

/* The host has the first address, nodes the ones that follow. */
static int address_nodes(struct cluster *c, struct vh_err *err)
{
	char address[16];

	for (size_t i = 0; i < c->n_nodes; i++) {
		c->nodes[i].address = strdup(vh_cidr_host(&c->cidr, (uint32_t)i + 2, address));
		if (!c->nodes[i].address)
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
		    const struct vh_root *root, struct cluster *c, struct vh_err *err)
{
	struct vh_accel accel;

	vh_accel_detect(root, &accel);
	c->kvm = accel.kvm;
	c->vcpus = m->vcpus;
	c->memory = m->memory;
	c->cpu_policy = m->cpu_policy;
	c->boot = m->boot;
	c->disk = m->disk;
	c->name = strdup(m->name);
	c->owner = vh_strf("cluster/%s", m->name);
	c->dir = vh_strf("%s/clusters/%s", cli->state, m->name);
	c->image = strdup(image->name);
	c->image_digest = strdup(image->digest);
	c->suite = strdup(image->suite);
	c->kernel_cmdline = strdup(image->cmdline[m->boot]);
	c->user = strdup(image->user);
	c->mpi = strdup(image->mpi);
	c->mpi_version = strdup(image->mpi_version);
	c->accel_why = strdup(accel.why);
	if (!c->name || !c->owner || !c->dir || !c->image || !c->image_digest || !c->suite || !c->kernel_cmdline ||
	    !c->user || !c->mpi || !c->mpi_version || !c->accel_why)
		return vh_err_nomem(err);
	vh_net_ifname(c->bridge, "vb", c->owner, -1);
	return 0;
}

int cluster_plan(const struct manifest *m, const struct vh_image *image, const struct vh_cli *cli,
	      struct vh_store *store, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, cli->root, err);

	if (r == 0)
		r = check_boot(m, image, root, err);
	if (r == 0)
		r = describe(m, image, cli, root, &c, err);
	if (r == 0)
		r = name_nodes(&c, m->nodes, err);
	if (r == 0)
		r = place_nodes(&c, cli, root, store, err);
	if (r == 0)
		r = network_choose(m, store, vh_root_is_live(root), &c.cidr, err);
	if (r == 0)
		r = address_nodes(&c, err);
	if (r < 0)
		return vh_err_within(err, "cluster %s", m->name);
	*ret = c;
	c = (struct cluster){ 0 };
	return 0;
}
