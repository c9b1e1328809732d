// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SIMULATE_SHAPE_H
#define VH_SIMULATE_SHAPE_H

#include "tests/simulate/world.h"

/* A world at rest, with a batch as w->random has it: sorts of tasks, each once, or once a host or node, that need some of
 * the sorts before them. */
void sim_shape(struct sim_world *w);
/* Many nodes, where tries of one sort all fail alike. */
void sim_shape_wide(struct sim_world *w);
/* With that batch, which fits. */
void sim_shape_as(struct sim_world *w, const struct engine_batch *batch);

#endif
