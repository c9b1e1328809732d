// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/decide.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "tools/cluster/cli/cli.h"
#include "tools/cluster/manifest/manifest.h"
#include "vmm/hosts/hosts.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/virt/virt.h"

/* old: what exists, or NULL. */
static int make_plan(const struct vh_cli *cli, const struct manifest *m, struct session *s, struct cluster *old, struct vh_err *err)
{
	struct vh_hosts_query q = { .root = cli->root, .connect = cli->connect, .state = cli->state };
	const struct apply_opts *o = cli->opts;
	int r = old ? cluster_change(m, s->images, &q, o->host, s->store, old, &s->cluster, err)
		    : cluster_plan(m, s->images, &q, o->host, s->store, &s->cluster, err);

	for (char **note = q.notes; note && *note && !cli->quiet; note++)
		fprintf(stderr, "%s: %s\n", cli->prog, *note);
	vh_strv_free(q.notes);
	return r;
}

/* Pools of c boot what they booted; another image than that is asked for. */
static bool boots_on(const struct cluster *c, const struct pool *wanted)
{
	const struct cluster_pool *is = c ? cluster_pool_named(c, wanted->name) : NULL;

	return is && !strcmp(is->wanted.image, wanted->image);
}

static int find_images(const struct vh_cli *cli, const struct manifest *m, const struct cluster *c, struct session *s, struct vh_err *err)
{
	const struct apply_opts *o = cli->opts;
	size_t n;
	const struct pool *pools = manifest_pools(m, &n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = session_image(cli, o->store, boots_on(c, &pools[i]) ? NULL : &pools[i], s, err);
	return r;
}

static bool makes_anew(const struct cluster *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n_nodes; i++)
		any |= cluster_is_behind(c, &c->nodes[i]) && cluster_is_remade(c, &c->nodes[i]);
	return any;
}

/* Of nodes that were imported nothing is planned anew: the manifest is to ask for what they are. */
static int keep_foreign(const struct manifest *m, struct session *s, struct vh_err *err)
{
	int r = cluster_matches(&s->cluster, m, err);

	if (r == 0)
		s->changes = cluster_take_policy(&s->cluster, m);
	return r < 0 ? vh_err_hint(err, "nodes that were imported stay what they are; vhpc cluster destroy %s gives them back", m->name) : 0;
}

static int plan_change(const struct vh_cli *cli, const struct manifest *m, struct session *s, struct vh_err *err)
{
	vh_cleanup(cluster_clear) struct cluster old = s->cluster;
	vh_autojson was = cluster_to_json(&old);
	vh_autojson is = NULL;
	int r = cluster_can_become(&old, m, err);

	s->cluster = (struct cluster){ 0 };
	session_forget_was(s);
	s->was = r == 0 ? calloc(1, sizeof(*s->was)) : NULL;
	if (r == 0)
		r = s->was ? cluster_manifest(&old, s->was, err) : vh_err_nomem(err);
	if (r == 0)
		r = find_images(cli, m, &old, s, err);
	if (r == 0)
		r = make_plan(cli, m, s, &old, err);
	if (r < 0)
		return r;
	is = cluster_to_json(&s->cluster);
	s->changes = !was || !is || !json_equal(was, is);
	if (!was || !is)
		return vh_err_nomem(err);
	return makes_anew(&s->cluster) ? session_check_snapshots(s, err) : 0;
}

static int find_or_make_plan(const struct vh_cli *cli, const struct manifest *m, struct session *s, bool *ret_exists, struct vh_err *err)
{
	int r = record_load(s->store, cli->state, m->name, &s->cluster, err);

	*ret_exists = r == 0;
	if (r == 0 && cluster_is_foreign(&s->cluster))
		return keep_foreign(m, s, err);
	if (r == 0)
		return plan_change(cli, m, s, err);
	if (r == -ENOENT)
		r = record_lost(cli->state, m->name, err);
	if (r == 0)
		r = find_images(cli, m, NULL, s, err);
	return r < 0 ? r : make_plan(cli, m, s, NULL, err);
}

int decide_plan(const struct vh_cli *cli, const struct saved *want, struct session *s, bool *ret_exists, struct vh_err *err)
{
	int r = find_or_make_plan(cli, want->manifest, s, ret_exists, err);

	return r < 0 ? r : saved_fits(want, &s->cluster, *ret_exists, err);
}

int decide_bridge(const struct cluster *c, struct vh_err *err)
{
	if (!if_nametoindex(c->bridge))
		return 0;
	vh_err_refuse(err, EEXIST, "cluster %s: interface %s, its bridge, exists already and is not of this cluster", c->name, c->bridge);
	return vh_err_hint(err, "destroy the cluster of that name in its own --state, or give this one another name");
}

/* disk: malloc'd, freed. */
static int decide_volume(const struct volume *v, char *disk, int (*look)(const struct volume *, const char *, bool *, struct vh_err *),
			 struct vh_err *err)
{
	vh_autofree char *is = disk;
	bool there = false;
	int r = is ? look(v, is, &there, err) : vh_err_nomem(err);

	if (r < 0 || !there || v->keep)
		return r;
	vh_err_refuse(err, EEXIST, "volume %s: an earlier cluster has kept its disk %s, and this one would remove it", v->name, disk);
	return vh_err_hint(err, "keep: yes takes it again; or remove it");
}

/* Nothing of a new cluster is mounted yet. */
static int decide_served(const struct cluster *c, const struct volume *v, struct vh_err *err)
{
	vh_autofree char *dir = cluster_served_dir(c, v);
	int r = decide_volume(v, cluster_served_image(c, v), volume_image_look, err);

	if (r < 0)
		return r;
	r = dir ? volume_place_check(dir, err) : vh_err_nomem(err);
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

int decide_volumes(const struct cluster *c, struct vh_err *err)
{
	bool is_new = true;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->n_nodes; i++) {
		is_new &= c->nodes[i].is_new;
		for (const struct volume *v = NULL; r == 0 && c->nodes[i].is_new && (v = cluster_next_volume(c, &c->nodes[i], v)); )
			r = decide_volume(v, cluster_volume_disk(c, &c->nodes[i], v), volume_disk_look, err);
	}
	for (const struct volume *v = NULL; r == 0 && is_new && (v = cluster_next_served(c, NULL, v)); )
		r = decide_served(c, v, err);
	return r;
}

int decide_data(const struct cluster *c, const struct saved *want, struct vh_err *err)
{
	autodata data = { .n = 0 };
	int r = data_expect(&c->volumes, c->volumes_dir, &data, err);

	return r < 0 ? r : saved_fits_data(want, c, &data, err);
}

int decide_daemon(struct session *s, struct vh_err *err)
{
	const struct volume *v = cluster_next_served(&s->cluster, NULL, NULL);
	int r = v ? vh_virt_can_mount(s->virt, err) : 0;

	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

int decide_names(struct session *s, struct vh_err *err)
{
	for (size_t i = 0; i < s->cluster.n_nodes; i++) {
		const char *state = NULL;
		int r = !s->cluster.nodes[i].is_new ? 0 : vh_virt_state(s->virt, s->cluster.nodes[i].name, &state, err);

		if (r < 0)
			return r;
		if (state) {
			vh_err_refuse(err, EEXIST, "cluster %s: a domain named %s exists already (%s) and is not of this cluster",
				      s->cluster.name, s->cluster.nodes[i].name, vh_virt_uri(s->virt));
			return vh_err_hint(err, "give the cluster another name");
		}
	}
	return 0;
}
