// SPDX-License-Identifier: Apache-2.0
/* The cluster's directory: keys, identities, ssh's configuration, the files that nodes boot. */
#include "tools/cluster/steps/files.h"

#include <errno.h>
#include <fcntl.h>
#include <resolv.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { KEYGEN_MS = 30000 };

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

static int keygen(const char *path, const char *comment, struct vh_err *err)
{
	char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", (char *)comment, "-f", (char *)path, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = KEYGEN_MS };

	return path ? vh_spawn_ok(&spawn, NULL, err) : vh_err_nomem(err);
}

static int read_file(const char *path, char **ret, size_t *ret_len, struct vh_err *err)
{
	vh_autoclose int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	vh_autofree char *text = calloc(1, 8192);
	ssize_t n;

	if (!path || !text)
		return vh_err_nomem(err);
	n = fd < 0 ? -1 : read(fd, text, 8191);
	if (n < 0)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	*ret_len = (size_t)n;
	*ret = vh_steal(&text);
	return 0;
}

/* A file's bytes in base64, as the identity has them. */
static int read_base64(const char *path, char **ret, struct vh_err *err)
{
	vh_autofree char *bytes = NULL, *text = NULL;
	size_t len, room;
	int r = read_file(path, &bytes, &len, err);

	if (r < 0)
		return r;
	room = 4 * ((len + 2) / 3) + 1;
	text = malloc(room);
	r = text && b64_ntop((const unsigned char *)bytes, len, text, room) >= 0 ? 0 : vh_err_nomem(err);
	explicit_bzero(bytes, len);
	if (r == 0)
		*ret = vh_steal(&text);
	return r;
}

struct node_keys { char *private, *public, *authorized; };	/* private: base64 */

static void node_keys_clear(struct node_keys *k)
{
	if (k->private)
		explicit_bzero(k->private, strlen(k->private));
	free(k->private);
	free(k->public);
	free(k->authorized);
}

/* The text that images/guest/identity.c reads (docs/formats/identity.md). */
static void put_identity(FILE *f, const struct cluster *c, const struct node *n, const struct node_keys *k)
{
	fprintf(f, "hostname %s\nnic %s %s/%u mpi0\n", n->name, n->nics[0].mac, n->nics[0].address, c->cidr.prefix);
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "host %s %s\n", c->nodes[i].nics[0].address, c->nodes[i].name);
	fprintf(f, "authorized %s", k->authorized);
	fprintf(f, "hostkey %s\nhostkey.pub %s", k->private, k->public);
}

static int write_stream(const char *path, FILE *f, char **text, size_t *len, unsigned mode, struct vh_err *err)
{
	int r = fclose(f) || !path ? vh_err_nomem(err) : vh_write_file(path, *text, *len, mode, err);

	explicit_bzero(*text, *len);
	free(*text);
	return r;
}

/* A node's directory under tmp: its host key and the identity that carries it. */
static int make_node(const char *tmp, const struct cluster *c, const struct node *n, struct vh_err *err)
{
	vh_cleanup(node_keys_clear) struct node_keys keys = { 0 };
	vh_autofree char *dir = vh_strf("%s/%s", tmp, n->name), *key = vh_strf("%s/%s/hostkey", tmp, n->name);
	vh_autofree char *pub = vh_strf("%s/%s/hostkey.pub", tmp, n->name), *cluster_pub = vh_strf("%s/key.pub", tmp);
	vh_autofree char *identity = vh_strf("%s/%s/identity", tmp, n->name);
	char *text = NULL;
	size_t len;
	FILE *f;
	int r;

	if (!dir)
		return vh_err_nomem(err);
	r = vh_mkdirs(dir, 0711, err);
	if (r == 0)
		r = keygen(key, n->name, err);
	if (r == 0)
		r = read_base64(key, &keys.private, err);
	if (r == 0)
		r = read_file(pub, &keys.public, &len, err);
	if (r == 0)
		r = read_file(cluster_pub, &keys.authorized, &len, err);
	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	put_identity(f, c, n, &keys);
	/* The key goes on in the identity alone. */
	unlink(key);
	return write_stream(identity, f, &text, &len, 0600, err);
}

