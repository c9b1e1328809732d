// SPDX-License-Identifier: Apache-2.0
/* Keys that a cluster's directory has lost are made anew, all together where the cluster's own is lost: nodes are told
 * at their next start, so they are restarted. */
#include "tools/cluster/steps/keys.h"

#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/identity.h"
#include "tools/cluster/ssh/ssh.h"

/* Without one of these nobody gets in. */
static const char *const cluster_keys[] = { "key", "key.pub" };
static const char *const node_keys[] = { "hostkey.pub", "identity" };

static bool lacks(char *path)
{
	vh_autofree char *owned = path;

	return !owned || access(owned, F_OK) < 0;
}

bool keys_lack(const struct cluster *c, const struct node *n)
{
	bool lost = false;

	for (size_t k = 0; k < vh_array_len(node_keys); k++)
		lost |= lacks(vh_strf("%s/%s/%s", c->dir, n->name, node_keys[k]));
	return lost;
}

static bool any_lacks(const struct cluster *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= keys_lack(c, &c->nodes[i]);
	return any;
}

/* Secret; NULL: it has none that tells of nodes. */
static char *identity_of(const struct cluster *c, const struct node *n)
{
	vh_autofree char *path = vh_strf("%s/%s/identity", c->dir, n->name);
	vh_autoerr none = VH_ERR_NONE;
	char *text = NULL;
	size_t len;

	if (!path || keys_lack(c, n) || vh_host_file(path, &text, &len, &none) < 0)
		return NULL;
	if (!lines_tell_nodes(text))
		ssh_secret_free(&text);
	return text;
}

/* The first node's that has one; where none stays, of one that leaves. */
static char *first_identity(const struct cluster *c)
{
	char *text = NULL;

	for (size_t i = 0; !text && i < c->n_nodes + c->n_leaving; i++)
		text = identity_of(c, &c->nodes[i]);
	return text;
}

bool keys_are_lost(const struct cluster *c)
{
	vh_cleanup(ssh_secret_free) char *one = NULL;
	bool lost = c->slurm && lacks(vh_strf("%s/munge.key", c->dir));

	for (size_t k = 0; k < vh_array_len(cluster_keys); k++)
		lost |= lacks(vh_strf("%s/%s", c->dir, cluster_keys[k]));
	return lost || (any_lacks(c) && !(one = first_identity(c)));
}

static int remove_file(char *path, struct vh_err *err)
{
	vh_autofree char *owned = path;

	return owned ? vh_remove_tree(owned, err) : vh_err_nomem(err);
}

static int mark_restart(const struct cluster *c, const struct node *n, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/%s", c->dir, n->name), *mark = vh_strf("%s/%s/%s", c->dir, n->name, RESTART_MARK);
	int r = dir && mark ? vh_mkdirs(dir, 0711, err) : vh_err_nomem(err);

	return r < 0 ? r : vh_write_file(mark, "", 0, 0600, err);
}

/* First all are marked and all that is left is removed: a run that is killed on its way leaves some key missing, so
 * that the next begins anew. */
