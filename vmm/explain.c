// SPDX-License-Identifier: Apache-2.0
#include "vmm/explain.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/table.h"
#include "lib/values.h"
#include "vmm/plan_devices.h"

enum { OTHERS_MAX = 64, NODES_SHOWN = 8 };

/* What can be scarce; the kinds of devices follow. */
enum { CPUS, MEMORY, FIRST_DEVICE, SCARCE = FIRST_DEVICE + VH_DEVICE_KINDS };

static uint64_t unit_of(const struct vh_want *want)
{
	return want->page > VH_PAGE_SMALL ? want->page : 1 << 20;
}

static uint64_t amount(const struct vh_want *want, int what)
{
	uint64_t unit = unit_of(want), most = 0;

	if (what >= FIRST_DEVICE)
		return want->devices[what - FIRST_DEVICE].count;
	if (!want->n_cells)
		return what == CPUS ? want->vcpus : (want->memory + unit - 1) / unit;
	for (size_t i = 0; i < want->n_cells; i++) {
		uint64_t here = what == CPUS ? want->cells[i].vcpus : (want->cells[i].memory + unit - 1) / unit;

		most = here > most ? here : most;
	}
	return most;
}

static uint64_t least(const struct vh_want *want, int what)
{
	if (what >= FIRST_DEVICE)
		return 0;
	return what == CPUS && want->policy == VH_WANT_MIXED ? 2 : 1;
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

static void limit_memory(struct vh_want *want, uint64_t units)
{
	uint64_t most = __builtin_mul_overflow(units, unit_of(want), &most) ? UINT64_MAX : most, sum = 0;

	for (size_t i = 0; i < want->n_cells; i++) {
		want->cells[i].memory = at_most(want->cells[i].memory, most);
		sum += want->cells[i].memory;
	}
	want->memory = want->n_cells ? sum : at_most(want->memory, most);
}

static void limit(struct vh_want *want, int what, uint64_t most)
{
	if (what == CPUS)
		limit_cpus(want, (unsigned)most);
	else if (what == MEMORY)
		limit_memory(want, most);
	else
		want->devices[what - FIRST_DEVICE].count =
			(unsigned)at_most(want->devices[what - FIRST_DEVICE].count, most);
	want->pairs = (unsigned)at_most(want->pairs, at_most(want->devices[VH_DEVICE_GPU].count,
							     want->devices[VH_DEVICE_HCA].count));
}

static bool fits(const struct vh_left *left, const struct vh_want *want)
{
	vh_autoplan plan = NULL;

	return vh_solve(left, want, 0, &plan) == 0 && plan;
}

static struct vh_want all_least(const struct vh_want *want)
{
	struct vh_want w = *want;

	for (int i = 0; i < SCARCE; i++)
		limit(&w, i, least(want, i));
	return w;
}

/* As much of it as fits beside what base has of the rest. */
static uint64_t most_that_fits(const struct vh_left *left, const struct vh_want *want, struct vh_want base, int what)
{
	uint64_t low = least(want, what), high = amount(want, what) + 1;

	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;
		struct vh_want w = base;

		if (what == CPUS) {
			w.vcpus = want->vcpus;
			w.dedicated = want->dedicated;
		} else if (what == MEMORY) {
			w.memory = want->memory;
		} else {
			w.devices[what - FIRST_DEVICE] = want->devices[what - FIRST_DEVICE];
		}
		for (size_t i = 0; i < want->n_cells && what == CPUS; i++) {
			w.cells[i].vcpus = want->cells[i].vcpus;
			w.cells[i].dedicated = want->cells[i].dedicated;
		}
		for (size_t i = 0; i < want->n_cells && what == MEMORY; i++)
			w.cells[i].memory = want->cells[i].memory;
		w.pairs = want->pairs;
		limit(&w, what, mid);
		*(fits(left, &w) ? &low : &high) = mid;
	}
	return low;
}

static const char *resource(const struct vh_want *want, int what)
{
	if (what == CPUS)
		return want->policy == VH_WANT_SHARED ? "CPUs to share" : want->threads == VH_THREAD_PREFER ?
		       "dedicated CPUs" : "whole cores";
	return what == MEMORY ? "memory" : vh_device_kind_name((enum vh_device_kind)(what - FIRST_DEVICE));
}

