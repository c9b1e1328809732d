// SPDX-License-Identifier: Apache-2.0
/* vhpc cluster import: a domain that somebody else made becomes a node. */
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/finding.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/life/life.h"
#include "vmm/virt/virt.h"

struct import {
	const struct vh_cli *cli;
	const char *domain;
	char *node;			/* its whole name */
	const char *state;		/* libvirt's word of the domain; static */
	struct manifest m;
	struct foreign *f;
	struct vh_findings found;
	struct session s;
};

static void import_clear(struct import *i)
{
	free(i->node);
	manifest_clear(&i->m);
	foreign_free(i->f);
	vh_findings_clear(&i->found);
	session_clear(&i->s);
}

/* "web-1", or the node's whole name. */
static int name_node(struct import *i, const char *word, struct vh_err *err)
{
	const size_t len = strlen(i->m.name);
	const bool whole = !strncmp(word, i->m.name, len) && word[len] == '-';

	i->node = whole ? strdup(word) : vh_strf("%s-%s", i->m.name, word);
	return i->node ? 0 : vh_err_nomem(err);
}

/* --- the domain */

static int look(struct import *i, bool *ret_marked, struct vh_err *err)
{
	vh_autofree char *owner = NULL, *own = vh_strf("cluster/%s", i->m.name);
	int r = own ? vh_virt_look(i->s.virt, i->domain, &i->state, &owner, err) : vh_err_nomem(err);

	*ret_marked = owner != NULL;
	if (r < 0 || !owner || !strcmp(owner, own))
		return r;
	return vh_err_refuse(err, EEXIST, "domain %s: is one of %s already", i->domain, owner);
}

static int read_domain(struct import *i, struct vh_err *err)
{
	vh_autofree char *defined = NULL, *now = NULL;
	bool marked = false;
	int r = look(i, &marked, err);

	if (r == 0 && !i->state)
		return vh_err_refuse(err, ENOENT, "domain %s: no such domain on %s", i->domain, vh_virt_uri(i->s.virt));
	if (r == 0)
		r = vh_virt_check_defined(i->s.virt, i->domain, err);
	if (r == 0)
		r = vh_virt_any_xml(i->s.virt, i->domain, true, &defined, err);
	if (r == 0)
		r = vh_virt_any_xml(i->s.virt, i->domain, false, &now, err);
	if (r == 0 && (!defined || !now))
		r = vh_err_set(err, ENOENT, "domain %s: has just gone", i->domain);
	/* Once it is a node it floats where it may. */
	return r < 0 ? r : foreign_read(defined, marked ? defined : now, &i->f, err);
}

static int open_all(struct import *i, struct vh_err *err)
{
	const struct vh_cli *cli = i->cli;
	int r = manifest_load(cli->argv[0], &i->m, err);

	if (r == 0)
		r = name_node(i, cli->argv[1], err);
	if (r == 0)
		r = session_open(cli, i->m.name, &i->s, err);
	if (r == 0)
		r = vh_lives_sweep_state(cli->state, err);
	if (r == 0)
		r = vh_virt_open(&i->s.virt, cli->connect, cli->state, false, err);
	if (r == -ENOTCONN && !err->num)
		return vh_err_refuse(err, ENOTCONN, "domain %s: no libvirt runs here", i->domain);
	return r < 0 ? r : read_domain(i, err);
}

/* --- what is recorded */

/* Whether it is a node already, so that what a killed run left is finished. */
static int find_node(const struct import *i, bool *ret, struct vh_err *err)
{
	const struct cluster *c = &i->s.cluster;

	for (size_t k = 0; k < c->n_nodes; k++) {
		const struct node *n = &c->nodes[k];
		const bool same = !strcmp(n->name, i->node), its = foreign_is_of(i->f, n);

		if (same != its)
			return vh_err_refuse(err, EEXIST, "node %s: is domain %s of UUID %s already", n->name, node_domain(n), n->uuid);
		*ret |= same;
	}
	return 0;
}

static bool has_domain(const json_t *record, const char *domain)
{
	const json_t *nodes = json_object_get(record, "nodes"), *node;
	size_t k;

	json_array_foreach(nodes, k, node) {
		const char *its = json_string_value(json_object_get(node, "domain"));

		if (!its)
			its = json_string_value(json_object_get(node, "name"));
		if (its && !strcmp(its, domain))
			return true;
	}
	return false;
}

/* Before it has its mark, or its maker has renamed it, only their records tell whose it is. */
static int check_others(const struct import *i, struct vh_err *err)
{
	vh_autojson all = NULL;
	const char *name;
	json_t *record;
	int r = vh_record_list(i->s.store, "cluster", &all, err);

	if (r < 0)
		return r;
	json_object_foreach(all, name, record)
		if (strcmp(name, i->m.name) && has_domain(record, i->domain))
			return vh_err_refuse(err, EEXIST, "domain %s: is a node of cluster %s already", i->domain, name);
	return 0;
}

static int load(struct import *i, bool *ret_exists, bool *ret_has, struct vh_err *err)
{
	struct session *s = &i->s;
	int r = record_load(s->store, i->cli->state, i->m.name, &s->cluster, err);

	*ret_has = false;
	*ret_exists = r == 0;
	if (r == -ENOENT && !err->num)
		return record_lost(i->cli->state, i->m.name, err);
	if (r < 0 || cluster_is_foreign(&s->cluster))
		return r < 0 ? r : find_node(i, ret_has, err);
	vh_err_refuse(err, EEXIST, "cluster %s: apply made it, and a domain that is there is no node of such a one", i->m.name);
	return vh_err_hint(err, "give the manifest of what is imported another name");
}

