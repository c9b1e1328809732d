// SPDX-License-Identifier: Apache-2.0
/* The order of the steps: the plan prints it, apply walks it forwards, undo backwards. */
#include "tools/cluster/steps/steps.h"

#include "tools/cluster/plan/plan.h"

const struct step *const cluster_steps[] = {
	&step_files,
	&step_region,
	&step_isolate,
	&step_bridge,
	&step_tap,
	&step_disk,
	&step_domain,
	&step_start,
	&step_ready,
	&step_publish,
	NULL,
};

size_t step_spots(const struct step *s, const struct cluster *c)
{
	return s->scope == ONCE_A_NODE ? c->n_nodes : s->scope == ONCE_A_HOST ? c->n_hosts : 1;
}

struct spot step_spot(const struct step *s, const struct cluster *c, size_t i)
{
	if (s->scope == ONCE_A_NODE)
		return (struct spot){ .host = c->nodes[i].host, .node = &c->nodes[i] };
	return (struct spot){ .host = s->scope == ONCE_A_HOST ? i : 0 };
}
