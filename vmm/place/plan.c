// SPDX-License-Identifier: Apache-2.0
/* What a host has left, and plans as values. */
#include <errno.h>
#include <string.h>

#include "vmm/host/host.h"
#include "vmm/place/cpus.h"

const char *const vh_score_names[VH_SCORES] = {
	"NUMA nodes", "distance to devices", "distance between nodes", "page size", "caches", "shared caches",
	"split cores", "largest hole", "holes", "cache holes", "cores broken into", "memory left",
};

static bool is_taken(const struct vh_taken *taken, unsigned cpu)
{
	for (size_t i = 0; taken && i < taken->n_cpus; i++)
		if (taken->cpus[i] == cpu)
			return true;
	return false;
}

static bool has_isolated(const struct vh_host *host)
{
	for (size_t i = 0; i < host->n_cpus; i++)
		if (host->cpus[i].isolated)
			return true;
	return false;
}

static void fill_cpus(struct vh_left *left, const struct vh_taken *taken)
{
	const struct vh_host *host = left->host;
	/* With isolcpus, dedicated vCPUs go there and all else does not. */
	bool isolated = has_isolated(host);

	for (size_t i = 0; i < host->n_cpus; i++) {
		bool is_free = !is_taken(taken, host->cpus[i].id);

		left->cpu[i] = is_free && (!isolated || host->cpus[i].isolated);
		left->floats[i] = is_free && !host->cpus[i].isolated;
	}
}

int vh_left_init(struct vh_left *left, const struct vh_host *host, const struct vh_taken *taken)
{
	*left = (struct vh_left){
		.host = host,
		.cpu = calloc(host->n_cpus + 1, sizeof(bool)),
		.floats = calloc(host->n_cpus + 1, sizeof(bool)),
		.memory = calloc(host->n_nodes + 1, sizeof(uint64_t)),
		.pages = calloc(host->n_nodes + 1, VH_HOST_POOLS * sizeof(uint64_t)),
		.device = calloc(host->n_devices + 1, sizeof(bool)),
	};
	if (!left->cpu || !left->floats || !left->memory || !left->pages || !left->device) {
		vh_left_clear(left);
		return -ENOMEM;
	}
	fill_cpus(left, taken);
	for (size_t i = 0; i < host->n_nodes; i++) {
		uint64_t held = taken && taken->memory ? taken->memory[i] : 0;

		left->memory[i] = host->nodes[i].free > held ? host->nodes[i].free - held : 0;
		for (size_t p = 0; p < host->nodes[i].n_pools; p++) {
			uint64_t there = host->nodes[i].pools[p].free, at = i * VH_HOST_POOLS + p;

			held = taken && taken->pages ? taken->pages[at] : 0;
			left->pages[at] = there > held ? there - held : 0;
		}
	}
	for (size_t i = 0; i < host->n_devices; i++)
		left->device[i] = !host->devices[i].held;
	return 0;
}

void vh_left_clear(struct vh_left *left)
{
	free(left->cpu);
	free(left->floats);
	free(left->memory);
	free(left->pages);
	free(left->device);
	*left = (struct vh_left){ 0 };
}

static int pool_of(const struct vh_host_node *node, uint64_t page)
{
	for (size_t p = 0; p < node->n_pools; p++)
		if (node->pools[p].size == page)
			return (int)p;
	return -1;
}

uint64_t vh_left_bytes(const struct vh_left *left, uint64_t page, size_t node)
{
	int p = pool_of(&left->host->nodes[node], page);
	uint64_t bytes;

	if (page == VH_PAGE_SMALL)
		return left->memory[node];
	if (p < 0 || __builtin_mul_overflow(left->pages[node * VH_HOST_POOLS + (size_t)p], page, &bytes))
		return 0;
	return bytes < VH_NODE_MEMORY_MAX ? bytes : VH_NODE_MEMORY_MAX;
}

unsigned vh_left_floats(const struct vh_left *left, size_t node)
{
	const struct vh_host *host = left->host;
	unsigned n = 0;

	for (size_t i = 0; i < host->n_cpus; i++)
		n += host->cpus[i].node == host->nodes[node].id && left->floats[i];
	return n;
}

unsigned vh_left_units(const struct vh_left *left, const struct vh_want *want, size_t node)
{
	const struct vh_host *host = left->host;
	unsigned n = 0, id = host->nodes[node].id;

	for (size_t i = 0; i < host->n_cpus; i++) {
		unsigned core = host->cpus[i].core, all = 0, is_free = 0, first = (unsigned)i;

		if (host->cpus[i].node != id)
			continue;
		if (want->policy == VH_WANT_SHARED || want->threads == VH_THREAD_PREFER) {
			n += want->policy == VH_WANT_SHARED ? left->floats[i] : left->cpu[i];
			continue;
		}
		for (size_t k = 0; k < host->n_cpus; k++)
			if (host->cpus[k].core == core && host->cpus[k].node == id) {
				first = k < first ? (unsigned)k : first;
				all++;
				is_free += left->cpu[k];
			}
		if (first == i)
			n += vh_core_units(want->threads, is_free, all);
	}
	return n;
}

static void set_cpu(struct vh_left *left, unsigned i, bool is_free)
{
	bool isolated = left->host->cpus[i].isolated;

	left->cpu[i] = is_free;
	left->floats[i] = is_free && !isolated;
}

static void set_plan(struct vh_left *left, const struct vh_plan *plan, bool is_free)
{
	for (unsigned i = 0; i < plan->vcpus; i++)
		if (plan->cpu[i] >= 0)
			set_cpu(left, (unsigned)plan->cpu[i], is_free);
	for (size_t i = 0; i < plan->n_held; i++)
		set_cpu(left, plan->held[i], is_free);
	if (plan->emulator >= 0)
		set_cpu(left, (unsigned)plan->emulator, is_free);
	for (size_t i = 0; i < plan->n_devices; i++)
		left->device[plan->devices[i]] = is_free;
	for (size_t i = 0; i < plan->n_cells; i++) {
		const struct vh_plan_cell *c = &plan->cells[i];
		int p = pool_of(&left->host->nodes[c->node], plan->page);
		uint64_t *have = p < 0 ? &left->memory[c->node] :
					 &left->pages[c->node * VH_HOST_POOLS + (size_t)p];
		uint64_t amount = p < 0 ? c->memory : c->memory / plan->page;

		*have = is_free ? *have + amount : *have - amount;
	}
}

void vh_left_take(struct vh_left *left, const struct vh_plan *plan)
{
	set_plan(left, plan, false);
}

void vh_left_give(struct vh_left *left, const struct vh_plan *plan)
{
	set_plan(left, plan, true);
}

void vh_plan_free(struct vh_plan *plan)
{
	if (!plan)
		return;
	free(plan->cpu);
	free(plan->cell);
	free(plan->floating);
	free(plan->held);
	free(plan);
}
