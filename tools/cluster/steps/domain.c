// SPDX-License-Identifier: Apache-2.0
/* A node's VM: defined, then started. */
#include "tools/cluster/steps/domain.h"

#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/files.h"
#include "tools/cluster/steps/keys.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

enum { LATE_MS = 1500, STOP_MS = 30000 };

int node_state(const struct context *ctx, const struct node *n, const char **ret, struct vh_err *err)
{
	vh_autofree char *owner = NULL;
	int r = 0;

	*ret = NULL;
	if (ctx->virts[n->host])
		r = vh_virt_look(ctx->virts[n->host], node_domain(n), ret, &owner, err);
	if (r == 0 && owner && strcmp(owner, ctx->cluster->owner))
		return vh_err_set(err, EEXIST, "VM %s: a VM of that name is there, of %s", node_domain(n), owner);
	return r;
}

int node_stop(const struct context *ctx, const struct node *n, int deadline_ms, bool force, struct vh_err *err)
{
	int r = vh_virt_stop(ctx->virts[n->host], node_domain(n), deadline_ms, force, err);

	return r < 0 ? r : vh_vm_ended(ctx->virts[n->host], ctx->state, node_domain(n), err);
}

int node_suspend(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	return vh_virt_suspend(ctx->virts[n->host], node_domain(n), err);
}

int node_resume(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	return vh_virt_start(ctx->virts[n->host], node_domain(n), err);
}

/* What the host serves to it does not outlive a reset: virtiofsd ends, where it was not told to let go. */
int node_start_again(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	struct vh_start how = { .owner = ctx->cluster->owner };
	bool started;
	int r;

	if (!cluster_next_served(ctx->cluster, n, NULL))
		return vh_virt_reset(ctx->virts[n->host], n->name, err);
	r = node_stop(ctx, n, 0, true, err);
	return r < 0 ? r : vh_vm_start(ctx->virts[n->host], ctx->state, n->name, &how, &started, err);
}

char *node_object(const struct cluster *c, const struct spot *at)
{
	(void)c;
	return strdup(at->node->name);
}

/* What a node's domain is made of; malloc'd. */
struct parts {
	char *kernel, *initrd, *base, *identity, *log, *hwloc, *nccl;
	struct vh_disk disks[1 + VOLUMES_MAX];	/* its own first; with paths of theirs */
	size_t n_disks;
	struct vh_share shares[VOLUMES_MAX];	/* with directories of theirs */
	size_t n_shares;
};

static void parts_clear(struct parts *p)
{
	free(p->kernel);
	free(p->initrd);
	free(p->base);
	free(p->identity);
	free(p->log);
	free(p->hwloc);
	free(p->nccl);
	for (size_t i = 0; i < p->n_disks; i++)
		free((char *)p->disks[i].path);
	for (size_t i = 0; i < p->n_shares; i++)
		free((char *)p->shares[i].dir);
}

static bool add_disk(struct parts *p, struct vh_disk disk)
{
	p->disks[p->n_disks++] = disk;
	return disk.path;
}

/* Where nothing is mounted on the directory there are no files, and the VM does not start. */
static bool add_share(struct parts *p, const struct cluster *c, const struct volume *v)
{
	vh_autofree char *dir = cluster_served_dir(c, v);
	char *files = dir ? vh_strf("%s/" VOLUME_FILES, dir) : NULL;

	p->shares[p->n_shares++] = (struct vh_share){ .dir = files, .tag = v->name };
	return files;
}

