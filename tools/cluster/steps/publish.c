// SPDX-License-Identifier: Apache-2.0
/* What mpirun-wrap is told of a cluster (docs/formats/cluster.md). */
#include "tools/cluster/steps/steps.h"

#include <string.h>
#include <sys/utsname.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/steps/files.h"
#include "vmm/layout/layout.h"

/* NULL: it has no name that the format takes. */
static const char *host_name(struct utsname *host)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return uname(host) == 0 && *host->nodename && *host->nodename != '-' && !host->nodename[strspn(host->nodename, chars)]
	       ? host->nodename : NULL;
}

static char *cpus_of_cell(const struct vh_layout *l, unsigned cell)
{
	vh_autofree unsigned *cpus = calloc(l->vcpus + 1, sizeof(*cpus));
	size_t n = 0;

	for (unsigned v = 0; cpus && v < l->vcpus; v++)
		if (l->cell[v] == cell)
			cpus[n++] = v;
	return cpus ? vh_cpu_list(cpus, n) : NULL;
}

/* The guest's NUMA nodes; NULL: it has one. */
static json_t *cells(const struct vh_layout *l)
{
	json_t *a = l->n_cells > 1 ? json_array() : NULL;

	for (unsigned i = 0; a && i < l->n_cells; i++) {
		vh_autofree char *cpus = cpus_of_cell(l, i);

		json_array_append_new(a, json_pack("{s:s}", "cpus", cpus ? cpus : ""));
	}
	return a;
}

static json_t *node_doc(const struct cluster *c, const struct node *n, const char *host)
{
	const struct pool *p = &cluster_pool_of(c, n)->wanted;

	return json_pack("{s:s, s:s, s:I, s:s*, s:s*, s:s*, s:o*}", "name", n->name, "address", n->nics[0].address,
			 "slots", (json_int_t)n->layout->vcpus, "group", p->name, "role", p->name ? pool_roles[p->role] : NULL,
			 "host", host, "cells", cells(n->layout));
}

/* NULL: it has none. */
static json_t *users(const struct cluster *c)
{
	const struct login *l = c->users.items;
	json_t *names = c->users.n ? json_array() : NULL;

	for (size_t i = 0; i < c->users.n; i++)
		json_array_append_new(names, json_string(l[i].name));
	return names;
}

json_t *publish_doc(const struct cluster *c, const char *ssh_config)
{
	const struct cluster_pool *p = &c->pools[0];
	struct utsname host;
	vh_autojson nodes = json_array();
	const char *named = host_name(&host);
	char cidr[19];

	for (size_t i = 0; i < c->n_nodes; i++)
		json_array_append_new(nodes, node_doc(c, &c->nodes[i], named));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:o*, s:o*, s:o*, s:O}",
			 "schema", "vhpc.cluster/1", "name", c->name, "user", p->image.user,
			 "cidr", vh_cidr_format(&c->cidr, cidr), "interface", "mpi0", "accel", cluster_accel_names[c->accel],
			 "ssh_config", ssh_config, "image", "name", p->wanted.image, "suite", p->image.suite,
			 "mpi", "name", p->image.mpi, "version", p->image.mpi_version,
			 "region", c->n_nodes > 1 ? json_pack("{s:I}", "size", (json_int_t)cluster_region(c).size) : NULL,
			 "users", users(c), "slurm", c->slurm ? json_true() : NULL, "nodes", nodes);
}

static char *publish_object(const struct cluster *c, const struct spot *at)
{
	(void)at;
	return vh_strf("%s/cluster.json", c->dir);
}

static int publish(const struct cluster *c, const char *path, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *config = vh_strf("%s/ssh_config", c->dir);
	vh_autojson doc = config ? publish_doc(c, config) : NULL;
	vh_autojson there = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	vh_autofree char *text = doc ? json_dumps(doc, JSON_INDENT(2)) : NULL;

	if (!text)
		return vh_err_nomem(err);
	*ret_changed = !there || !json_equal(doc, there);
	return *ret_changed ? vh_write_file(path, text, strlen(text), 0644, err) : 0;
}

static int publish_apply(const struct context *ctx, const struct spot *at, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *path = publish_object(ctx->cluster, at);

	return path ? publish(ctx->cluster, path, ret_changed, err) : vh_err_nomem(err);
}

/* Where it does not stand the cluster is not up; and its nodes may be others than those that are planned by now. */
int publish_settle(const struct cluster *c, struct vh_err *err)
{
	vh_autofree char *path = publish_object(c, NULL), *config = vh_strf("%s/ssh_config", c->dir), *text = NULL;
	vh_autojson doc = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *is = json_string_value(json_object_get(doc, "ssh_config"));

	if (!path || !config)
		return vh_err_nomem(err);
	if (!is || !strcmp(is, config))
		return 0;
	text = json_object_set_new(doc, "ssh_config", json_string(config)) < 0 ? NULL : json_dumps(doc, JSON_INDENT(2));
	return text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

static int publish_undo(const struct context *ctx, const struct spot *at, struct vh_err *err)
{
	vh_autofree char *path = publish_object(ctx->cluster, at);

	return path ? vh_remove_tree(path, err) : vh_err_nomem(err);
}

static int publish_look(const struct context *ctx, const struct spot *at, struct look *ret, struct vh_err *err)
{
	vh_autofree char *path = publish_object(ctx->cluster, at), *config = vh_strf("%s/ssh_config", ctx->cluster->dir);
	vh_autojson there = path ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
	vh_autojson doc = there && config ? publish_doc(ctx->cluster, config) : NULL;

	if (!path || !config || (there && !doc))
		return vh_err_nomem(err);
	if (access(path, F_OK) < 0)
		*ret = (struct look){ LOOK_MISSING, "is not there", NULL };
	else
		*ret = there && json_equal(doc, there) ? (struct look){ .is = LOOK_SAME } : (struct look){ LOOK_OTHER, "is of other nodes", NULL };
	return 0;
}

const struct step step_publish = { "publish", ONCE_A_CLUSTER, publish_apply, publish_undo, publish_look, publish_object, .again = false };
