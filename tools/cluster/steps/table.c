// SPDX-License-Identifier: Apache-2.0
/* The steps of a cluster, each with its undo. One table: the plan prints it, apply walks
 * it forwards, undo backwards. */
#include "tools/cluster/steps/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/json.h"
#include "tools/cluster/steps/files.h"
#include "tools/cluster/steps/ready.h"

enum { STOP_MS = 30000, LATE_MS = 1500 };

/* --- the cluster's directory: keys, identities, the files that nodes boot */

static char *files_object(const struct cluster *c, const struct node *n)
{
	(void)n;
	return strdup(c->dir);
}

static int files_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	(void)n;
	return files_make(ctx->cluster, ctx->image, ret_changed, err);
}

static int files_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", ctx->cluster->dir);
	int r;

	(void)n;
	if (!part)
		return vh_err_nomem(err);
	r = vh_remove_tree(part, err);
	return r < 0 ? r : vh_remove_tree(ctx->cluster->dir, err);
}

/* --- the memory that the nodes share for MPI: for root and for whom QEMU runs as */

static char *region_object(const struct cluster *c, const struct node *n)
{
	(void)n;
	return strdup(cluster_region(c).name);
}

/* Of this size, and QEMU's own where QEMU is not root; a run may have been killed in between. */
static int settle_region(int fd, const struct region *region, bool *changed, struct vh_err *err)
{
	static const char *const users[] = { "libvirt-qemu", "qemu" };
	const struct passwd *user = NULL;
	struct stat st;

	for (size_t i = 0; geteuid() == 0 && !user && i < vh_array_len(users); i++)
		user = getpwnam(users[i]);
	if (fstat(fd, &st) == 0 && st.st_size == (off_t)region->size && (!user || st.st_uid == user->pw_uid))
		return 0;
	*changed = true;
	if (ftruncate(fd, (off_t)region->size) == 0 && (!user || fchown(fd, user->pw_uid, user->pw_gid) == 0))
		return 0;
	return vh_err_set(err, errno, "shared memory %s: %s", region->name, strerror(errno));
}

/* Opened first without O_CREAT: in a sticky directory the kernel may refuse that with
 * another user's file even to root. */
static int region_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);
	vh_autoclose int fd = -1;

	(void)n;
	*ret_changed = false;
	if (ctx->cluster->n_nodes < 2)
		return 0;
	fd = shm_open(region.name, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		fd = shm_open(region.name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vh_err_set(err, errno, "shared memory %s: %s", region.name, strerror(errno));
	return settle_region(fd, &region, ret_changed, err);
}

static int region_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	const struct region region = cluster_region(ctx->cluster);

	(void)n;
	if (shm_unlink(region.name) < 0 && errno != ENOENT)
		return vh_err_set(err, errno, "shared memory %s: %s", region.name, strerror(errno));
	return 0;
}

/* --- bridge and taps */

static char *bridge_object(const struct cluster *c, const struct node *n)
{
	(void)n;
	return strdup(c->bridge);
}

static int bridge_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	char address[24];

	(void)n;
	cluster_host_address(ctx->cluster, address);
	return vh_net_bridge(ctx->cluster->bridge, address, ctx->cluster->owner, ret_changed, err);
}

static int bridge_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	(void)n;
	return vh_net_remove(ctx->cluster->bridge, ctx->cluster->owner, err);
}

/* NULL: the node has no VM yet. One of that name that is not the cluster's is left alone. */
static int node_state(const struct context *ctx, const struct node *n, const char **ret, struct vh_err *err)
{
	vh_autofree char *owner = NULL;
	int r = vh_virt_state(ctx->virt, n->name, ret, err);

	if (r == 0 && *ret)
		r = vh_virt_owner(ctx->virt, n->name, &owner, err);
	if (r == 0 && owner && strcmp(owner, ctx->cluster->owner))
		return vh_err_set(err, EEXIST, "VM %s: a VM of that name is there, of %s", n->name, owner);
	return r;
}

static char *tap_object(const struct cluster *c, const struct node *n)
{
	(void)c;
	return strdup(n->tap);
}

static int tap_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	const char *state = NULL;
	int r = 0;

	/* A VM that ran on while its tap was lost gets its network back by a restart alone. */
	if (if_nametoindex(n->tap) == 0)
		r = node_state(ctx, n, &state, err);
	if (r == 0 && state)
		r = vh_virt_stop(ctx->virt, n->name, STOP_MS, true, err);
	return r < 0 ? r : vh_net_tap(n->tap, ctx->cluster->bridge, 1, ctx->cluster->owner, ret_changed, err);
}

static int tap_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	return vh_net_remove(n->tap, ctx->cluster->owner, err);
}

/* --- disk */

static char *disk_object(const struct cluster *c, const struct node *n)
{
	return node_file(c, n, "disk.qcow2");
}

static int disk_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	return files_make_disk(ctx->cluster, n, ret_changed, err);
}

