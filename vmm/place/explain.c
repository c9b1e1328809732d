// SPDX-License-Identifier: Apache-2.0
#include "vmm/place/explain.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/place/devices.h"
#include "vmm/place/explain_want.h"

enum { NODES_SHOWN = 8, SAME_MIN = 4 };

const char *vh_explain_cpus(const struct vh_want *want)
{
	return want->policy == VH_WANT_SHARED ? "CPUs to share" : want->threads == VH_THREAD_PREFER ?
	       "dedicated CPUs" : "whole cores";
}

static const char *resource(const struct vh_want *want, int what)
{
	if (what == VH_SCARCE_CPUS)
		return vh_explain_cpus(want);
	return what == VH_SCARCE_MEMORY ? "memory" : vh_device_kind_name((enum vh_device_kind)(what - VH_SCARCE_DEVICE));
}

/* Of a node in the pages asked for; any huge ones: in those of which it has most. */
static uint64_t bytes_of(const struct vh_left *left, const struct vh_want *want, size_t node)
{
	const struct vh_host_node *n = &left->host->nodes[node];
	uint64_t most = 0;

	if (want->page != VH_PAGE_LARGE)
		return vh_left_bytes(left, want->page ? want->page : VH_PAGE_SMALL, node);
	for (size_t p = 0; p < n->n_pools; p++) {
		uint64_t here = vh_left_bytes(left, n->pools[p].size, node);

		most = here > most ? here : most;
	}
	return most;
}

/* "3", "64 GiB"; of a device those of unknown node are nobody's. */
static char *amount_of(const struct vh_left *left, const struct vh_want *want, int what, size_t node)
{
	unsigned n = 0;
	char size[16];

	if (what == VH_SCARCE_CPUS)
		return vh_strf("%u", vh_left_units(left, want, node));
	if (what == VH_SCARCE_MEMORY)
		return strdup(vh_size_format(size, sizeof(size), bytes_of(left, want, node)));
	for (size_t i = 0; i < left->host->n_devices; i++)
		n += left->device[i] && left->host->devices[i].node == (int)node &&
		     vh_device_is(&left->host->devices[i], (enum vh_device_kind)(what - VH_SCARCE_DEVICE),
				  &want->devices[what - VH_SCARCE_DEVICE]);
	return vh_strf("%u", n);
}

/* What all nodes have, when it is the same in many; else NULL. */
static char *same_in_all(const struct vh_left *left, const struct vh_want *want, int what)
{
	vh_autofree char *first = amount_of(left, want, what, 0);

	for (size_t i = 1; first && i < left->host->n_nodes; i++) {
		vh_autofree char *here = amount_of(left, want, what, i);

		if (!here || strcmp(here, first))
			return NULL;
	}
	return left->host->n_nodes < SAME_MIN ? NULL : vh_steal(&first);
}

static char *wanted_cpus(const struct vh_want *want)
{
	unsigned n = want->policy == VH_WANT_MIXED ? want->dedicated : want->vcpus;
	vh_autofree char *others = want->policy == VH_WANT_MIXED ? vh_strf(" and CPUs for %u vCPU%s to share", want->vcpus - n,
									  want->vcpus - n == 1 ? "" : "s")
								 : strdup("");

	return vh_strf("%u %s%s%s%s", n, vh_explain_cpus(want), want->emulator ? " and one for the emulator" : "",
		       others ? others : "", want->n_cells > 1 ? " in guest nodes" : "");
}

static char *wanted(const struct vh_want *want, int what)
{
	static const char *const near[] = {
		[VH_AFFINITY_PREFERRED] = "preferred", [VH_AFFINITY_REQUIRED] = "required near",
		[VH_AFFINITY_SOCKET] = "of the socket", [VH_AFFINITY_NONE] = "anywhere",
		[VH_AFFINITY_LEGACY] = "near where known",
	};
	char size[16], page[16];
	bool huge = want->page > VH_PAGE_SMALL, large = want->page == VH_PAGE_LARGE;

	if (what == VH_SCARCE_CPUS)
		return wanted_cpus(want);
	if (what == VH_SCARCE_MEMORY)
		return vh_strf("%s of memory%s%s", vh_size_format(size, sizeof(size), want->memory),
			       large ? " in huge pages" : huge ? " in pages of " : "", huge ? vh_size_format(page, sizeof(page), want->page) : "");
	return vh_strf("%u %s%s (%s)%s", want->devices[what - VH_SCARCE_DEVICE].count, resource(want, what),
		       want->devices[what - VH_SCARCE_DEVICE].vf ? " VFs" : "", near[want->devices[what - VH_SCARCE_DEVICE].affinity],
		       want->pairs && (what - VH_SCARCE_DEVICE == VH_DEVICE_GPU || what - VH_SCARCE_DEVICE == VH_DEVICE_HCA) ?
		       " in pairs on one switch" : "");
}

