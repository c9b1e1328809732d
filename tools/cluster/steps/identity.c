// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/steps/identity.h"

#include <resolv.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/ssh.h"

static int to_base64(const char *bytes, size_t len, char **ret, struct vh_err *err)
{
	const size_t room = 4 * ((len + 2) / 3) + 1;
	vh_autofree char *text = malloc(room);

	if (!text || b64_ntop((const unsigned char *)bytes, len, text, room) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&text);
	return 0;
}

/* A file's bytes, as the identity has them. */
static int read_base64(const char *path, char **ret, struct vh_err *err)
{
	vh_autofree char *bytes = NULL;
	size_t len;
	int r = vh_host_file(path, &bytes, &len, err);

	if (r < 0)
		return r;
	r = to_base64(bytes, len, ret, err);
	explicit_bzero(bytes, len);
	return r;
}

/* What identities are made of; what is private is base64. */
struct parts {
	char *authorized;		/* the public half of the key by which the nodes are reached from here */
	char *user, *user_public;	/* of the nodes' user, from node to node: alike on all */
	char *record;			/* cluster.json as nodes see it, base64 */
	char *known;			/* lines of all public host keys */
};

static void secret_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

static void parts_clear(struct parts *p)
{
	secret_free(&p->user);
	free(p->authorized);
	free(p->user_public);
	free(p->record);
	free(p->known);
}

/* --- the parts that all identities have */

static int read_public(const char *dir, const char *key, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s.pub", dir, key);
	size_t len;

	return path ? vh_host_file(path, ret, &len, err) : vh_err_nomem(err);
}

/* A key that goes on in the identities alone; its public half stays. */
static int take_key(const char *dir, const char *name, const char *comment, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	int r = ssh_make_key(path, comment, err);

	if (r == 0)
		r = read_base64(path, ret, err);
	if (path)
		unlink(path);
	return r;
}

static int make_record(const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_autojson doc = publish_doc(c, "/etc/vhpc/ssh_config");
	vh_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	return text ? to_base64(text, strlen(text), ret, err) : vh_err_nomem(err);
}

static int make_known(const char *dir, const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r = f ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *key = NULL, *name = vh_strf("%s/hostkey", c->nodes[i].name);

		r = name ? read_public(dir, name, &key, err) : vh_err_nomem(err);
		if (r == 0)
			fprintf(f, "known %s %s", c->nodes[i].name, key);
	}
	if (f && fclose(f) != 0 && r == 0)
		r = vh_err_nomem(err);
	if (r == 0)
		*ret = vh_steal(&text);
	return r;
}

static int make_parts(const char *dir, const struct cluster *c, struct parts *p, struct vh_err *err)
{
	int r = read_public(dir, "key", &p->authorized, err);

	if (r == 0)
		r = take_key(dir, "userkey", c->name, &p->user, err);
	if (r == 0)
		r = read_public(dir, "userkey", &p->user_public, err);
	if (r == 0)
		r = make_record(c, &p->record, err);
	return r < 0 ? r : make_known(dir, c, &p->known, err);
}

/* --- a node's */

/* The text that images/guest/identity.c reads (docs/formats/identity.md). */
static void put_identity(FILE *f, const struct cluster *c, const struct node *n, const struct parts *p, const char *hostkey,
			 const char *hostkey_public)
{
	fprintf(f, "hostname %s\nnic %s %s/%u mpi0\n", n->name, n->nics[0].mac, n->nics[0].address, c->cidr.prefix);
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "host %s %s\n", c->nodes[i].nics[0].address, c->nodes[i].name);
	fprintf(f, "authorized %shostkey %s\nhostkey.pub %s", p->authorized, hostkey, hostkey_public);
	fprintf(f, "userkey %s\nuserkey.pub %scluster %s\n%s", p->user, p->user_public, p->record, p->known);
}

static int write_identity(const char *dir, const struct cluster *c, const struct node *n, const struct parts *p, const char *hostkey,
			  struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s/identity", dir, n->name), *name = vh_strf("%s/hostkey", n->name), *public = NULL;
	char *text = NULL;
	size_t len;
	FILE *f;
	int r = path && name ? read_public(dir, name, &public, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	put_identity(f, c, n, p, hostkey, public);
	r = fclose(f) ? vh_err_nomem(err) : vh_write_file(path, text, len, 0600, err);
	if (r == 0)
		r = cluster_give(c, path, err);
	explicit_bzero(text, len);
	free(text);
	return r;
}

static int make_host_keys(const char *dir, const struct cluster *c, char **keys, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *own = vh_strf("%s/%s", dir, c->nodes[i].name);

		r = own ? vh_mkdirs(own, 0711, err) : vh_err_nomem(err);
		if (r == 0)
			r = take_key(own, "hostkey", c->nodes[i].name, &keys[i], err);
	}
	return r;
}

int identities_make(const char *dir, const struct cluster *c, struct vh_err *err)
{
	vh_cleanup(parts_clear) struct parts parts = { 0 };
	char **keys = calloc(c->n_nodes, sizeof(*keys));
	int r = keys ? make_host_keys(dir, c, keys, err) : vh_err_nomem(err);

	if (r == 0)
		r = make_parts(dir, c, &parts, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = write_identity(dir, c, &c->nodes[i], &parts, keys[i], err);
	for (size_t i = 0; keys && i < c->n_nodes; i++)
		secret_free(&keys[i]);
	free(keys);
	return r;
}
