// SPDX-License-Identifier: Apache-2.0
/* The cluster's directory: keys, identities, ssh's configuration, the files that nodes boot. */
#include "tools/cluster/steps/files.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "images/images.h"
#include "lib/files/files.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/identity.h"
#include "tools/cluster/steps/keys.h"
#include "tools/cluster/ssh/ssh.h"

char *node_file(const struct cluster *c, const struct node *n, const char *file)
{
	return vh_strf("%s/%s/%s", c->dir, n->name, file);
}

/* ssh expands % and ${NAME}, and ends at a quote, in its configuration. */
static int check_dir(const struct cluster *c, struct vh_err *err)
{
	if (!strpbrk(c->dir, "\"%$\\\n"))
		return 0;
	vh_err_refuse(err, EINVAL, "state directory %s: its name has a quote, a backslash, a dollar or a percent sign", c->dir);
	return vh_err_hint(err, "choose another with --state");
}

/* libvirt gave bases to the user of all QEMUs, with the image's inode, and left them so: who owns a file
 * writes it. */
static int take_back(const char *base, struct vh_err *err)
{
	const struct passwd *user = geteuid() ? NULL : getpwnam("libvirt-qemu");
	struct stat st;

	if (!user || stat(base, &st) < 0 || st.st_uid != user->pw_uid || chown(base, 0, 0) == 0)
		return 0;
	return vh_err_set(err, errno, "%s: %s", base, strerror(errno));
}

/* What the nodes boot stays as it is when the image of that name is built anew. */
static int take_image(const char *tmp, const struct cluster_pool *p, const struct vh_image *image, struct vh_err *err)
{
	vh_autofree char *kernel = files_of_pool(p, tmp, "kernel"), *initrd = files_of_pool(p, tmp, "initrd");
	vh_autofree char *disk = files_base_disk(p, tmp), *dir = files_of_pool(p, tmp, "");
	int r;

	if (!kernel || !initrd || !disk || !dir)
		return vh_err_nomem(err);
	r = vh_mkdirs(dir, 0711, err);
	/* These libvirt gives to whom QEMU runs as, so they cannot be the image's. */
	if (r == 0)
		r = vh_copy(image->kernel, kernel, err);
	if (r == 0)
		r = vh_copy(image->initrd, initrd, err);
	if (r == 0)
		r = vh_image_disk(image, (enum vh_boot)p->wanted.boot, disk, err);
	return r < 0 ? r : take_back(disk, err);
}

/* Its hosts, for vh_autofree. */
static struct ssh_host *ssh_hosts_of(const struct cluster *c, struct ssh_hosts *ret)
{
	struct ssh_host *v = calloc(c->n_nodes + 1, sizeof(*v));

	for (size_t i = 0; v && i < c->n_nodes; i++)
		v[i] = (struct ssh_host){ c->nodes[i].name, c->nodes[i].nics[0].address };
	*ret = (struct ssh_hosts){ .dir = c->dir, .user = c->pools[0].image.user, .v = v, .n = c->n_nodes };
	return v;
}

static int make_config(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err)
{
	struct ssh_hosts hosts;
	vh_autofree struct ssh_host *v = ssh_hosts_of(c, &hosts);

	return v ? ssh_make_config(dir, &hosts, ret_changed, err) : vh_err_nomem(err);
}

static int make_known_hosts(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err)
{
	struct ssh_hosts hosts;
	vh_autofree struct ssh_host *v = ssh_hosts_of(c, &hosts);

	return v ? ssh_make_known_hosts(dir, &hosts, ret_changed, err) : vh_err_nomem(err);
}

static int tell_ssh(const char *dir, const struct cluster *c, bool *ret_changed, struct vh_err *err)
{
	bool hosts = false, config = false;
	int r = make_known_hosts(dir, c, &hosts, err);

	if (r == 0)
		r = make_config(dir, c, &config, err);
	*ret_changed = hosts || config;
	return r;
}

static int fill(const char *tmp, const struct cluster *c, struct vh_image *const *images, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%s/key", tmp);
	bool changed;
	int r = vh_mkdirs(tmp, 0711, err);

	if (r == 0)
		r = ssh_make_key(key, c->owner, err);
	if (r == 0)
		r = identities_make(tmp, c, err);
	if (r == 0)
		r = tell_ssh(tmp, c, &changed, err);
	if (r == 0)
		r = record_save(c, tmp, err);
	for (size_t i = 0; r == 0 && i < c->n_pools; i++)
		r = take_image(tmp, &c->pools[i], images[i], err);
	return r;
}

