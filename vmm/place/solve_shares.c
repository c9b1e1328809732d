// SPDX-License-Identifier: Apache-2.0
/* How vCPUs and memory are shared out over chosen nodes. */
#include "vmm/place/search.h"

bool vh_search_dedicates(const struct vh_want *want)
{
	return want->policy != VH_WANT_SHARED;
}

unsigned vh_search_dedicated(const struct vh_want *want)
{
	return want->policy == VH_WANT_DEDICATED ? want->vcpus :
	       want->policy == VH_WANT_MIXED ? want->dedicated : 0;
}

static uint64_t filled_to(const uint64_t *cups, size_t n, uint64_t level)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += cups[i] < level ? cups[i] : level;
	return sum;
}

/* Pours amount into cups as evenly as they take it, the first of equals getting the rest. */
static void pour(uint64_t amount, const uint64_t *cups, uint64_t *got, size_t n)
{
	uint64_t low = 0, high = amount + 1, rest;

	/* The highest level that amount reaches in all of them. */
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		*(filled_to(cups, n, mid) <= amount ? &low : &high) = mid;
	}
	rest = amount - filled_to(cups, n, low);
	for (size_t i = 0; i < n; i++) {
		got[i] = cups[i] < low ? cups[i] : low;
		if (rest && cups[i] > low) {
			got[i]++;
			rest--;
		}
	}
}

/* In whole pages; small ones in MiB, and what is no MiB goes where there is room. */
bool vh_search_pour_memory(struct vh_search *s, struct vh_share *shares)
{
	uint64_t unit = s->page == VH_PAGE_SMALL ? 1 << 20 : s->page, rest = s->want->memory % unit;
	uint64_t cups[VH_CELLS_MAX] = { 0 }, got[VH_CELLS_MAX] = { 0 }, sum = 0;

	for (size_t i = 0; i < s->k; i++)
		cups[i] = s->bytes[shares[i].node] / unit;
	pour(s->want->memory / unit, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++) {
		shares[i].memory = got[i] * unit;
		if (rest && s->bytes[shares[i].node] - shares[i].memory >= rest) {
			shares[i].memory += rest;
			rest = 0;
		}
		sum += shares[i].memory;
	}
	return sum == s->want->memory;
}

struct vh_node_cpus *vh_search_cpus(struct vh_search *s, unsigned node)
{
	unsigned most = s->units < s->caps[node] ? s->units : s->caps[node];

	if (!s->cpus[node])
		s->cpus[node] = vh_node_cpus_new(s->left, s->want->threads, node, most);
	s->failed |= !s->cpus[node];
	return s->cpus[node];
}

unsigned vh_search_left_to_float(struct vh_search *s, unsigned node, unsigned x)
{
	unsigned chosen[VH_VCPUS_MAX + 1], held[VH_HOST_CPUS_MAX], taken = 0;
	struct vh_node_cpus *n = x && !s->crowded ? vh_search_cpus(s, node) : NULL;
	size_t n_held = 0;

	if (!n || vh_node_cpus_cost(n, x) == VH_COST_NONE)
		return s->floats[node];
	vh_node_cpus_choose(n, x, chosen, held, &n_held);
	for (unsigned i = 0; i < x; i++)
		taken += s->left->floats[chosen[i]];
	for (size_t i = 0; i < n_held; i++)
		taken += s->left->floats[held[i]];
	return s->floats[node] - taken;
}

void vh_search_pour_vcpus(struct vh_search *s, struct vh_share *shares)
{
	uint64_t cups[VH_CELLS_MAX] = { 0 }, got[VH_CELLS_MAX] = { 0 };
	unsigned own = vh_search_dedicated(s->want), extra = s->want->emulator;

	for (size_t i = 0; i < s->k; i++)
		cups[i] = s->crowded && s->caps[shares[i].node] ? UINT32_MAX : s->caps[shares[i].node];
	pour(vh_search_dedicates(s->want) ? own : s->want->vcpus, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++) {
		shares[i].vcpus = (unsigned)got[i];
		shares[i].units = vh_search_dedicates(s->want) ? (unsigned)got[i] : 0;
		shares[i].extra = extra && got[i] < cups[i];
		extra -= shares[i].extra;
	}
	if (s->want->policy != VH_WANT_MIXED)
		return;
	/* vCPUs without a CPU of their own go where CPUs are left to float on. */
	for (size_t i = 0; i < s->k; i++)
		cups[i] = vh_search_left_to_float(s, shares[i].node, shares[i].units + shares[i].extra) ? UINT32_MAX : 0;
	pour(s->want->vcpus - own, cups, got, s->k);
	for (size_t i = 0; i < s->k; i++)
		shares[i].vcpus += (unsigned)got[i];
}
