// SPDX-License-Identifier: Apache-2.0
/* usage: simulate SEED SCHEDULES
 * Runs so many schedules of vhpc cluster's engine, from that seed on; one that goes wrong, or is alone, is told event by event. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "tests/simulate/simulate.h"

static struct sim_world world;

static int simulate(uint64_t seed, uint64_t n)
{
	const clock_t begun = clock();

	for (uint64_t i = 0; i < n; i++)
		if (!sim_schedule(&world, seed + i, n == 1 ? stdout : NULL)) {
			if (n > 1)
				sim_schedule(&world, seed + i, stdout);
			printf("not ok simulate: %s; again by make simulate SEED=%" PRIu64 " SCHEDULES=1\n", world.why, seed + i);
			return 1;
		}
	printf("ok simulate: %" PRIu64 " schedules from seed %" PRIu64 " on, in %.2f s of processor time\n", n, seed,
	       (double)(clock() - begun) / CLOCKS_PER_SEC);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: simulate SEED SCHEDULES\n");
		return 2;
	}
	return simulate(strtoull(argv[1], NULL, 0), strtoull(argv[2], NULL, 0));
}