/* "node 0 has 3", for a device also those of unknown node. */
static char *node_has(const struct vh_left *left, const struct vh_want *want, int what, size_t node)
{
	unsigned id = left->host->nodes[node].id, n = 0;
	char size[16];

	if (what == CPUS)
		return vh_strf("node %u has %u", id, vh_left_units(left, want, node));
	if (what == MEMORY)
		return vh_strf("node %u has %s", id, vh_size_format(size, sizeof(size), vh_left_bytes(left,
			       want->page > VH_PAGE_LARGE ? want->page : VH_PAGE_SMALL, node)));
	for (size_t i = 0; i < left->host->n_devices; i++)
		n += left->device[i] && left->host->devices[i].node == (int)node &&
		     vh_device_is(&left->host->devices[i], (enum vh_device_kind)(what - FIRST_DEVICE),
				  &want->devices[what - FIRST_DEVICE]);
	return vh_strf("node %u has %u", id, n);
}

static char *wanted(const struct vh_want *want, int what)
{
	char size[16], page[16];
	bool huge = want->page > VH_PAGE_SMALL;

	if (what == CPUS)
		return vh_strf("%u %s%s%s", want->vcpus, resource(want, what), want->emulator ? " and one for the "
			       "emulator" : "", want->n_cells > 1 ? " in guest nodes" : "");
	if (what == MEMORY)
		return vh_strf("%s of memory%s%s", vh_size_format(size, sizeof(size), want->memory),
			       huge ? " in pages of " : "", huge ? vh_size_format(page, sizeof(page), want->page) : "");
	return vh_strf("%u %s%s (%s)%s", want->devices[what - FIRST_DEVICE].count, resource(want, what),
		       want->devices[what - FIRST_DEVICE].vf ? " VFs" : "",
		       (const char *[]){ "preferred", "required near", "of the socket", "anywhere", "near where known" }
		       [want->devices[what - FIRST_DEVICE].affinity], want->pairs ? " in pairs on one switch" : "");
}

static char *by_node(const struct vh_left *left, const struct vh_want *want, int what)
{
	size_t n = left->host->n_nodes, shown = n < NODES_SHOWN ? n : NODES_SHOWN;
	char *text = wanted(want, what);

	for (size_t i = 0; text && i < shown; i++) {
		vh_autofree char *before = text;
		vh_autofree char *has = node_has(left, want, what, i);

		text = vh_strf("%s%s%s", before, i ? ", " : " wanted; ", has ? has : "");
	}
	if (text && shown < n) {
		vh_autofree char *before = text;

		text = vh_strf("%s and %zu nodes more", before, n - shown);
	}
	return text;
}

static char *amount_text(const struct vh_want *want, int what, uint64_t n)
{
	char size[16];

	if (what == CPUS)
		return vh_strf("%llu vCPUs%s", (unsigned long long)n, want->n_cells ? " a guest node" : "");
	if (what == MEMORY)
		return vh_strf("%s%s", vh_size_format(size, sizeof(size), n * unit_of(want)),
			       want->n_cells ? " a guest node" : "");
	return vh_strf("%llu %s", (unsigned long long)n, resource(want, what));
}

/* What is scarce by itself, everything else being the least; none: they are in each other's way. */
static void find_scarce(const struct vh_left *left, const struct vh_want *want, bool *scarce)
{
	const struct vh_want little = all_least(want);
	bool any = false;

	for (int i = 0; i < SCARCE; i++)
		any |= scarce[i] = amount(want, i) > least(want, i) &&
				   most_that_fits(left, want, little, i) < amount(want, i);
	for (int i = 0; i < SCARCE && !any; i++) {
		struct vh_want w = *want;

		limit(&w, i, least(want, i));
		scarce[i] = fits(left, &w);
	}
	any = false;
	for (int i = 0; i < SCARCE; i++)
		any |= scarce[i];
	scarce[CPUS] |= !any;
	scarce[MEMORY] |= !any;
}

/* The scarce things, one after the other, as much as fits. */
static char *nearest(const struct vh_left *left, const struct vh_want *want, const bool *scarce)
{
	struct vh_want w = *want;
	char *text = NULL;

	for (int i = 0; i < SCARCE; i++)
		if (scarce[i])
			limit(&w, i, least(want, i));
	if (!fits(left, &w))
		return NULL;
	for (int i = 0; i < SCARCE; i++) {
		vh_autofree char *before = NULL, *here = NULL;
		uint64_t n;

		if (!scarce[i])
			continue;
		n = most_that_fits(left, want, w, i);
		if (i == CPUS) {
			w.vcpus = want->vcpus;
			w.dedicated = want->dedicated;
			memcpy(w.cells, want->cells, sizeof(w.cells));
			limit_memory(&w, scarce[MEMORY] ? least(want, MEMORY) : UINT32_MAX);
		}
		limit(&w, i, n);
		before = text;
		here = amount_text(want, i, n);
		text = vh_strf("%s%s%s", before ? before : "", before ? ", " : "", here ? here : "");
	}
	return text;
}

