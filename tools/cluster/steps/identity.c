// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/steps/identity.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/ssh/ssh.h"

/* What identities are made of; what is private is base64. */
struct parts {
	char *authorized;		/* the public half of the key by which the nodes are reached from here */
	char *user, *user_public;	/* of the nodes' user, from node to node: alike on all */
	char *record;			/* cluster.json as nodes see it, base64 */
	char *known;			/* lines of all public host keys */
	char *users;			/* lines of the cluster's users */
	char *keys;			/* and of their keys from node to node */
	char *slurm;			/* lines of munge's key and Slurm's files */
};

static void parts_clear(struct parts *p)
{
	ssh_secret_free(&p->user);
	ssh_secret_free(&p->keys);
	ssh_secret_free(&p->slurm);
	free(p->users);
	free(p->authorized);
	free(p->user_public);
	free(p->record);
	free(p->known);
}

/* --- the parts that all identities have */

static int make_record(const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_autojson doc = publish_doc(c, "/etc/vhpc/ssh_config");
	vh_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

	return text ? ssh_base64(text, strlen(text), ret, err) : vh_err_nomem(err);
}

static int make_known(const char *dir, const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r = f ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *key = NULL, *name = vh_strf("%s/hostkey", c->nodes[i].name);

		r = name ? ssh_read_public(dir, name, &key, err) : vh_err_nomem(err);
		if (r == 0)
			fprintf(f, "known %s %s", c->nodes[i].name, key);
	}
	if (f && fclose(f) != 0 && r == 0)
		r = vh_err_nomem(err);
	if (r == 0)
		*ret = vh_steal(&text);
	return r;
}

/* --- users */

static void put_user(FILE *f, const struct login *l)
{
	fprintf(f, "user %s %llu", l->name, (unsigned long long)l->uid);
	for (char **g = l->groups; g && *g; g++)
		fprintf(f, "%c%s", g == l->groups ? ' ' : ',', *g);
	fputc('\n', f);
	for (char **k = l->keys; k && *k; k++)
		fprintf(f, "user.authorized %s %s\n", l->name, *k);
}

int users_lines(const struct cluster *c, char **ret, struct vh_err *err)
{
	const struct login *l = c->users.items;
	vh_autostrv groups = NULL;
	char *text = NULL;
	size_t len;
	FILE *f;
	int r = cluster_groups(c, &groups, err);

	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	for (char **g = groups; g && *g; g++)
		fprintf(f, "group %s\n", *g);
	for (size_t i = 0; i < c->users.n; i++)
		put_user(f, &l[i]);
	if (fclose(f) != 0) {
		free(text);
		return vh_err_nomem(err);
	}
	*ret = text;
	return 0;
}

/* The line of that keyword about him, what follows his name; NULL: there is none. For ssh_secret_free. */
static char *line_about(const char *text, const char *keyword, const char *name)
{
	vh_autofree char *start = vh_strf("%s %s ", keyword, name);

	for (const char *line = text; start && line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, start, strlen(start)))
			return strndup(line + strlen(start), strcspn(line + strlen(start), "\n"));
	}
	return NULL;
}

/* Those that an identity has. */
static int keep_key(const char *dir, const char *name, const char *known, char **private, char **public, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s.pub", dir, name), *line = NULL;

	*private = line_about(known, "user.key", name);
	line = line_about(known, "user.key.pub", name);
	if (!*private || !line)
		return 0;
	*public = vh_strf("%s\n", line);
	return path && *public ? vh_write_file(path, *public, strlen(*public), 0644, err) : vh_err_nomem(err);
}

static int put_key(FILE *f, const char *dir, const struct cluster *c, const struct login *l, const char *known, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *private = NULL;
	vh_autofree char *public = NULL, *comment = vh_strf("%s@%s", l->name, c->name);
	int r = !comment ? vh_err_nomem(err) : known ? keep_key(dir, l->name, known, &private, &public, err) : 0;

	if (r == 0 && !public) {
		ssh_secret_free(&private);
		r = ssh_take_key(dir, l->name, comment, &private, err);
		if (r == 0)
			r = ssh_read_public(dir, l->name, &public, err);
	}
	if (r == 0)
		fprintf(f, "user.key %s %s\nuser.key.pub %s %s", l->name, private, l->name, public);
	return r;
}

