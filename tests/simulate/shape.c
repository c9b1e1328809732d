// SPDX-License-Identifier: Apache-2.0
#include "tests/simulate/shape.h"

#include <string.h>

enum { NODES = 4, HOSTS = 2, SORTS = 8, AT_ONCE = 4, LATE_MS = 1500, WIDE_NODES = 40 };

enum scope { ONCE, A_HOST, A_NODE };

/* Where a sort of tasks is: the first of them, and how many; node n is on host n % n_hosts. */
struct sort { enum scope scope; size_t first, n; };

static void rest(struct sim_world *w)
{
	for (size_t i = 0; i < w->n_tasks; i++) {
		enum sim_value is = sim_random(w, 4) ? SIM_ABSENT : SIM_OTHER;

		w->objects[i] = (struct sim_object){ .is = is, .before = is };
		w->rows[i] = (struct sim_row){ 0 };
		w->out[i] = false;
	}
	w->now = 1;
	w->broken_sort = -1;
	w->faults = 0;
	w->calls_left = -1;
}

static struct sort add_sort(struct sim_world *w, enum scope scope, size_t n_nodes)
{
	const struct sort s = { scope, w->n_tasks, scope == ONCE ? 1 : scope == A_HOST ? w->n_hosts : n_nodes };
	const bool again = sim_random(w, 2);
	const int64_t late_ms = sim_random(w, 4) ? 0 : LATE_MS;

	for (size_t i = 0; i < s.n; i++)
		w->tasks[w->n_tasks++] = (struct engine_task){ .sort = w->n_sorts, .host = i % w->n_hosts, .again = again,
							       .settle_ms = late_ms, .group = scope == A_NODE ? i : 0 };
	w->n_sorts++;
	return s;
}

static bool are_together(const struct sim_world *w, const struct sort *a, size_t i, const struct sort *b, size_t k)
{
	if (a->scope == ONCE || b->scope == ONCE)
		return true;
	return a->scope == b->scope ? i == k : i % w->n_hosts == k % w->n_hosts;
}

static void add_need(struct sim_world *w, const struct sort *first, const struct sort *then)
{
	for (size_t i = 0; i < first->n; i++)
		for (size_t k = 0; k < then->n; k++)
			if (are_together(w, first, i, then, k))
				w->edges[w->n_edges++] = (struct engine_edge){ first->first + i, then->first + k };
}

/* The first node is one that nothing can do without. */
static void begin(struct sim_world *w, size_t n_hosts, size_t per_host, size_t n_nodes)
{
	w->n_tasks = w->n_edges = w->n_sorts = 0;
	w->n_hosts = n_hosts;
	w->per_host = (unsigned)per_host;
	w->n_groups = n_nodes - 1;
	w->spare = sim_random(w, 2) ? sim_random(w, n_nodes) : 0;
}

void sim_shape(struct sim_world *w)
{
	const size_t n_nodes = 1 + sim_random(w, NODES), n = 2 + sim_random(w, SORTS - 1);
	struct sort sorts[SORTS];

	begin(w, 1 + sim_random(w, HOSTS), 1 + sim_random(w, AT_ONCE), n_nodes);
	for (size_t i = 0; i < n; i++) {
		sorts[i] = add_sort(w, (enum scope)sim_random(w, 3), n_nodes);
		for (size_t k = 0; k < i; k++)
			if (sim_random(w, 2))
				add_need(w, &sorts[k], &sorts[i]);
	}
	rest(w);
}

void sim_shape_wide(struct sim_world *w)
{
	struct sort sorts[3];

	begin(w, 1, 1 + sim_random(w, 16), WIDE_NODES);
	for (size_t i = 0; i < 3; i++) {
		sorts[i] = add_sort(w, i ? A_NODE : ONCE, WIDE_NODES);
		if (i)
			add_need(w, &sorts[i - 1], &sorts[i]);
	}
	rest(w);
	w->broken_sort = (int)sim_random(w, 3);
	w->broken = sim_random(w, 2) ? 1000 : 900;
}

void sim_shape_as(struct sim_world *w, const struct engine_batch *batch)
{
	memcpy(w->tasks, batch->tasks, batch->n_tasks * sizeof(*w->tasks));
	memcpy(w->edges, batch->edges, batch->n_edges * sizeof(*w->edges));
	w->n_tasks = batch->n_tasks;
	w->n_edges = batch->n_edges;
	w->n_hosts = batch->n_hosts;
	w->n_sorts = batch->n_sorts;
	w->n_groups = batch->n_groups;
	w->spare = batch->spare;
	w->per_host = batch->per_host;
	rest(w);
}