static char *by_node(const struct vh_left *left, const struct vh_want *want, int what)
{
	size_t n = left->host->n_nodes, shown = n < NODES_SHOWN ? n : NODES_SHOWN;
	vh_autofree char *asked = wanted(want, what), *same = same_in_all(left, want, what);
	char *text;

	if (same)
		return vh_strf("%s wanted; each of the %zu nodes has %s", asked ? asked : "", n, same);
	text = vh_strf("%s wanted; ", asked ? asked : "");
	for (size_t i = 0; text && i < shown; i++) {
		vh_autofree char *before = text;
		vh_autofree char *has = amount_of(left, want, what, i);

		text = vh_strf("%s%snode %u has %s", before, i ? ", " : "", left->host->nodes[i].id, has ? has : "");
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

	if (what == VH_SCARCE_CPUS)
		return vh_strf("%llu vCPU%s%s", (unsigned long long)n, n == 1 ? "" : "s", want->n_cells ? " a guest node" : "");
	if (what == VH_SCARCE_MEMORY)
		return vh_strf("%s%s", vh_size_format(size, sizeof(size), n * vh_want_unit(want)),
			       want->n_cells ? " a guest node" : "");
	return vh_strf("%llu %s%s", (unsigned long long)n, resource(want, what),
		       want->devices[what - VH_SCARCE_DEVICE].vf ? " VFs" : "");
}

static unsigned devices_of(const struct vh_left *left, const struct vh_want *want, enum vh_device_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < left->host->n_devices; i++)
		n += left->device[i] && vh_device_is(&left->host->devices[i], kind, &want->devices[kind]);
	return n;
}

/* Not even the least fits: what the host as a whole has too little of. */
static bool lacks_in_all(const struct vh_left *left, const struct vh_want *want, bool *scarce)
{
	unsigned at_least = want->policy == VH_WANT_MIXED ? want->dedicated : want->policy == VH_WANT_SHARED ? 1 : want->vcpus;
	uint64_t cpus = 0, memory = 0;
	bool any = false;

	for (size_t i = 0; i < left->host->n_nodes; i++) {
		cpus += vh_left_units(left, want, i);
		memory += bytes_of(left, want, i);
	}
	scarce[VH_SCARCE_CPUS] = cpus < at_least;
	scarce[VH_SCARCE_MEMORY] = memory < want->memory;
	for (int kind = 0; kind < VH_DEVICE_KINDS; kind++)
		scarce[VH_SCARCE_DEVICE + kind] = devices_of(left, want, (enum vh_device_kind)kind) < want->devices[kind].count;
	for (int i = 0; i < VH_SCARCES; i++)
		any |= scarce[i];
	return any;
}

/* The least of everything, which may be too much as it is asked for: then that is scarce, and
 * asked for less strictly. */
static struct vh_want smallest(const struct vh_left *left, const struct vh_want *want, bool *scarce)
{
	struct vh_want little = vh_want_all_least(want), pages = little, cpus = little;

	if (vh_want_fits(left, &little))
		return little;
	vh_want_relax[VH_RELAX_PAGES](&pages);
	vh_want_relax[VH_RELAX_EMULATOR](&cpus);
	vh_want_relax[VH_RELAX_THREADS](&cpus);
	vh_want_relax[VH_RELAX_POLICY](&cpus);
	scarce[VH_SCARCE_MEMORY] = vh_want_fits(left, &pages);
	if (scarce[VH_SCARCE_MEMORY])
		return pages;
	scarce[VH_SCARCE_CPUS] = vh_want_fits(left, &cpus);
	return scarce[VH_SCARCE_CPUS] ? cpus : little;
}

/* What is scarce by itself, everything else being the least; none: they are in each other's way. */
static void find_scarce(const struct vh_left *left, const struct vh_want *want, bool *scarce)
{
	const struct vh_want little = smallest(left, want, scarce);
	bool any = scarce[VH_SCARCE_CPUS] || scarce[VH_SCARCE_MEMORY];

	if (!any && !vh_want_fits(left, &little) && lacks_in_all(left, want, scarce))
		return;
	for (int i = 0; i < VH_SCARCES; i++)
		any |= scarce[i] |= vh_want_amount(want, i) > vh_want_least(want, i) &&
				    vh_want_most(left, want, little, i) < vh_want_amount(want, i);
	for (int i = 0; i < VH_SCARCES && !any; i++) {
		struct vh_want w = *want;

		vh_want_limit(&w, i, vh_want_least(want, i));
		scarce[i] = vh_want_fits(left, &w);
	}
	any = false;
	for (int i = 0; i < VH_SCARCES; i++)
		any |= scarce[i];
	scarce[VH_SCARCE_CPUS] |= !any;
	scarce[VH_SCARCE_MEMORY] |= !any;
}

