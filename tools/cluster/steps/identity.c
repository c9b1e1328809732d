// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/steps/identity.h"

#include <resolv.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "tools/cluster/steps/ssh.h"

/* A file's bytes in base64, as the identity has them. */
static int read_base64(const char *path, char **ret, struct vh_err *err)
{
	vh_autofree char *bytes = NULL, *text = NULL;
	size_t len, room;
	int r = vh_host_file(path, &bytes, &len, err);

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

int identity_make(const char *dir, const struct cluster *c, const struct node *n, struct vh_err *err)
{
	vh_cleanup(node_keys_clear) struct node_keys keys = { 0 };
	vh_autofree char *own = vh_strf("%s/%s", dir, n->name), *key = vh_strf("%s/%s/hostkey", dir, n->name);
	vh_autofree char *pub = vh_strf("%s/%s/hostkey.pub", dir, n->name), *cluster_pub = vh_strf("%s/key.pub", dir);
	vh_autofree char *identity = vh_strf("%s/%s/identity", dir, n->name);
	char *text = NULL;
	size_t len;
	FILE *f;
	int r;

	if (!own || !key || !pub || !cluster_pub || !identity)
		return vh_err_nomem(err);
	r = vh_mkdirs(own, 0711, err);
	if (r == 0)
		r = ssh_make_key(key, n->name, err);
	if (r == 0)
		r = read_base64(key, &keys.private, err);
	if (r == 0)
		r = vh_host_file(pub, &keys.public, &len, err);
	if (r == 0)
		r = vh_host_file(cluster_pub, &keys.authorized, &len, err);
	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	put_identity(f, c, n, &keys);
	/* The key goes on in the identity alone. */
	unlink(key);
	r = fclose(f) ? vh_err_nomem(err) : vh_write_file(identity, text, len, 0600, err);
	explicit_bzero(text, len);
	free(text);
	return r;
}
