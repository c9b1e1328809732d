// SPDX-License-Identifier: Apache-2.0
/* What sinfo and squeue say on the head of a cluster: a guest's words. Who does not take part is named, and whose jobs
 * run, on one line that a terminal bears; and which nodes are meant, by the plan's own names alone. */
#include "tests/fuzz/fuzz.h"
#include "lib/strv.h"
#include "tools/cluster/slurm/judge.h"
#include "tools/cluster/slurm/slurm.h"

static void check_line(const char *text, size_t max)
{
	FUZZ_ASSERT(text);
	for (const char *c = text; *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
	FUZZ_ASSERT(strlen(text) < max);
}

/* Each once, in their order; the open ones and the held ones are known, and none is both that drains. */
static void check_nodes(const struct slurm *s, const char *text)
{
	vh_autostrv known = NULL;
	vh_autostrv open = NULL;
	vh_autostrv held = NULL;

	FUZZ_ASSERT(nodes_said(s, text, NODES_KNOWN, NULL, &known) == 0);
	FUZZ_ASSERT(nodes_said(s, text, NODES_OPEN, NULL, &open) == 0);
	FUZZ_ASSERT(nodes_said(s, text, NODES_HELD, "vhpc: leaves", &held) == 0);
	FUZZ_ASSERT(vh_strv_len(known) <= s->n_nodes);
	for (size_t i = 0; i < s->n_nodes; i++)
		if (vh_strv_has(open, s->nodes[i].name) || vh_strv_has(held, s->nodes[i].name))
			FUZZ_ASSERT(vh_strv_has(known, s->nodes[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct slurm_node nodes[] = { { .name = "c-1" }, { .name = "c-2" }, { .name = "c-11" } };
	static struct slurm_node two[] = { { .name = "c-1" }, { .name = "c-2", .missing = true } };
	static const struct slurm slurm = { .cluster = "c", .head = "c-1", .mpi = "openmpi", .nodes = nodes, .n_nodes = 3 };
	static const struct slurm some = { .cluster = "c", .head = "c-1", .mpi = "openmpi", .nodes = two, .n_nodes = 2 };
	vh_autofree char *text = fuzz_text(data, size), *absent = slurm_absent(&slurm, text), *jobs = jobs_said(text);

	check_line(absent, 3 * 256);
	check_line(jobs, 4 * 80 + 40);
	FUZZ_ASSERT(*absent || (strstr(text, "c-1:") && strstr(text, "c-2:") && strstr(text, "c-11:")));
	FUZZ_ASSERT(nodes_differ(&slurm, text) || (strstr(text, "c-1:") && strstr(text, "c-2:") && strstr(text, "c-11:")));
	FUZZ_ASSERT(!*jobs == !text[strspn(text, "\n")]);
	check_nodes(&slurm, text);
	FUZZ_ASSERT(nodes_differ(&some, text) || strstr(text, "c-2:" SLURM_NOWHERE ":d"));
	return 0;
}