static int parts_of(const struct cluster *c, const struct node *n, struct parts *p, struct vh_err *err)
{
	const struct cluster_pool *pool = cluster_made_of(c, n);
	bool whole;

	*p = (struct parts){
		.kernel = files_of_pool(pool, c->dir, "kernel"), .initrd = files_of_pool(pool, c->dir, "initrd"),
		.base = files_base_disk(pool, c->dir), .identity = node_file(c, n, "identity"),
		.log = node_file(c, n, "console.log"), .hwloc = node_file(c, n, "hwloc.xml"), .nccl = node_file(c, n, "nccl.xml"),
	};
	whole = p->kernel && p->initrd && p->base && p->identity && p->log && p->hwloc && p->nccl &&
		add_disk(p, (struct vh_disk){ .path = node_file(c, n, "disk.qcow2"), .format = "qcow2", .base = p->base });
	for (const struct volume *v = NULL; whole && (v = cluster_next_volume(c, n, v)); )
		whole = add_disk(p, (struct vh_disk){ .path = cluster_volume_disk(c, n, v), .format = "qcow2", .serial = v->name });
	for (const struct volume *v = NULL; whole && (v = cluster_next_data(c, n, v)); )
		whole = add_disk(p, (struct vh_disk){ .path = cluster_data_disk(c, v), .format = "raw", .serial = v->name, .readonly = true });
	for (const struct volume *v = NULL; whole && (v = cluster_next_served(c, n, v)); )
		whole = add_share(p, c, v);
	return whole ? 0 : vh_err_nomem(err);
}

/* NULL: it has none of that kind. */
static const char *if_there(const char *path)
{
	return access(path, F_OK) == 0 ? path : NULL;
}

static int node_xml(const struct cluster *c, const struct node *n, char **ret, struct vh_err *err)
{
	vh_cleanup(parts_clear) struct parts p = { 0 };
	vh_autoroot host = NULL;
	const struct region region = cluster_region(c);
	const struct vh_shmem shmem = { region.name, region.size };
	const struct cluster_pool *pool = cluster_made_of(c, n);
	const bool uefi = pool->wanted.boot == VH_BOOT_UEFI;
	const struct vh_nic nic = { .tap = n->nics[0].tap, .mac = n->nics[0].mac, .queues = 1 };
	struct cluster_user user = { 0 };
	int r = vh_root_open(&host, NULL, err);

	if (r == 0)
		r = parts_of(c, n, &p, err);
	if (r < 0)
		return r;
	return vh_domain_xml(&(struct vh_domain){
		.name = n->name, .uuid = n->uuid, .owner = c->owner,
		.uid = c->uid && cluster_user(c, &user) ? user.uid : 0, .gid = user.gid,
		.kernel = uefi ? NULL : p.kernel, .initrd = uefi ? NULL : p.initrd, .cmdline = uefi ? NULL : pool->image.cmdline,
		.firmware = uefi ? UEFI_FIRMWARE : NULL,
		.disks = p.disks, .n_disks = p.n_disks, .identity = p.identity, .console_log = p.log,
		.hwloc = if_there(p.hwloc), .nccl = if_there(p.nccl),
		.kvm = c->accel == CLUSTER_KVM, .topoext = vh_accel_topoext(host), .layout = n->layout,
		.nics = &nic, .n_nics = 1, .shmem = c->n_nodes > 1 ? &shmem : NULL, .shares = p.shares, .n_shares = p.n_shares,
	}, ret, err);
}

/* Whether an imported node's domain has our mark yet. */
static int is_marked(const struct context *ctx, const struct node *n, bool *ret, struct vh_err *err)
{
	vh_autofree char *owner = NULL;
	const char *state;
	int r = vh_virt_look(ctx->virts[n->host], node_domain(n), &state, &owner, err);

	*ret = owner != NULL;
	return r;
}

/* A domain that is gone is nobody's here to make again. */
static int mark(const struct context *ctx, const struct node *n, const char *state, bool *ret_changed, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	bool marked = false;
	int r = 0;

	if (!state) {
		vh_err_refuse(err, ENOENT, "node %s: its domain %s, which was imported, is gone", n->name, node_domain(n));
		return vh_err_hint(err, "vhpc cluster destroy %s forgets it", ctx->cluster->name);
	}
	r = is_marked(ctx, n, &marked, err);
	if (r < 0 || marked)
		return r;
	r = foreign_lease(ctx->cluster, n, &lease, err);
	if (r == 0)
		r = vh_virt_adopt(ctx->virts[n->host], n->domain, &lease, err);
	*ret_changed = r == 0;
	return r;
}