static bool pool_is_whole(const struct cluster_pool *p, const char *dir)
{
	vh_autofree char *kernel = files_of_pool(p, dir, "kernel"), *initrd = files_of_pool(p, dir, "initrd");
	vh_autofree char *disk = files_base_disk(p, dir);

	return kernel && initrd && disk && access(kernel, F_OK) == 0 && access(initrd, F_OK) == 0 && access(disk, F_OK) == 0;
}

/* While its nodes are still of a former pool none boots it. */
static bool is_booted(const struct cluster *c, size_t pool)
{
	bool any = false, formers = false;

	for (size_t i = 0; i < c->n_nodes; i++) {
		any |= c->nodes[i].pool == pool && !c->nodes[i].former;
		formers |= c->nodes[i].pool == pool && c->nodes[i].former;
	}
	return any || !formers;
}

static bool has_pool(const struct cluster *c, size_t i, const char *dir)
{
	return !is_booted(c, i) || pool_is_whole(&c->pools[i], dir);
}

bool files_have_pool(const struct cluster *c, size_t i)
{
	return has_pool(c, i, c->dir);
}

bool files_are_whole(const struct cluster *c)
{
	bool whole = true;

	for (size_t i = 0; i < c->n_pools && !cluster_is_foreign(c); i++)
		whole &= files_have_pool(c, i);
	return whole;
}

/* Refused unless the images of all pools that are not whole in dir are those of the plan. */
static int check_images(const struct cluster *c, const char *dir, struct vh_image *const *images, struct vh_err *err)
{
	for (size_t i = 0; i < c->n_pools; i++) {
		if (has_pool(c, i, dir) ||
		    (images && images[i] && !strcmp(images[i]->digest, c->pools[i].image.digest)))
			continue;
		vh_err_refuse(err, ESTALE, "image %s is gone, or another than when the cluster was planned", c->pools[i].wanted.image);
		return vh_err_hint(err, "vhpc cluster destroy %s, then apply it anew", c->name);
	}
	return 0;
}

/* What is there of it stays, but for keys, which are made together. */
static int mend(const struct cluster *c, struct vh_image *const *images, bool *ret_made, struct vh_err *err)
{
	bool keys = keys_are_lost(c), whole = files_are_whole(c), told = false, mended = false;
	const bool kept = record_is_kept(c);
	/* A release before this one's first made none. */
	int r = record_save(c, c->dir, err);

	if (r == 0)
		r = check_images(c, c->dir, images, err);
	for (size_t i = 0; r == 0 && i < c->n_pools; i++)
		r = has_pool(c, i, c->dir) ? 0 : take_image(c->dir, &c->pools[i], images[i], err);
	if (r == 0)
		r = keys ? keys_renew(c, err) : identities_mend(c, &mended, err);
	if (r == 0)
		r = tell_ssh(c->dir, c, &told, err);
	*ret_made = r == 0 && (keys || !whole || told || mended || !kept);
	return r;
}

/* Of imported nodes: what is remembered of them, and no more. */
static int make_bare(const struct cluster *c, bool *ret_made, struct vh_err *err)
{
	const bool there = access(c->dir, F_OK) == 0, kept = record_is_kept(c);
	int r = vh_mkdirs(c->dir, 0711, err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *dir = node_file(c, &c->nodes[i], "");

		r = dir ? vh_mkdirs(dir, 0711, err) : vh_err_nomem(err);
	}
	if (r == 0)
		r = record_save(c, c->dir, err);
	*ret_made = r == 0 && (!there || !kept);
	return r;
}

int files_make(const struct cluster *c, struct vh_image *const *images, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("%s.part", c->dir);
	struct stat st;
	int r = check_dir(c, err);

	*ret_made = false;
	if (r == 0 && cluster_is_foreign(c))
		return make_bare(c, ret_made, err);
	if (r < 0)
		return r;
	if (!tmp)
		return vh_err_nomem(err);
	if (stat(c->dir, &st) == 0)
		return mend(c, images, ret_made, err);
	r = check_images(c, c->dir, images, err);
	/* An earlier run's half is of no use: the directory appears whole or not at all. */
	if (r == 0)
		r = vh_remove_tree(tmp, err);
	if (r < 0)
		return r;
	r = fill(tmp, c, images, err);
	if (r == 0 && rename(tmp, c->dir) < 0)
		r = vh_err_set(err, errno, "%s: %s", c->dir, strerror(errno));
	if (r == 0)
		r = vh_sync_name(c->dir, err);
	if (r < 0) {
		vh_autoerr ignored = VH_ERR_NONE;

		vh_remove_tree(tmp, &ignored);
		return r;
	}
	*ret_made = true;
	return 0;
}

