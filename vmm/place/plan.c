// SPDX-License-Identifier: Apache-2.0
/* What a host has left, and plans as values. */
#include "vmm/place/plan.h"

#include <errno.h>
#include <string.h>

#include "lib/values.h"
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

bool vh_device_is(const struct vh_host_device *d, enum vh_device_kind kind, const struct vh_want_devices *w)
{
	return d->kind == kind && w->vf == (d->pf[0] != 0);
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

static int check_cells(const struct vh_want *want, struct vh_err *err)
{
	uint64_t memory = 0;
	unsigned vcpus = 0, own = 0;

	for (size_t i = 0; i < want->n_cells; i++) {
		if (!want->cells[i].memory)
			return vh_err_refuse(err, EINVAL, "%s: guest node %zu has no memory", want->name, i);
		if (want->policy == VH_WANT_MIXED && want->cells[i].dedicated > want->cells[i].vcpus)
			return vh_err_refuse(err, EINVAL, "%s: guest node %zu has more dedicated vCPUs than vCPUs",
					     want->name, i);
		own += want->cells[i].dedicated;
		if (__builtin_add_overflow(memory, want->cells[i].memory, &memory) ||
		    __builtin_add_overflow(vcpus, want->cells[i].vcpus, &vcpus))
			return vh_err_refuse(err, ERANGE, "%s: the guest nodes' sizes have no sum", want->name);
	}
	if (want->n_cells && vcpus != want->vcpus)
		return vh_err_refuse(err, EINVAL, "%s: the guest nodes have %u vCPUs, the VM %u", want->name,
				     vcpus, want->vcpus);
	if (want->n_cells && want->policy == VH_WANT_MIXED && own != want->dedicated)
		return vh_err_refuse(err, EINVAL, "%s: the guest nodes have %u dedicated vCPUs, the VM %u", want->name,
				     own, want->dedicated);
	if (want->n_cells && memory != want->memory)
		return vh_err_refuse(err, EINVAL, "%s: the guest nodes have %llu bytes of memory, the VM %llu",
				     want->name, (unsigned long long)memory, (unsigned long long)want->memory);
	return 0;
}

static int check_pages(const struct vh_want *want, struct vh_err *err)
{
	uint64_t page = want->page > VH_PAGE_LARGE ? want->page : 1;
	char m[16], p[16], down[16], up[16];

	for (size_t i = 0; i <= want->n_cells; i++) {
		uint64_t memory = i < want->n_cells ? want->cells[i].memory : want->memory;

		if (page <= VH_PAGE_SMALL || memory % page == 0)
			continue;
		vh_err_refuse(err, EINVAL, "%s: %s of memory is no multiple of the page size, %s", want->name,
			      vh_size_format(m, sizeof(m), memory), vh_size_format(p, sizeof(p), page));
		return vh_err_hint(err, "the nearest that are: %s, %s",
				   vh_size_format(down, sizeof(down), memory / page * page),
				   vh_size_format(up, sizeof(up), (memory / page + 1) * page));
	}
	return 0;
}

static int check_devices(const struct vh_want *want, struct vh_err *err)
{
	unsigned n = 0;

	for (int k = 0; k < VH_DEVICE_KINDS; k++) {
		if (want->devices[k].count > VH_PLAN_DEVICES_MAX)
			n = VH_PLAN_DEVICES_MAX;
		n += want->devices[k].count < VH_PLAN_DEVICES_MAX ? want->devices[k].count : 1;
	}
	if (n > VH_PLAN_DEVICES_MAX)
		return vh_err_refuse(err, ERANGE, "%s: more than %d devices", want->name, VH_PLAN_DEVICES_MAX);
	if (want->pairs > want->devices[VH_DEVICE_GPU].count || want->pairs > want->devices[VH_DEVICE_HCA].count)
		return vh_err_refuse(err, EINVAL, "%s: %u pairs of %u GPUs and %u HCAs", want->name, want->pairs,
				     want->devices[VH_DEVICE_GPU].count, want->devices[VH_DEVICE_HCA].count);
	return 0;
}

int vh_want_check(const struct vh_want *want, struct vh_err *err)
{
	int r;

	if (!want->vcpus || want->vcpus > VH_VCPUS_MAX)
		return vh_err_refuse(err, EINVAL, "%s: a VM has 1 to %d vCPUs", want->name, VH_VCPUS_MAX);
	if (!want->memory || want->memory > INT64_MAX)
		return vh_err_refuse(err, EINVAL, "%s: a VM has some memory, and less than 8 EiB", want->name);
	if (want->policy == VH_WANT_MIXED && (!want->dedicated || want->dedicated >= want->vcpus))
		return vh_err_refuse(err, EINVAL, "%s: of a mixed VM's %u vCPUs some, and not all, are dedicated",
				     want->name, want->vcpus);
	if (want->policy == VH_WANT_SHARED && (want->emulator || want->threads != VH_THREAD_PREFER))
		return vh_err_refuse(err, EINVAL, "%s: a CPU for the emulator, and a policy for threads, go with "
				     "dedicated CPUs only", want->name);
	if (want->n_cells > VH_CELLS_MAX)
		return vh_err_refuse(err, ERANGE, "%s: more than %d guest nodes", want->name, VH_CELLS_MAX);
	r = check_cells(want, err);
	if (r == 0)
		r = check_pages(want, err);
	return r < 0 ? r : check_devices(want, err);
}
