// SPDX-License-Identifier: Apache-2.0
/* What sinfo says on the head of a cluster: a guest's words. Who does not take part is named,
 * on one line that a terminal bears. */
#include "tests/fuzz/fuzz.h"
#include "tools/cluster/slurm/slurm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slurm_node nodes[] = { { .name = "c-1" }, { .name = "c-2" }, { .name = "c-11" } };
	static const struct slurm slurm = { .cluster = "c", .head = "c-1", .mpi = "openmpi", .nodes = nodes, .n_nodes = 3 };
	vh_autofree char *text = fuzz_text(data, size), *absent = slurm_absent(&slurm, text);

	FUZZ_ASSERT(absent);
	for (const char *c = absent; *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
	FUZZ_ASSERT(*absent || (strstr(text, "c-1:") && strstr(text, "c-2:") && strstr(text, "c-11:")));
	FUZZ_ASSERT(strlen(absent) < 3 * 256);
	return 0;
}