static int domain_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *xml = NULL, *dir = node_file(ctx->cluster, at->node, "");
	const char *state = NULL;
	int r = dir ? node_state(ctx, at->node, &state, err) : vh_err_nomem(err);

	*ret_changed = false;
	if (r == 0 && at->node->domain)
		return mark(ctx, at->node, state, ret_changed, err);
	if (r < 0 || state)
		return r;
	r = vh_vm_tell_guest(dir, at->node->layout, err);
	if (r == 0)
		r = node_xml(ctx->cluster, at->node, &xml, err);
	if (r == 0)
		r = vh_virt_define(ctx->virts[at->host], xml, err);
	*ret_changed = r == 0;
	return r;
}

static int domain_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	const struct node *n = at->node;

	if (n->domain)
		return vh_virt_release(ctx->virts[n->host], n->domain, n->uuid, ctx->cluster->owner, err);
	return vh_virt_remove(ctx->virts[n->host], n->name, ctx->cluster->owner, err);
}

static int domain_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	const char *state;
	bool marked = true;
	int r = node_state(ctx, at->node, &state, err);

	if (r == 0 && state && at->node->domain)
		r = is_marked(ctx, at->node, &marked, err);
	if (r < 0)
		return r;
	if (!marked)
		*ret = (struct look){ LOOK_OTHER, "is not marked as this cluster's", NULL };
	else if (!state)
		*ret = (struct look){ LOOK_MISSING, "is not defined", NULL };
	else if (cluster_is_behind(ctx->cluster, at->node) && at->node->other)
		*ret = (struct look){ LOOK_OTHER, "has other vCPUs or memory than are wanted", "a restart" };
	else
		*ret = (struct look){ .is = LOOK_SAME };
	return 0;
}

/* What a killed run asked of libvirt is done when libvirt comes to it. */
const struct step step_domain = { "domain", ONCE_A_NODE, domain_apply, domain_undo, domain_look, node_object,
				  .again = true, .late_ms = LATE_MS };

/* A node gets a new identity when it starts. */
static int stop_marked(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	vh_autofree char *mark = node_file(ctx->cluster, at->node, RESTART_MARK);
	int r = mark ? 0 : vh_err_nomem(err);

	if (r < 0 || access(mark, F_OK) < 0)
		return r;
	r = vh_virt_stop(ctx->virts[at->host], at->node->name, STOP_MS, true, err);
	return r < 0 ? r : vh_remove_tree(mark, err);
}

static int start_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	struct vh_start how = { .owner = ctx->cluster->owner, .planned = at->node->is_new ? ctx->store : NULL };
	int r = stop_marked(ctx, at, err);

	if (r == 0)
		r = vh_vm_start(ctx->virts[at->host], ctx->state, node_domain(at->node), &how, ret_changed, err);
	*ret_changed |= r == 0 && !strcmp(how.was, "paused");
	return r;
}

int node_nothing_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	(void)ctx;
	(void)at;
	(void)err;
	return 0;
}

/* libvirt's words, as causes. */
static int start_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	static const struct { const char *state, *cause; } causes[] = {
		{ "paused", "is paused" }, { "shut off", "is off" }, { "crashed", "has crashed" },
		{ "in shutdown", "is shutting down" }, { "suspended", "sleeps" },
	};
	const char *state;
	int r = node_state(ctx, at->node, &state, err);

	if (r < 0)
		return r;
	*ret = state ? (struct look){ .is = LOOK_SAME } : (struct look){ LOOK_MISSING, "is not there", NULL };
	for (size_t i = 0; state && i < vh_array_len(causes); i++)
		if (!strcmp(state, causes[i].state))
			*ret = (struct look){ LOOK_OTHER, causes[i].cause, NULL };
	return 0;
}

const struct step step_start = { "start", ONCE_A_NODE, start_apply, node_nothing_undo, start_look, node_object, .again = false };
