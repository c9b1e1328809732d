// SPDX-License-Identifier: Apache-2.0
/* A hostile neighbour: writes random words all over the memory that VMs share, for so many
 * seconds (default 3). For tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mpirun-wrap/ivshm/core/core.h"

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 3);
	struct ivshm_mapping m;
	uint64_t word = 88172645463325252u;

	if (ivshm_map(NULL, &m) < 0) {
		fprintf(stderr, "scribble: %s: no region\n", m.path);
		return 1;
	}
	while (time(NULL) < end)
		for (uint64_t *at = m.base; (uint8_t *)at < (uint8_t *)m.base + m.size; at += 1 + word % 7) {
			word ^= word << 13;
			word ^= word >> 7;
			word ^= word << 17;
			__atomic_store_n(at, word % 3 ? word : word >> 58, __ATOMIC_RELAXED);
		}
	return 0;
}
