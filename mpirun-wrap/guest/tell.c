// SPDX-License-Identifier: Apache-2.0
/* /usr/lib/vhpc/ivshm in an image: which memory this VM shares with others of its host, and
 * how it is mapped, as one line of JSON (docs/ivshm.md). Changes nothing there, but that
 * a region in which nobody was yet gets its header. Exits 1 where there is none. */
#include <stdio.h>
#include <string.h>

#include "mpirun-wrap/ivshm/core/core.h"

static int none(const char *path, int error)
{
	printf("{\"schema\": \"vhpc.ivshm/1\", \"path\": \"%s\", \"error\": \"%s\"}\n", path, strerror(-error));
	return 1;
}

int main(void)
{
	struct ivshm_mapping m;
	struct ivshm_region r;
	int err = ivshm_map(NULL, &m);

	if (err == 0)
		err = ivshm_open(&r, m.base, m.size, !m.cached);
	if (err < 0)
		return none(m.path, err);
	printf("{\"schema\": \"vhpc.ivshm/1\", \"path\": \"%s\", \"by\": \"%s\", \"size\": %zu, \"write_back\": %s, "
	       "\"load_ns\": %.1f, \"slots\": %u, \"slots_used\": %u, \"chunks\": %u, \"chunks_free\": %u}\n",
	       m.path, m.by, m.size, m.cached ? "true" : "false", m.load_ns, r.n_slots, ivshm_used_slots(&r), r.n_chunks,
	       ivshm_free_chunks(&r));
	return 0;
}