char *files_of_pool(const struct cluster_pool *p, const char *dir, const char *file)
{
	const char *group = p->wanted.name;

	if (p->generation)
		return vh_strf("%s/boot/%s%s%" PRIu64 "/%s", dir, group ? group : "", group ? "." : "", p->generation, file);
	return vh_strf("%s%s%s/%s", dir, group ? "/boot/" : "", group ? group : "", file);
}

char *files_base_disk(const struct cluster_pool *p, const char *dir)
{
	static const char *const bases[VH_BOOTS] = { "root.ext4", "disk.raw", "root.squashfs" };

	return files_of_pool(p, dir, bases[p->wanted.boot]);
}

static int remove_file(char *path, struct vh_err *err)
{
	vh_autofree char *own = path;

	return own ? vh_remove_tree(own, err) : vh_err_nomem(err);
}

int files_drop_pool(const struct cluster *c, const struct cluster_pool *p, struct vh_err *err)
{
	vh_autofree char *boot = vh_strf("%s/boot", c->dir);
	int r;

	if (p->wanted.name || p->generation) {
		r = boot ? remove_file(files_of_pool(p, c->dir, ""), err) : vh_err_nomem(err);
		/* With the last of them. */
		if (r == 0)
			rmdir(boot);
		return r;
	}
	/* Among those of the cluster itself. */
	r = remove_file(files_of_pool(p, c->dir, "kernel"), err);
	if (r == 0)
		r = remove_file(files_of_pool(p, c->dir, "initrd"), err);
	return r < 0 ? r : remove_file(files_base_disk(p, c->dir), err);
}

int files_settle(const struct cluster *c, struct vh_err *err)
{
	vh_autofree char *config = vh_strf("%s/ssh_config", c->dir);
	bool changed;
	int r = config ? check_dir(c, err) : vh_err_nomem(err);

	/* Nothing new for one that is being removed. */
	if (r == 0)
		r = access(config, W_OK) < 0 ? 1 : make_config(c->dir, c, &changed, err);
	return r == 0 ? publish_settle(c, err) : r < 0 ? r : 0;
}

int files_key(const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%s/key", c->dir);

	if (!key)
		return vh_err_nomem(err);
	if (access(key, F_OK) < 0 && errno == ENOENT) {
		vh_err_refuse(err, ENODATA, "cluster %s: its key %s is gone", c->name, key);
		return vh_err_hint(err, "vhpc cluster apply makes a new one, and restarts its nodes");
	}
	*ret = vh_steal(&key);
	return 0;
}

static char *files_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return strdup(c->dir);
}

static int files_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	(void)at;
	return files_make(ctx->cluster, ctx->images, ret_changed, err);
}

static int files_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", ctx->cluster->dir);
	int r;

	(void)at;
	if (!part)
		return vh_err_nomem(err);
	r = vh_remove_tree(part, err);
	return r < 0 ? r : vh_remove_tree(ctx->cluster->dir, err);
}

static bool any_lost(const struct cluster *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= !c->nodes[i].is_new && keys_lack(c, &c->nodes[i]);
	return any;
}

static struct look look_inside(const struct cluster *c, bool others)
{
	const bool own = !cluster_is_foreign(c), lost = own && keys_are_lost(c);

	if (lost || (own && any_lost(c)))
		return (struct look){ LOOK_OTHER, "has lost keys or identities", lost ? "its nodes restart" : "a restart of the nodes without" };
	if (own && c->n_nodes && !identities_tell_all(c))
		return (struct look){ LOOK_OTHER, others ? "is of other users" : "is of other nodes", NULL };
	if (!files_are_whole(c))
		return (struct look){ LOOK_OTHER, "has lost what its nodes boot", NULL };
	return record_is_kept(c) ? (struct look){ .is = LOOK_SAME } : (struct look){ LOOK_OTHER, "was told otherwise by the manifest before", NULL };
}

static int files_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", ctx->cluster->dir);
	vh_cleanup(users_diff_clear) struct users_diff users = { 0 };

	(void)at;
	if (!part)
		return vh_err_nomem(err);
	if (identities_diff(ctx->cluster, &users, err) < 0)
		return -err->num;
	if (access(ctx->cluster->dir, F_OK) == 0)
		*ret = look_inside(ctx->cluster, users_differ(&users));
	else if (access(part, F_OK) == 0)
		*ret = (struct look){ LOOK_OTHER, "is half made", NULL };
	else
		*ret = (struct look){ LOOK_MISSING, "is gone", cluster_is_foreign(ctx->cluster) ? NULL : "keys, identities and disks are made anew" };
	return 0;
}

const struct step step_files = { "files", ONCE_A_CLUSTER, files_apply, files_undo, files_look, files_object, .again = false };