static int disk_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	vh_autofree char *disk = node_file(ctx->cluster, n, "disk.qcow2");

	return disk ? vh_remove_tree(disk, err) : vh_err_nomem(err);
}

/* --- domain */

static char *node_object(const struct cluster *c, const struct node *n)
{
	(void)c;
	return strdup(n->name);
}

static int node_xml(const struct cluster *c, const struct node *n, char **ret, struct vh_err *err)
{
	vh_autofree char *kernel = vh_strf("%s/kernel", c->dir), *initrd = vh_strf("%s/initrd", c->dir);
	vh_autofree char *disk = node_file(c, n, "disk.qcow2"), *identity = node_file(c, n, "identity");
	vh_autofree char *log = node_file(c, n, "console.log");
	const struct region region = cluster_region(c);
	const struct vh_shmem shmem = { region.name, region.size };
	const bool uefi = c->boot == VH_BOOT_UEFI;
	const struct vh_nic nic = { .tap = n->tap, .mac = n->mac, .queues = 1 };
	const struct vh_disk root = { disk, "qcow2" };
	const struct vh_domain d = {
		.name = n->name, .uuid = n->uuid, .owner = c->owner,
		.kernel = uefi ? NULL : kernel, .initrd = uefi ? NULL : initrd, .cmdline = uefi ? NULL : c->kernel_cmdline,
		.firmware = uefi ? UEFI_FIRMWARE : NULL,
		.disks = &root, .n_disks = 1, .identity = identity, .console_log = log,
		.kvm = c->kvm, .layout = &n->layout,
		.nics = &nic, .n_nics = 1, .shmem = c->n_nodes > 1 ? &shmem : NULL,
	};

	if (!kernel || !initrd || !disk || !identity || !log)
		return vh_err_nomem(err);
	return vh_domain_xml(&d, ret, err);
}

static int domain_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *xml = NULL;
	const char *state = NULL;
	int r = node_state(ctx, n, &state, err);

	*ret_changed = false;
	if (r < 0 || state)
		return r;
	r = node_xml(ctx->cluster, n, &xml, err);
	if (r == 0)
		r = vh_virt_define(ctx->virt, xml, err);
	*ret_changed = r == 0;
	return r;
}

/* What a killed run asked of libvirt may be done only now: a domain that is not there
 * yet is waited for. */
static int wait_for_late_define(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	const char *state = NULL;
	int r = 0;

	for (int ms = 0; r == 0 && !state && ms < LATE_MS; ms += 100) {
		nanosleep(&pause, NULL);
		r = vh_virt_state(ctx->virt, n->name, &state, err);
	}
	return r;
}

static int domain_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	int r = ctx->cut_short ? wait_for_late_define(ctx, n, err) : 0;

	return r < 0 ? r : vh_virt_remove(ctx->virt, n->name, ctx->cluster->owner, err);
}

static int start_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	return vh_vm_start(ctx->virt, ctx->cli->state, n->name, ret_changed, err);
}

static int ready_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	return node_wait_ready(ctx, n, ret_changed, err);
}

/* What removing the domain undoes. */
static int nothing_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	(void)ctx;
	(void)n;
	(void)err;
	return 0;
}

/* --- cluster.json, which mpirun-wrap reads (docs/formats/cluster.md) */

static char *publish_object(const struct cluster *c, const struct node *n)
{
	(void)n;
	return vh_strf("%s/cluster.json", c->dir);
}

static int publish_apply(const struct context *ctx, const struct node *n, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *path = publish_object(ctx->cluster, n), *config = vh_strf("%s/ssh_config", ctx->cluster->dir);
	vh_autojson doc = path && config ? publish_doc(ctx->cluster, config) : NULL;
	vh_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;

	if (!text)
		return vh_err_nomem(err);
	*ret_changed = access(path, F_OK) != 0;
	return *ret_changed ? vh_write_file(path, text, strlen(text), 0644, err) : 0;
}

static int publish_undo(const struct context *ctx, const struct node *n, struct vh_err *err)
{
	vh_autofree char *path = publish_object(ctx->cluster, n);

	return path ? vh_remove_tree(path, err) : vh_err_nomem(err);
}

const struct step cluster_steps[] = {
	{ "files", ONCE_A_CLUSTER, files_apply, files_undo, files_object },
	{ "region", ONCE_A_CLUSTER, region_apply, region_undo, region_object },
	{ "bridge", ONCE_A_CLUSTER, bridge_apply, bridge_undo, bridge_object },
	{ "tap", ONCE_A_NODE, tap_apply, tap_undo, tap_object },
	{ "disk", ONCE_A_NODE, disk_apply, disk_undo, disk_object },
	{ "domain", ONCE_A_NODE, domain_apply, domain_undo, node_object },
	{ "start", ONCE_A_NODE, start_apply, nothing_undo, node_object },
	{ "ready", ONCE_A_NODE, ready_apply, nothing_undo, node_object },
	{ "publish", ONCE_A_CLUSTER, publish_apply, publish_undo, publish_object },
	{ .what = NULL },
};