/* The scarce things, one after the other, as much as fits; NULL: not even the least does. */
static char *reduced(const struct vh_left *left, const struct vh_want *want, const bool *scarce)
{
	struct vh_want w = *want;
	char *text = NULL;

	for (int i = 0; i < VH_SCARCES; i++)
		if (scarce[i])
			vh_want_limit(&w, i, vh_want_least(want, i));
	if (!vh_want_fits(left, &w))
		return NULL;
	for (int i = 0; i < VH_SCARCES; i++) {
		vh_autofree char *before = NULL, *here = NULL;
		uint64_t n;

		if (!scarce[i])
			continue;
		n = vh_want_most(left, want, w, i);
		if (i == VH_SCARCE_CPUS) {
			w.vcpus = want->vcpus;
			w.dedicated = want->dedicated;
			memcpy(w.cells, want->cells, sizeof(w.cells));
			vh_want_limit_memory(&w, scarce[VH_SCARCE_MEMORY] ? vh_want_least(want, VH_SCARCE_MEMORY) : UINT32_MAX);
		}
		vh_want_limit(&w, i, n);
		before = text;
		here = amount_text(want, i, n);
		text = vh_strf("%s%s%s", before ? before : "", before ? ", " : "", here ? here : "");
	}
	return text;
}

/* The nearest request that fits, as words; NULL: none does. */
static char *nearest(const struct vh_left *left, const struct vh_want *want, const bool *scarce)
{
	char *text = reduced(left, want, scarce);
	vh_autofree char *words = NULL;
	struct vh_want w = *want;

	for (size_t i = 0; !text && i < VH_RELAXES; i++) {
		const char *word = vh_want_relax[i](&w);
		vh_autofree char *before = NULL, *rest = NULL;
		bool now[VH_SCARCES] = { false };

		if (!word)
			continue;
		before = vh_steal(&words);
		words = vh_strf("%s%s%s", before ? before : "", before ? ", " : "", word);
		if (vh_want_fits(left, &w))
			return vh_steal(&words);
		find_scarce(left, &w, now);
		rest = reduced(left, &w, now);
		text = rest ? vh_strf("%s, %s", words ? words : "", rest) : NULL;
	}
	return text;
}

/* Guest nodes are the scarce thing when not even the smallest have a node each. */
static char *lacks_nodes(const struct vh_left *left, const struct vh_want *want)
{
	struct vh_want little = vh_want_all_least(want);
	size_t n = 0;

	if (want->n_cells < 2 || vh_want_fits(left, &little))
		return NULL;
	vh_want_relax[VH_RELAX_CELLS](&little);
	for (size_t i = 0; i < left->host->n_nodes; i++)
		n += vh_left_units(left, want, i) && bytes_of(left, want, i);
	return vh_want_fits(left, &little) ? vh_strf("%zu guest nodes wanted, each on a node of its own; of %zu nodes %zu have CPUs "
					     "and memory", want->n_cells, left->host->n_nodes, n) : NULL;
}

static char *all_scarce(const struct vh_left *left, const struct vh_want *want, const bool *scarce)
{
	char *text = NULL;

	for (int i = 0; i < VH_SCARCES; i++) {
		vh_autofree char *before = NULL, *here = NULL;

		if (!scarce[i])
			continue;
		before = text;
		here = by_node(left, want, i);
		text = vh_strf("%s%s%s", before ? before : "", before ? "; " : "", here ? here : "");
	}
	return text;
}

int vh_explain_refusal(const char *host, const struct vh_left *left, const struct vh_want *want, struct vh_err *err)
{
	vh_autofree char *text = lacks_nodes(left, want), *near = NULL;
	bool scarce[VH_SCARCES] = { false };

	find_scarce(left, want, scarce);
	if (!text)
		text = all_scarce(left, want, scarce);
	vh_err_refuse(err, ENOSPC, "%s: does not fit on %s: %s", want->name, host, text ? text : "");
	near = nearest(left, want, scarce);
	return near ? vh_err_hint(err, "what would fit: %s", near) : -ENOSPC;
}