/* Within a transaction: *ret_id is the journal's row, 0: it is recorded already. */
static int record(struct import *i, int64_t *ret_id, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster old = { 0 };
	struct session *s = &i->s;
	bool exists = false, has = false;
	int r = load(i, &exists, &has, err);

	if (r < 0 || has)
		return r;
	r = check_others(i, err);
	if (r < 0)
		return r;
	old = s->cluster;
	s->cluster = (struct cluster){ 0 };
	r = cluster_import(&i->m, i->node, i->f, i->cli->state, s->store, exists ? &old : NULL, &s->cluster, err);
	if (r == 0)
		r = record_create(s->store, &s->cluster, err);
	return r < 0 ? r : vh_journal_begin(s->store, s->cluster.owner, step_domain.what, i->node, ret_id, err);
}

/* A dry run does the same, and leaves none of it. */
static int settle_record(struct import *i, int64_t *ret_id, struct vh_err *err)
{
	const struct import_opts *o = i->cli->opts;
	vh_autoerr undo = VH_ERR_NONE;
	int r = vh_store_begin(i->s.store, err);

	if (r < 0)
		return r;
	r = record(i, ret_id, err);
	if (!o->dry_run)
		return vh_store_settle(i->s.store, r, err);
	vh_store_end(i->s.store, false, &undo);
	return r;
}

/* --- what is done */

static int do_steps(struct import *i, const struct node *n, int64_t id, struct vh_err *err)
{
	struct context ctx = session_context(i->cli, &i->s, 0);
	const struct spot whole = { 0 }, at = { .host = n->host, .node = n };
	bool changed;
	int r = step_files.apply(&ctx, &whole, &changed, err);

	ctx.only = n;
	if (r == 0)
		r = step_domain.apply(&ctx, &at, &changed, err);
	if (r == 0 && id)
		r = vh_journal_done(i->s.store, id, err);
	if (r == 0)
		r = session_want(&ctx, !vh_virt_is_off(i->state), err);
	return r < 0 ? r : session_hold(&ctx, n, err);
}

static int take_in(struct import *i, struct vh_err *err)
{
	const struct node *n = NULL;
	int64_t id = 0;
	int r = settle_record(i, &id, err);
	const struct import_opts *o = i->cli->opts;

	if (r < 0 || o->dry_run)
		return r;
	r = session_node(&i->s, i->node, &n, err);
	if (r == 0)
		r = do_steps(i, n, id, err);
	if (r == 0)
		return 0;
	vh_err_as(err, VH_EXIT_PARTIAL);
	return err->hint ? r : vh_err_hint(err, "the same again finishes it; vhpc cluster destroy %s gives it back", i->m.name);
}

/* --- what is said */

static json_t *list_of(char *const *texts)
{
	json_t *all = json_array();

	for (; texts && *texts; texts++)
		json_array_append_new(all, json_string(*texts));
	return all;
}

static int say_compared(const struct import *i, char *const *uncompared, struct vh_err *err)
{
	const struct vh_cli *cli = i->cli;

	if (cli->json)
		return vh_json_print("vhpc.cluster.import/1", json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:o}", "cluster", i->m.name, "node", i->node,
									"domain", i->domain, "uuid", foreign_uuid(i->f), "state", i->state,
									"findings", i->found.rows, "uncompared", list_of(uncompared)), err);
	vh_findings_print(stdout, i->found.rows, true);
	for (; !cli->quiet && *uncompared; uncompared++)
		fprintf(stderr, "%s: not compared: %s\n", cli->prog, *uncompared);
	return 0;
}

/* What nodes have that were made here, and this one has not. */
static void say_limits(const struct import *i)
{
	if (i->cli->quiet)
		return;
	fprintf(stderr, "%s: node %s has no identity, keys, users, address or jobs of vhpc's: its disk and its guest stay their maker's\n",
		i->cli->prog, i->node);
	if (foreign_floats(i->f))
		fprintf(stderr, "%s: domain %s is pinned to no CPUs: nothing keeps it off those that others have alone\n", i->cli->prog, i->domain);
}

static int compare(struct import *i, struct vh_err *err)
{
	vh_autostrv uncompared = NULL;
	int r = foreign_compare(&i->m, i->node, i->f, &i->found, err);

	if (r == 0)
		r = foreign_uncompared(&i->m, i->node, &uncompared, err);
	if (r == 0)
		r = say_compared(i, uncompared, err);
	if (r < 0 || !i->found.stops)
		return r;
	vh_err_refuse(err, EINVAL, "domain %s: %zu of these are not as the manifest asks for node %s", i->domain, i->found.stops, i->node);
	return vh_err_hint(err, "let the manifest say what the domain is, or virsh edit %s", i->domain);
}

int verb_import(struct vh_cli *cli, struct vh_err *err)
{
	const struct import_opts *o = cli->opts;
	vh_cleanup(import_clear) struct import i = { .cli = cli, .domain = cli->argv[2], .s = { .lock = -1 } };
	int r = open_all(&i, err);

	if (r == 0)
		r = compare(&i, err);
	if (r == 0)
		r = take_in(&i, err);
	if (r < 0)
		return r;
	say_limits(&i);
	vh_progress_end(vh_steal(&i.s.progress), o->dry_run ? "domain %s would be node %s" : "domain %s is node %s", i.domain, i.node);
	return 0;
}
