// SPDX-License-Identifier: Apache-2.0
#include "vmm/place/explain_want.h"

#include <string.h>

uint64_t vh_want_unit(const struct vh_want *want)
{
	/* Any huge pages: in GiB, or in 2 MiB where it is less. */
	if (want->page == VH_PAGE_LARGE)
		return want->memory < 1 << 30 ? 2 << 20 : 1 << 30;
	return want->page > VH_PAGE_SMALL ? want->page : 1 << 20;
}

uint64_t vh_want_amount(const struct vh_want *want, int what)
{
	uint64_t unit = vh_want_unit(want), most = 0;

	if (what >= VH_SCARCE_DEVICE)
		return want->devices[what - VH_SCARCE_DEVICE].count;
	if (!want->n_cells)
		return what == VH_SCARCE_CPUS ? want->vcpus : (want->memory + unit - 1) / unit;
	for (size_t i = 0; i < want->n_cells; i++) {
		uint64_t here = what == VH_SCARCE_CPUS ? want->cells[i].vcpus : (want->cells[i].memory + unit - 1) / unit;

		most = here > most ? here : most;
	}
	return most;
}

uint64_t vh_want_least(const struct vh_want *want, int what)
{
	if (what >= VH_SCARCE_DEVICE)
		return 0;
	return what == VH_SCARCE_CPUS && want->policy == VH_WANT_MIXED ? 2 : 1;
}

static uint64_t at_most(uint64_t v, uint64_t most)
{
	return v < most ? v : most;
}

static void limit_cpus(struct vh_want *want, unsigned most)
{
	unsigned vcpus = 0, own = 0;

	want->numbered = false;
	for (size_t i = 0; i < want->n_cells; i++) {
		struct vh_want_cell *c = &want->cells[i];

		c->vcpus = (unsigned)at_most(c->vcpus, most);
		c->dedicated = (unsigned)at_most(c->dedicated, c->vcpus);
		vcpus += c->vcpus;
		own += c->dedicated;
	}
	want->vcpus = want->n_cells ? vcpus : (unsigned)at_most(want->vcpus, most);
	if (want->policy == VH_WANT_MIXED)
		want->dedicated = want->n_cells ? own : (unsigned)at_most(want->dedicated, want->vcpus - 1);
}

void vh_want_limit_memory(struct vh_want *want, uint64_t units)
{
	uint64_t most = __builtin_mul_overflow(units, vh_want_unit(want), &most) ? UINT64_MAX : most, sum = 0;

	for (size_t i = 0; i < want->n_cells; i++) {
		want->cells[i].memory = at_most(want->cells[i].memory, most);
		sum += want->cells[i].memory;
	}
	want->memory = want->n_cells ? sum : at_most(want->memory, most);
}

void vh_want_limit(struct vh_want *want, int what, uint64_t most)
{
	if (what == VH_SCARCE_CPUS)
		limit_cpus(want, (unsigned)most);
	else if (what == VH_SCARCE_MEMORY)
		vh_want_limit_memory(want, most);
	else
		want->devices[what - VH_SCARCE_DEVICE].count =
			(unsigned)at_most(want->devices[what - VH_SCARCE_DEVICE].count, most);
	want->pairs = (unsigned)at_most(want->pairs, at_most(want->devices[VH_DEVICE_GPU].count,
							     want->devices[VH_DEVICE_HCA].count));
}

bool vh_want_fits(const struct vh_left *left, const struct vh_want *want)
{
	vh_autoplan plan = NULL;

	return vh_solve(left, want, 0, &plan) == 0 && plan;
}

struct vh_want vh_want_all_least(const struct vh_want *want)
{
	struct vh_want w = *want;

	for (int i = 0; i < VH_SCARCES; i++)
		vh_want_limit(&w, i, vh_want_least(want, i));
	return w;
}

/* As much of it as fits beside what base has of the rest. */
uint64_t vh_want_most(const struct vh_left *left, const struct vh_want *want, struct vh_want base, int what)
{
	uint64_t low = vh_want_least(want, what), high = vh_want_amount(want, what) + 1;

	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		struct vh_want w = base;

		if (what == VH_SCARCE_CPUS) {
			w.vcpus = want->vcpus;
			w.dedicated = want->dedicated;
		} else if (what == VH_SCARCE_MEMORY) {
			w.memory = want->memory;
		} else {
			w.devices[what - VH_SCARCE_DEVICE] = want->devices[what - VH_SCARCE_DEVICE];
		}
		for (size_t i = 0; i < want->n_cells && what == VH_SCARCE_CPUS; i++) {
			w.cells[i].vcpus = want->cells[i].vcpus;
			w.cells[i].dedicated = want->cells[i].dedicated;
		}
		for (size_t i = 0; i < want->n_cells && what == VH_SCARCE_MEMORY; i++)
			w.cells[i].memory = want->cells[i].memory;
		w.pairs = want->pairs;
		vh_want_limit(&w, what, mid);
		*(vh_want_fits(left, &w) ? &low : &high) = mid;
	}
	return low;
}

/* --- less strictly */

static const char *relax_cells(struct vh_want *w)
{
	bool was = w->n_cells > 0;

	w->n_cells = 0;
	w->numbered = false;
	return was ? "numa auto" : NULL;
}

static const char *relax_emulator(struct vh_want *w)
{
	bool was = w->emulator;

	w->emulator = false;
	return was ? "emulator share" : NULL;
}

static const char *relax_pairs(struct vh_want *w)
{
	bool was = w->pairs > 0;

	w->pairs = 0;
	return was ? "no pairs" : NULL;
}

static const char *relax_affinity(struct vh_want *w)
{
	bool was = false;

	for (int k = 0; k < VH_DEVICE_KINDS; k++) {
		was |= w->devices[k].count && w->devices[k].affinity != VH_AFFINITY_PREFERRED &&
		       w->devices[k].affinity != VH_AFFINITY_NONE;
		w->devices[k].affinity = VH_AFFINITY_PREFERRED;
	}
	return was ? "devices preferred near" : NULL;
}

static const char *relax_threads(struct vh_want *w)
{
	bool was = w->threads != VH_THREAD_PREFER;

	w->threads = VH_THREAD_PREFER;
	return was ? "threads prefer" : NULL;
}

static const char *relax_pages(struct vh_want *w)
{
	bool was = w->page != VH_PAGE_ANY && w->page != VH_PAGE_SMALL;

	w->page = was ? VH_PAGE_ANY : w->page;
	return was ? "page size any" : NULL;
}

static const char *relax_policy(struct vh_want *w)
{
	bool was = w->policy != VH_WANT_SHARED;

	w->policy = VH_WANT_SHARED;
	return was ? "CPU policy shared" : NULL;
}

const char *(*const vh_want_relax[VH_RELAXES])(struct vh_want *) = {
	relax_cells, relax_emulator, relax_pairs, relax_affinity, relax_threads, relax_pages, relax_policy,
};