int vh_explain_refusal(const char *host, const struct vh_left *left, const struct vh_want *want, struct vh_err *err)
{
	vh_autofree char *text = NULL, *near = NULL;
	bool scarce[SCARCE] = { false };

	find_scarce(left, want, scarce);
	for (int i = 0; i < SCARCE; i++) {
		vh_autofree char *before = NULL, *here = NULL;

		if (!scarce[i])
			continue;
		before = text;
		here = by_node(left, want, i);
		text = vh_strf("%s%s%s", before ? before : "", before ? "; " : "", here ? here : "");
	}
	vh_err_refuse(err, ENOSPC, "%s: does not fit on %s: %s", want->name, host, text ? text : "");
	near = nearest(left, want, scarce);
	return near ? vh_err_hint(err, "what would fit: %s", near) : -ENOSPC;
}

/* --- other choices of nodes */

static char *lacks(const struct vh_left *left, const struct vh_want *want, const unsigned *nodes, size_t n)
{
	struct vh_plan plan = { 0 };
	uint64_t cpus = 0, memory = 0, page = want->page > VH_PAGE_LARGE ? want->page : VH_PAGE_SMALL;
	uint64_t need = (want->policy == VH_WANT_MIXED ? want->dedicated : want->vcpus) + want->emulator;
	char size[16];

	for (size_t i = 0; i < n; i++) {
		cpus += vh_left_units(left, want, nodes[i]);
		memory += vh_left_bytes(left, page, nodes[i]);
	}
	if (want->n_cells && want->n_cells != n)
		return vh_strf("lacks %lld nodes", (long long)want->n_cells - (long long)n);
	if (cpus < need)
		return vh_strf("lacks %llu %s", (unsigned long long)(need - cpus), resource(want, CPUS));
	if (memory < want->memory)
		return vh_strf("lacks %s of memory", vh_size_format(size, sizeof(size), want->memory - memory));
	if (vh_choose_devices(left, want, nodes, n, &plan) < 0)
		return strdup("lacks devices that are near enough");
	return strdup("cannot be shared out so");
}

static char *why_worse(const struct vh_plan *other, const struct vh_plan *plan)
{
	for (int i = 0; i < VH_SCORES; i++)
		if (other->score[i] != plan->score[i]) {
			bool least_wanted = i != VH_SCORE_HOLE && i != VH_SCORE_HOLES;

			return vh_strf("%s: %lld against %lld", vh_score_names[i],
				       (long long)(least_wanted ? other->score[i] : -other->score[i]),
				       (long long)(least_wanted ? plan->score[i] : -plan->score[i]));
		}
	return strdup("as good, and comes later");
}

static bool is_chosen(const struct vh_plan *plan, const unsigned *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t k = 0; k < plan->n_cells; k++)
			found |= plan->cells[k].node == nodes[i];
		if (!found)
			return false;
	}
	return n == plan->n_cells;
}

static int add_other(json_t *rows, const struct vh_left *left, const struct vh_want *want,
		     const struct vh_plan *plan, const unsigned *nodes, size_t n)
{
	vh_autoplan other = NULL;
	vh_autofree char *why = NULL;
	json_t *list;

	if (is_chosen(plan, nodes, n))
		return 0;
	if (vh_solve_on(left, want, nodes, n, &other) < 0)
		return -ENOMEM;
	why = other ? why_worse(other, plan) : lacks(left, want, nodes, n);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(left->host->nodes[nodes[i]].id));
	return json_array_append_new(rows, json_pack("{s:o, s:b, s:s}", "nodes", list, "fits", other != NULL, "why",
						     why ? why : ""));
}

/* Sets of n of the host's nodes, in order. */
static void add_sets(json_t *rows, const struct vh_left *left, const struct vh_want *want,
		     const struct vh_plan *plan, unsigned *nodes, size_t have, size_t n)
{
	if (have == n) {
		add_other(rows, left, want, plan, nodes, n);
		return;
	}
	for (unsigned i = have ? nodes[have - 1] + 1 : 0; i < left->host->n_nodes; i++) {
		if (json_array_size(rows) >= OTHERS_MAX)
			return;
		nodes[have] = i;
		add_sets(rows, left, want, plan, nodes, have + 1, n);
	}
}

json_t *vh_explain_others(const struct vh_left *left, const struct vh_want *want, const struct vh_plan *plan)
{
	unsigned nodes[VH_CELLS_MAX];
	json_t *rows = json_array();

	for (size_t n = 1; rows && n <= (size_t)plan->score[VH_SCORE_NODES]; n++)
		add_sets(rows, left, want, plan, nodes, 0, n);
	return rows;
}
