// SPDX-License-Identifier: Apache-2.0
/* Schedules of the engine over simulated hosts (world.h): applied, killed, undone, again and again, and in the end
 * finished or undone without a fault. */
#ifndef VH_SIMULATE_H
#define VH_SIMULATE_H

#include "tests/simulate/world.h"

/* The schedule of that seed: batch, faults and kills. false: *w says why, w->why. trace: told each event; NULL: nobody is.
 * w need not be initialised. */
bool sim_schedule(struct sim_world *w, uint64_t seed, FILE *trace);

/* Kills apply and undo of the batch at each call that the engine makes, then has it finished or undone. How many times;
 * 0: as above. In its tasks settle_ms is how late their objects may come. */
size_t sim_kill_everywhere(struct sim_world *w, const struct engine_batch *batch);

#endif
