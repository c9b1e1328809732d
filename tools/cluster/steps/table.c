// SPDX-License-Identifier: Apache-2.0
/* The steps, and which needs which: the plan prints them in this order, apply and undo go by the needs. */
#include "tools/cluster/steps/route.h"

#include <errno.h>
#include <stdlib.h>

#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/volume/volume.h"

enum { AT_ONCE = 16 };

const struct step *const cluster_steps[] = {
	&step_files,
	&step_region,
	&step_isolate,
	&step_bridge,
	&step_tap,
	&step_disk,
	&step_volume,
	&step_data,
	&step_served,
	&step_domain,
	&step_start,
	&step_vacate,
	&step_ready,
	&step_slurm,
	&step_publish,
	NULL,
};

/* Of the same node, host and cluster; what is done once needs all of theirs. Nothing of a host is touched before the
 * files are there: without an image there are none. A step needs those alone that stand before it above. */
static const struct { const struct step *step, *needs; } needs[] = {
	{ &step_region, &step_files },
	{ &step_isolate, &step_files },
	{ &step_bridge, &step_isolate },
	{ &step_tap, &step_bridge },
	{ &step_disk, &step_files },
	{ &step_volume, &step_files },
	{ &step_data, &step_files },
	{ &step_served, &step_files },
	{ &step_domain, &step_files },
	{ &step_domain, &step_region },
	{ &step_domain, &step_tap },
	{ &step_domain, &step_disk },
	{ &step_domain, &step_volume },
	{ &step_domain, &step_data },
	{ &step_domain, &step_served },
	{ &step_start, &step_domain },
	{ &step_vacate, &step_start },
	{ &step_ready, &step_start },
	{ &step_ready, &step_vacate },
	{ &step_slurm, &step_ready },
	{ &step_publish, &step_files },
	{ &step_publish, &step_ready },
	{ &step_publish, &step_slurm },
};

size_t step_spots(const struct step *s, const struct cluster *c)
{
	return s->scope == ONCE_A_NODE ? c->n_nodes + c->n_leaving : s->scope == ONCE_A_HOST ? c->n_hosts : 1;
}

struct spot step_spot(const struct step *s, const struct cluster *c, size_t i)
{
	if (s->scope == ONCE_A_NODE)
		return (struct spot){ .host = c->nodes[i].host, .node = &c->nodes[i] };
	return (struct spot){ .host = s->scope == ONCE_A_HOST ? i : 0 };
}

/* Those that failed are given up, and not waited for. */
static bool any_vacated(const struct cluster *c)
{
	bool any = false;

	for (size_t i = c->n_nodes; i < c->n_nodes + c->n_leaving; i++)
		any |= !missing_has(&c->missing, c->nodes[i].name);
	return any;
}

/* Of imported nodes nothing is made but a directory in which they are known. */
static bool is_for_foreign(const struct step *s)
{
	return s == &step_files || s == &step_domain || s == &step_start;
}

bool step_is_at(const struct step *s, const struct cluster *c, const struct spot *at)
{
	if (cluster_is_foreign(c))
		return is_for_foreign(s);
	if (s == &step_data)
		return cluster_next_data(c, NULL, NULL);
	if (s == &step_served)
		return cluster_next_served(c, NULL, NULL);
	if (s == &step_vacate)
		return c->slurm && any_vacated(c);
	return s == &step_slurm ? c->slurm : s != &step_volume || cluster_next_volume(c, at->node, NULL);
}

bool step_keeps(const struct step *s, const struct cluster *c, const struct spot *at)
{
	bool kept = s == &step_volume || s == &step_served;

	for (const struct volume *v = NULL; s == &step_volume && kept && (v = cluster_next_volume(c, at->node, v)); )
		kept = v->keep;
	for (const struct volume *v = NULL; s == &step_served && kept && (v = cluster_next_served(c, NULL, v)); )
		kept = v->keep;
	return kept;
}

const char *spot_node(const struct spot *at)
{
	return at->node ? at->node->name : NULL;
}

bool spot_is_new(const struct spot *at)
{
	return at->node && at->node->is_new;
}

bool spot_leaves(const struct cluster *c, const struct spot *at)
{
	return at->node && at->node >= c->nodes + c->n_nodes;
}

void route_clear(struct route *r)
{
	free(r->places);
	free(r->tasks);
	free(r->edges);
	free(r->spots);
	*r = (struct route){ 0 };
}

bool context_means(const struct context *ctx, const struct node *n)
{
	const struct cluster *c = ctx->cluster;

	if (n >= c->nodes + c->n_nodes)
		return false;
	return (!ctx->only || ctx->only == n) && (!ctx->among || ctx->among[n - c->nodes]);
}

bool context_is_part(const struct context *ctx)
{
	return ctx->only || ctx->among;
}

/* Whether they are of one node, host or cluster, as far as both are of one. */
static bool are_together(const struct step *s, const struct spot *a, const struct step *t, const struct spot *b)
{
	if (s->scope == ONCE_A_CLUSTER || t->scope == ONCE_A_CLUSTER)
		return true;
	return a->node && b->node ? a->node == b->node : a->host == b->host;
}

static size_t count_steps(void)
{
	size_t n = 0;

	while (cluster_steps[n])
		n++;
	return n;
}

static bool needs_all_nodes(const struct step *s)
{
	return s == &step_vacate || s == &step_slurm || s == &step_publish;
}

/* What all nodes are needed for is not done with one. */
static bool is_left_out(const struct step *s, const struct spot *at, const struct context *ctx, bool undo)
{
	const bool goes = spot_leaves(ctx->cluster, at);

	if (ctx->leaving || goes)
		return !goes || !undo;
	return at->node ? !context_means(ctx, at->node) : context_is_part(ctx) && needs_all_nodes(s);
}