int users_keys(const char *dir, const struct cluster *c, const char *known, char **ret, struct vh_err *err)
{
	const struct login *l = c->users.items;
	vh_autofree char *own = vh_strf("%s/users", dir);
	vh_cleanup(ssh_secret_free) char *text = NULL;
	size_t len;
	FILE *f;
	/* An earlier run's are of no use. */
	int r = own ? vh_remove_tree(own, err) : vh_err_nomem(err);

	if (r == 0 && c->users.n)
		r = vh_mkdirs(own, 0711, err);
	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < c->users.n; i++)
		r = put_key(f, own, c, &l[i], known, err);
	if (fclose(f) != 0 && r == 0)
		r = vh_err_nomem(err);
	if (r == 0)
		*ret = vh_steal(&text);
	return r;
}

/* --- Slurm */

static int put_munge_key(FILE *f, const char *dir, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *text = NULL;
	unsigned char key[SLURM_KEY];
	int r = slurm_key(dir, key, err);

	if (r == 0)
		r = ssh_base64((const char *)key, sizeof(key), &text, err);
	explicit_bzero(key, sizeof(key));
	if (r == 0)
		fprintf(f, "slurm.key %s\n", text);
	return r;
}

static int put_slurm_file(FILE *f, const struct slurm *s, const struct slurm_file *file, struct vh_err *err)
{
	vh_autofree char *text = file->text(s), *coded = NULL;
	int r = !text ? vh_err_nomem(err) : !*text ? 0 : ssh_base64(text, strlen(text), &coded, err);

	if (coded)
		fprintf(f, "slurm.file %s %s\n", file->name, coded);
	return r;
}

int slurm_make(const char *dir, const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	vh_cleanup(ssh_secret_free) char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r = !f ? vh_err_nomem(err) : c->slurm ? cluster_slurm(c, &slurm, err) : 0;

	if (r == 0 && c->slurm)
		r = put_munge_key(f, dir, err);
	for (const struct slurm_file *s = slurm_files; r == 0 && c->slurm && s->name; s++)
		r = put_slurm_file(f, &slurm, s, err);
	if (f && fclose(f) != 0 && r == 0)
		r = vh_err_nomem(err);
	if (r == 0)
		*ret = vh_steal(&text);
	return r;
}

char *identity_slurm(const struct cluster *c, const struct node *n, const char *lines)
{
	const bool controls = n == cluster_head(c), computes = cluster_computes(c, n), none = !*lines || (!controls && !computes);

	return none ? strdup("") : vh_strf("%s%s%s", controls ? "slurm controller\n" : "", computes ? "slurm compute\n" : "", lines);
}

static int make_parts(const char *dir, const struct cluster *c, struct parts *p, struct vh_err *err)
{
	int r = ssh_read_public(dir, "key", &p->authorized, err);

	if (r == 0)
		r = ssh_take_key(dir, "userkey", c->name, &p->user, err);
	if (r == 0)
		r = ssh_read_public(dir, "userkey", &p->user_public, err);
	if (r == 0)
		r = make_record(c, &p->record, err);
	if (r == 0)
		r = make_known(dir, c, &p->known, err);
	if (r == 0)
		r = users_lines(c, &p->users, err);
	if (r == 0)
		r = users_keys(dir, c, NULL, &p->keys, err);
	return r < 0 ? r : slurm_make(dir, c, &p->slurm, err);
}

/* --- a node's */

