// SPDX-License-Identifier: Apache-2.0
/* Keys that a cluster's directory has lost are made anew, all together: nodes are told at their next start, so they
 * are restarted. */
#include "tools/cluster/steps/keys.h"

#include "lib/files/files.h"
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

bool keys_are_lost(const struct cluster *c)
{
	bool lost = c->slurm && lacks(vh_strf("%s/munge.key", c->dir));

	for (size_t k = 0; k < vh_array_len(cluster_keys); k++)
		lost |= lacks(vh_strf("%s/%s", c->dir, cluster_keys[k]));
	for (size_t i = 0; i < c->n_nodes; i++)
		for (size_t k = 0; k < vh_array_len(node_keys); k++)
			lost |= lacks(vh_strf("%s/%s/%s", c->dir, c->nodes[i].name, node_keys[k]));
	return lost;
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