/* Of a node that the cluster can do without: its number, from 1 on. */
static size_t group_of(const struct context *ctx, const struct spot *at, bool undo)
{
	const struct cluster *c = ctx->cluster;

	return !undo && ctx->lost && at->node && cluster_can_spare(c, at->node) ? (size_t)(at->node - c->nodes) + 1 : 0;
}

static void add_places(struct route *r, size_t first, size_t end, const struct spot *at, size_t spot,
		       const struct context *ctx)
{
	for (size_t i = first; i < end; i++) {
		const struct step *s = cluster_steps[i];

		if (is_left_out(s, at, ctx, r->batch.undo) || !step_is_at(s, ctx->cluster, at))
			continue;
		r->n_nodes += s == &step_domain;
		r->tasks[r->batch.n_tasks] = (struct engine_task){ .sort = i, .host = at->host, .again = s->again,
								   .group = group_of(ctx, at, r->batch.undo) };
		r->places[r->batch.n_tasks++] = (struct place){ i, *at };
		r->spots[i * r->widest + spot] = r->batch.n_tasks;
	}
}

/* Those of a node beside each other, so that the engine, which prefers what stands earlier, brings up one node
 * before it begins with all. */
static void add_all_places(struct route *r, const struct context *ctx)
{
	for (size_t first = 0, end; first < r->batch.n_sorts; first = end) {
		const struct step *s = cluster_steps[first];

		for (end = first + 1; end < r->batch.n_sorts && cluster_steps[end]->scope == s->scope; )
			end++;
		for (size_t i = 0; i < step_spots(s, ctx->cluster); i++) {
			const struct spot at = step_spot(s, ctx->cluster, i);

			add_places(r, first, end, &at, i, ctx);
		}
	}
}

static int add_edge(struct route *r, size_t first, size_t then)
{
	struct engine_edge *edges = r->edges;
	const size_t n = r->batch.n_edges;

	if ((n & (n - 1)) == 0)
		edges = reallocarray(edges, n ? 2 * n : 1, sizeof(*edges));
	if (!edges)
		return -ENOMEM;
	r->edges = edges;
	edges[r->batch.n_edges++] = (struct engine_edge){ first, then };
	return 0;
}

/* Where a step may be that another one at that spot needs: from *ret_first on, below *ret_end. */
static void spots_needed(const struct cluster *c, const struct step *needed, const struct step *s, const struct spot *at,
			 size_t *ret_first, size_t *ret_end)
{
	*ret_first = 0;
	*ret_end = step_spots(needed, c);
	if (needed->scope == ONCE_A_NODE && s->scope == ONCE_A_NODE)
		*ret_first = (size_t)(at->node - c->nodes);
	else if (needed->scope == ONCE_A_HOST && s->scope != ONCE_A_CLUSTER)
		*ret_first = at->host;
	else
		return;
	*ret_end = *ret_first + 1;
}

static int add_edges(struct route *r, const struct cluster *c, size_t needed, size_t then)
{
	const struct place *p = &r->places[then];
	const struct step *s = cluster_steps[p->step], *t = cluster_steps[needed];
	size_t i, end;
	int ret = 0;

	for (spots_needed(c, t, s, &p->at, &i, &end); ret == 0 && i < end; i++) {
		const size_t task = r->spots[needed * r->widest + i];

		if (task && are_together(t, &r->places[task - 1].at, s, &p->at))
			ret = add_edge(r, task - 1, then);
	}
	return ret;
}

static size_t index_of(const struct step *s)
{
	size_t i = 0;

	while (cluster_steps[i] != s)
		i++;
	return i;
}

static int add_all_edges(struct route *r, const struct cluster *c)
{
	int ret = 0;

	for (size_t i = 0; i < r->batch.n_tasks; i++)
		for (size_t k = 0; ret == 0 && k < vh_array_len(needs); k++)
			if (needs[k].step == cluster_steps[r->places[i].step])
				ret = add_edges(r, c, index_of(needs[k].needs), i);
	return ret;
}

static int make_room(struct route *r, const struct cluster *c)
{
	size_t n = 0;

	for (size_t i = 0; i < r->batch.n_sorts; i++) {
		const size_t spots = step_spots(cluster_steps[i], c);

		n += spots;
		r->widest = spots > r->widest ? spots : r->widest;
	}
	r->places = calloc(n, sizeof(*r->places));
	r->tasks = calloc(n, sizeof(*r->tasks));
	r->spots = calloc(r->batch.n_sorts * r->widest, sizeof(*r->spots));
	return r->places && r->tasks && r->spots ? 0 : -ENOMEM;
}

int route_make(const struct context *ctx, bool undo, struct route *ret)
{
	const struct cluster *c = ctx->cluster;
	vh_cleanup(route_clear) struct route r = { .run = c->owner, .cluster = c->name, .batch = {
		.undo = undo, .n_hosts = c->n_hosts, .n_sorts = count_steps(), .per_host = AT_ONCE } };

	if (make_room(&r, c) < 0)
		return -ENOMEM;
	add_all_places(&r, ctx);
	if (add_all_edges(&r, c) < 0)
		return -ENOMEM;
	r.batch.n_groups = c->n_nodes;
	r.batch.spare = ctx->lost && c->n_nodes > ctx->least ? c->n_nodes - ctx->least : 0;
	r.batch.tasks = r.tasks;
	r.batch.edges = r.edges;
	*ret = r;
	r = (struct route){ 0 };
	return 0;
}