int identity_own(const char *dir, const struct cluster *c, const struct node *n, const char *hostkey, char **ret, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("%s/hostkey", n->name), *public = NULL;
	vh_cleanup(ssh_secret_free) char *text = NULL;
	size_t len;
	FILE *f;
	int r = name ? ssh_read_public(dir, name, &public, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	f = open_memstream(&text, &len);
	if (!f)
		return vh_err_nomem(err);
	fprintf(f, "hostname %s\nnic %s %s/%u mpi0\nhostkey %s\nhostkey.pub %s", n->name, n->nics[0].mac, n->nics[0].address,
		c->cidr.prefix, hostkey, public);
	cluster_put_volumes(f, c, n);
	if (fclose(f) != 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&text);
	return 0;
}

static char *nodes_text(const struct cluster *c, const struct parts *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "host %s %s\n", c->nodes[i].nics[0].address, c->nodes[i].name);
	fprintf(f, "cluster %s\n%s", p->record, p->known);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

int identity_nodes(const char *dir, const struct cluster *c, char **ret, struct vh_err *err)
{
	vh_cleanup(parts_clear) struct parts parts = { 0 };
	int r = make_record(c, &parts.record, err);

	if (r == 0)
		r = make_known(dir, c, &parts.known, err);
	if (r < 0)
		return r;
	*ret = nodes_text(c, &parts);
	return *ret ? 0 : vh_err_nomem(err);
}

/* By it a node that boots anew knows whether this is what its VM was started with (images/guest/identity/told.h). */
static char *stamped(const char *lines)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return vh_strf("# %lld.%09ld\n%s", (long long)now.tv_sec, now.tv_nsec, lines);
}

int identity_write(const char *dir, const struct cluster *c, const struct node *n, const char *lines, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s/identity", dir, n->name);
	vh_cleanup(ssh_secret_free) char *text = stamped(lines);
	const size_t len = text ? strlen(text) : 0;
	int r = path && text ? 0 : vh_err_nomem(err);

	if (r == 0 && len > IDENTITY_MAX) {
		vh_err_refuse(err, E2BIG, "node %s: what it is to be told is %zu KiB, and it takes %d", n->name, len >> 10, IDENTITY_MAX >> 10);
		r = vh_err_hint(err, "fewer users, keys or groups, or shorter names");
	}
	if (r == 0)
		r = vh_write_file(path, text, len, 0600, err);
	return r < 0 ? r : cluster_give(c, path, err);
}

/* The text that images/guest/identity/identity.c reads (docs/formats/identity.md). */
static int write_identity(const char *dir, const struct cluster *c, const struct node *n, const struct parts *p, const char *nodes,
			  const char *hostkey, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *own = NULL, *text = NULL, *slurm = identity_slurm(c, n, p->slurm);
	int r = slurm ? identity_own(dir, c, n, hostkey, &own, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	text = vh_strf("%s%sauthorized %suserkey %s\nuserkey.pub %s%s%s%s", own, nodes, p->authorized, p->user, p->user_public, p->users,
		       p->keys, slurm);
	return text ? identity_write(dir, c, n, text, err) : vh_err_nomem(err);
}

static int make_host_keys(const char *dir, const struct cluster *c, char **keys, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_autofree char *own = vh_strf("%s/%s", dir, c->nodes[i].name);

		r = own ? vh_mkdirs(own, 0711, err) : vh_err_nomem(err);
		if (r == 0)
			r = ssh_take_key(own, "hostkey", c->nodes[i].name, &keys[i], err);
	}
	return r;
}

int identities_make(const char *dir, const struct cluster *c, struct vh_err *err)
{
	vh_cleanup(parts_clear) struct parts parts = { 0 };
	vh_autofree char *nodes = NULL;
	char **keys = calloc(c->n_nodes, sizeof(*keys));
	int r = keys ? make_host_keys(dir, c, keys, err) : vh_err_nomem(err);

	if (r == 0)
		r = make_parts(dir, c, &parts, err);
	if (r == 0)
		r = (nodes = nodes_text(c, &parts)) ? 0 : vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = write_identity(dir, c, &c->nodes[i], &parts, nodes, keys[i], err);
	for (size_t i = 0; keys && i < c->n_nodes; i++)
		ssh_secret_free(&keys[i]);
	free(keys);
	return r;
}
