// SPDX-License-Identifier: Apache-2.0
/* A request file, Nova's and Glance's properties included; what is accepted is solved. */
#include "tests/fuzz/fuzz.h"
#include "vmm/host/host.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

enum { NODES = 2, CPUS = 8 };

static void solve(const struct vh_want *want)
{
	struct vh_host_node nodes[NODES] = { { 0 } };
	struct vh_host_cpu cpus[CPUS] = { { 0 } };
	const struct vh_host host = { .nodes = nodes, .n_nodes = NODES, .cpus = cpus, .n_cpus = CPUS };
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autoplan plan = NULL;
	vh_autoerr err = VH_ERR_NONE;

	for (unsigned i = 0; i < NODES; i++)
		nodes[i] = (struct vh_host_node){ .id = i, .memory = 8ULL << 30, .free = 8ULL << 30 };
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i] = (struct vh_host_cpu){ .id = i, .core = i / 2, .l3 = i / 4, .node = i / 4 };
	FUZZ_ASSERT(vh_left_init(&left, &host, NULL) == 0 && vh_solve(&left, want, 0, &plan) == 0);
	if (!plan)
		FUZZ_ASSERT(vh_explain_refusal("host", &left, want, &err) < 0 && err.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text text = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_want want;
	int r = vh_want_parse("request", (const char *)data, size, &text, &err);

	if (r == 0)
		r = vh_want_read(&text, &want, &err);
	FUZZ_ASSERT(r == 0 || err.text);
	if (r == 0)
		solve(&want);
	return 0;
}