static int make_known_hosts(const char *tmp, const struct cluster *c, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/known_hosts", tmp);
	char *text = NULL;
	size_t len, key_len;
	FILE *f = open_memstream(&text, &len);
	int r = f ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *pub = vh_strf("%s/%s/hostkey.pub", tmp, c->nodes[i].name), *key = NULL;

		r = read_file(pub, &key, &key_len, err);
		if (r == 0)
			fprintf(f, "%s,%s %s", c->nodes[i].name, c->nodes[i].nics[0].address, key);
	}
	if (r < 0) {
		if (f)
			fclose(f);
		free(text);
		return r;
	}
	return write_stream(path, f, &text, &len, 0644, err);
}

static int make_ssh_config(const char *tmp, const struct cluster *c, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/ssh_config", tmp);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "Host %s\n  HostName %s\n", c->nodes[i].name, c->nodes[i].nics[0].address);
	fprintf(f, "Host *\n  User %s\n  IdentityFile \"%s/key\"\n  IdentitiesOnly yes\n"
		"  UserKnownHostsFile \"%s/known_hosts\"\n  GlobalKnownHostsFile /dev/null\n"
		"  StrictHostKeyChecking yes\n  PreferredAuthentications publickey\n  BatchMode yes\n"
		"  ConnectTimeout 10\n  ServerAliveInterval 15\n  LogLevel ERROR\n", c->pools[0].image.user, c->dir, c->dir);
	return write_stream(path, f, &text, &len, 0644, err);
}

/* What the nodes boot stays as it is when the image of that name is built anew. */
static int take_image(const char *tmp, const struct cluster *c, const struct vh_image *image, struct vh_err *err)
{
	vh_autofree char *kernel = vh_strf("%s/kernel", tmp), *initrd = vh_strf("%s/initrd", tmp);
	vh_autofree char *disk = files_base_disk(c, tmp);
	int r;

	if (!kernel || !initrd || !disk)
		return vh_err_nomem(err);
	r = vh_link_or_copy(image->kernel, kernel, err);
	if (r == 0)
		r = vh_link_or_copy(image->initrd, initrd, err);
	return r < 0 ? r : vh_image_disk(image, (enum vh_boot)c->pools[0].wanted.boot, disk, err);
}

static int fill(const char *tmp, const struct cluster *c, const struct vh_image *image, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%s/key", tmp);
	int r = vh_mkdirs(tmp, 0711, err);

	if (r == 0)
		r = keygen(key, c->owner, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = make_node(tmp, c, &c->nodes[i], err);
	if (r == 0)
		r = make_known_hosts(tmp, c, err);
	if (r == 0)
		r = make_ssh_config(tmp, c, err);
	return r < 0 ? r : take_image(tmp, c, image, err);
}

int files_make(const struct cluster *c, const struct vh_image *image, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *tmp = vh_strf("%s.part", c->dir);
	struct stat st;
	int r = check_dir(c, err);

	*ret_made = false;
	if (r < 0)
		return r;
	if (!tmp)
		return vh_err_nomem(err);
	if (stat(c->dir, &st) == 0)
		return 0;
	if (!image || strcmp(image->digest, c->pools[0].image.digest)) {
		vh_err_refuse(err, ESTALE, "image %s is gone, or another than when the cluster was planned", c->pools[0].wanted.image);
		return vh_err_hint(err, "vhpc cluster destroy %s, then apply it anew", c->name);
	}
	/* An earlier run's half is of no use: the directory appears whole or not at all. */
	r = vh_remove_tree(tmp, err);
	if (r == 0)
		r = fill(tmp, c, image, err);
	if (r == 0 && rename(tmp, c->dir) < 0)
		r = vh_err_set(err, errno, "%s: %s", c->dir, strerror(errno));
	if (r < 0) {
		vh_autoerr ignored = VH_ERR_NONE;

		vh_remove_tree(tmp, &ignored);
		return r;
	}
	*ret_made = true;
	return 0;
}

char *files_base_disk(const struct cluster *c, const char *dir)
{
	static const char *const bases[VH_BOOTS] = { "root.ext4", "disk.raw", "root.squashfs" };

	return vh_strf("%s/%s", dir, bases[c->pools[0].wanted.boot]);
}

static char *files_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return strdup(c->dir);
}

static int files_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	(void)at;
	return files_make(ctx->cluster, ctx->image, ret_changed, err);
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

const struct step step_files = { "files", ONCE_A_CLUSTER, files_apply, files_undo, files_object };