int keys_renew(const struct cluster *c, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%s/key", c->dir);
	int r = key ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = mark_restart(c, &c->nodes[i], err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		for (size_t k = 0; r == 0 && k < vh_array_len(node_keys); k++)
			r = remove_file(vh_strf("%s/%s/%s", c->dir, c->nodes[i].name, node_keys[k]), err);
	for (size_t k = 0; r == 0 && k < vh_array_len(cluster_keys); k++)
		r = remove_file(vh_strf("%s/%s", c->dir, cluster_keys[k]), err);
	if (r == 0)
		r = remove_file(vh_strf("%s/userkey.pub", c->dir), err);
	if (r == 0)
		r = ssh_make_key(key, c->owner, err);
	return r < 0 ? r : identities_make(c->dir, c, err);
}

/* --- nodes and users that came or went */

static bool has(const char *identity, enum lines kind, const char *lines)
{
	vh_cleanup(ssh_secret_free) char *is = lines_of(identity, kind);

	return is && !strcmp(is, lines);
}

static bool knows_nodes(const struct cluster *c, const char *identity)
{
	vh_autofree char *nodes = NULL;
	vh_autoerr none = VH_ERR_NONE;

	return identity_nodes(c->dir, c, &nodes, &none) == 0 && has(identity, LINES_NODES, nodes);
}

static bool knows_users(const struct cluster *c, const char *identity)
{
	vh_autofree char *users = NULL;
	vh_autoerr none = VH_ERR_NONE;

	return users_lines(c, &users, &none) == 0 && has(identity, LINES_USERS, users);
}

/* Identities are brought up to date from the last node to the first, so that the first's speaks for all. */
bool identities_tell_all(const struct cluster *c)
{
	vh_cleanup(ssh_secret_free) char *first = first_identity(c);
	bool untold = any_lacks(c);

	for (size_t i = 0; i < c->n_nodes; i++)
		untold |= node_is_untold(c->dir, c->nodes[i].name);
	return !untold && (!first || (knows_nodes(c, first) && knows_users(c, first)));
}

int identities_diff(const struct cluster *c, struct users_diff *ret, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *first = first_identity(c);
	vh_autofree char *users = NULL, *told = first ? lines_of(first, LINES_USERS) : NULL;
	int r = users_lines(c, &users, err);

	*ret = (struct users_diff){ 0 };
	if (r < 0 || !first)
		return r;
	return told && users_diff(told, users, ret) == 0 ? 0 : vh_err_nomem(err);
}

/* The lines that are no node's own. */
struct common { char *nodes, *kept, *users, *keys, *slurm; };

static void common_clear(struct common *all)
{
	free(all->nodes);
	free(all->users);
	ssh_secret_free(&all->kept);
	ssh_secret_free(&all->keys);
	ssh_secret_free(&all->slurm);
}

static int write_parts(const struct cluster *c, const struct node *n, const char *own, const struct common *all, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *slurm = identity_slurm(c, n, all->slurm), *text = NULL;

	text = own && slurm ? vh_strf("%s%s%s%s%s%s", own, all->nodes, all->kept, all->users, all->keys, slurm) : NULL;
	return text ? identity_write(c->dir, c, n, text, err) : vh_err_nomem(err);
}

/* One that runs is told of it later; a run that is killed before finds the mark. */
static int bring_up(const struct cluster *c, const struct node *n, const struct common *all, bool *changed, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *text = identity_of(c, n), *own = NULL;
	vh_autofree char *mark = vh_strf("%s/%s/" UNTOLD_MARK, c->dir, n->name);
	int r;

	if (!text || (has(text, LINES_NODES, all->nodes) && has(text, LINES_USERS, all->users) && has(text, LINES_KEYS, all->keys)))
		return 0;
	own = lines_of(text, LINES_OWN);
	r = mark ? vh_write_file(mark, "", 0, 0600, err) : vh_err_nomem(err);
	if (r == 0)
		r = write_parts(c, n, own, all, err);
	*changed |= r == 0;
	return r;
}

/* A host key of its own; what was half made is of no use. */
static int make_host_key(const struct cluster *c, const struct node *n, char **ret, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/%s", c->dir, n->name);
	int r = dir ? mark_restart(c, n, err) : vh_err_nomem(err);

	for (size_t k = 0; r == 0 && k < vh_array_len(node_keys); k++)
		r = remove_file(vh_strf("%s/%s", dir, node_keys[k]), err);
	return r < 0 ? r : ssh_take_key(dir, "hostkey", n->name, ret, err);
}

static int make_missing(const struct cluster *c, char **keys, struct common *all, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		r = keys_lack(c, &c->nodes[i]) ? make_host_key(c, &c->nodes[i], &keys[i], err) : 0;
	/* All host keys are there now. */
	if (r == 0)
		r = identity_nodes(c->dir, c, &all->nodes, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		vh_cleanup(ssh_secret_free) char *own = NULL;

		r = keys[i] ? identity_own(c->dir, c, &c->nodes[i], keys[i], &own, err) : 0;
		if (r == 0 && own)
			r = write_parts(c, &c->nodes[i], own, all, err);
	}
	return r;
}

/* What stays of an identity, and what is made anew of the plan. */
static int make_common(const struct cluster *c, const char *first, struct common *all, struct vh_err *err)
{
	int r = users_lines(c, &all->users, err);

	all->kept = lines_of(first, LINES_KEPT);
	if (r == 0 && has(first, LINES_USERS, all->users))
		all->keys = lines_of(first, LINES_KEYS);
	else if (r == 0)
		r = users_keys(c->dir, c, first, &all->keys, err);
	if (r == 0)
		r = all->kept && all->keys ? slurm_make(c->dir, c, &all->slurm, err) : vh_err_nomem(err);
	return r;
}

int identities_mend(const struct cluster *c, bool *ret_changed, struct vh_err *err)
{
	vh_cleanup(ssh_secret_free) char *first = first_identity(c);
	vh_cleanup(common_clear) struct common all = { 0 };
	char **keys = calloc(c->n_nodes + 1, sizeof(*keys));
	int r = keys ? 0 : vh_err_nomem(err);

	*ret_changed = false;
	if (r == 0 && first)
		r = make_common(c, first, &all, err);
	if (r == 0 && first)
		r = make_missing(c, keys, &all, err);
	for (size_t i = c->n_nodes; r == 0 && first && i-- > 0; )
		r = bring_up(c, &c->nodes[i], &all, ret_changed, err);
	for (size_t i = 0; keys && i < c->n_nodes; i++) {
		*ret_changed |= keys[i] != NULL;
		ssh_secret_free(&keys[i]);
	}
	free(keys);
	return r;
}
