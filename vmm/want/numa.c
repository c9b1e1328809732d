// SPDX-License-Identifier: Apache-2.0
/* Guest NUMA nodes of a request, and which vCPU is in which. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/want/read.h"

static int split_evenly(struct vh_want *want, unsigned n, struct vh_err *err)
{
	uint64_t unit = want->page > VH_PAGE_SMALL ? want->page : 2 << 20;

	if (!n || n > VH_CELLS_MAX || n > want->vcpus || n > want->memory / unit)
		return vh_err_refuse(err, EINVAL, "guest NUMA nodes: %u of %u vCPUs and %llu MiB cannot be", n,
				     want->vcpus, (unsigned long long)want->memory >> 20);
	want->n_cells = n;
	for (unsigned i = 0; i < n; i++)
		want->cells[i] = (struct vh_want_cell){
			.vcpus = want->vcpus / n + (i < want->vcpus % n),
			.memory = (want->memory / unit / n + (i < want->memory / unit % n)) * unit,
		};
	want->cells[0].memory += want->memory % unit;
	return 0;
}

/* How many of a guest node, "4", or which, "0-2+6": then they are marked as its own. */
static int read_cell_vcpus(const char *text, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	struct vh_want_cell *c = &want->cells[want->n_cells];
	bool in[VH_VCPUS_MAX];

	if (!vh_want_is_set(text))
		return vh_want_read_number("guest NUMA nodes", text, VH_VCPUS_MAX, &c->vcpus, err);
	if (vh_vcpus_parse(text, '+', VH_VCPUS_MAX, in) < 0)
		return vh_err_refuse(err, EINVAL, "guest NUMA nodes: '%.40s' is no set of vCPUs", text);
	for (unsigned i = 0; i < VH_VCPUS_MAX; i++) {
		if (!in[i])
			continue;
		if (sets->cell[i] != VH_WANT_NO_CELL)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: vCPU %u is in two of them", i);
		sets->cell[i] = (unsigned char)want->n_cells;
		c->vcpus++;
	}
	return 0;
}

/* "4:8G,2:4G": vCPUs and memory of each; these give the VM's own where it has none. */
static int read_cells(const char *value, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	vh_autofree char *copy = strdup(value);
	char *rest = copy, *cell, *memory;
	int r = 0;

	if (!copy)
		return vh_err_nomem(err);
	while (r == 0 && (cell = strsep(&rest, ","))) {
		struct vh_want_cell *c = &want->cells[want->n_cells];

		if (want->n_cells == VH_CELLS_MAX)
			return vh_err_refuse(err, ERANGE, "guest NUMA nodes: more than %d", VH_CELLS_MAX);
		memory = strchr(cell, ':');
		if (!memory)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: '%.40s' is not VCPUS:MEMORY", cell);
		*memory++ = 0;
		r = read_cell_vcpus(cell, want, sets, err);
		if (r == 0)
			r = vh_want_read_size("guest NUMA nodes", memory, &c->memory, err);
		want->n_cells++;
	}
	return r;
}

int vh_want_read_numa(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	unsigned n = 0;
	int r;

	if (!strcmp(value, "auto"))
		return 0;
	if (strchr(value, ':'))
		return read_cells(value, in->want, &in->sets, err);
	r = vh_want_read_number("guest NUMA nodes", value, VH_CELLS_MAX, &n, err);
	return r < 0 ? r : split_evenly(in->want, n, err);
}

static void sum_cells(const struct vh_want_text *text, struct vh_want *want)
{
	uint64_t memory = 0;
	unsigned vcpus = 0;

	for (size_t i = 0; i < want->n_cells; i++) {
		vcpus += want->cells[i].vcpus;
		if (__builtin_add_overflow(memory, want->cells[i].memory, &memory))
			memory = UINT64_MAX;
	}
	if (want->n_cells && !text->vcpus)
		want->vcpus = vcpus;
	if (want->n_cells && !text->memory)
		want->memory = memory;
}

/* Guest nodes of which only the number of vCPUs is given get them one after the other. */
static int place_in_cells(const struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	unsigned given = 0, next = 0;

	for (unsigned i = 0; i < VH_VCPUS_MAX; i++)
		given += sets->cell[i] != VH_WANT_NO_CELL;
	for (unsigned i = 0; given && i < want->vcpus; i++)
		if (sets->cell[i] == VH_WANT_NO_CELL)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: vCPU %u is in none of them", i);
	for (size_t c = 0; !given && c < want->n_cells; c++)
		for (unsigned i = 0; i < want->cells[c].vcpus && next < VH_VCPUS_MAX; i++)
			sets->cell[next++] = (unsigned char)c;
	return 0;
}

/* Of a mixed VM "mixed:4": the first of them; "mixed:0-1,3" or "mixed:^0": these. */
static int mark_dedicated(const char *policy, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	const char *set = policy ? strchr(policy, ':') : NULL;

	for (unsigned i = 0; i < want->dedicated && i < VH_VCPUS_MAX; i++)
		sets->own[i] = true;
	if (!set || !vh_want_is_set(set) || want->policy != VH_WANT_MIXED)
		return 0;
	if (vh_vcpus_parse(set + 1, ',', want->vcpus, sets->own) < 0)
		return vh_err_refuse(err, EINVAL, "CPU policy: '%.40s' is no set of the VM's %u vCPUs", set + 1, want->vcpus);
	return 0;
}

int vh_want_settle(struct vh_want_reading *in, struct vh_err *err)
{
	struct vh_want *want = in->want;
	int r;

	sum_cells(in->text, want);
	/* Beyond these sets cannot be counted; the check refuses them. */
	if (!want->vcpus || want->vcpus > VH_VCPUS_MAX)
		return 0;
	r = mark_dedicated(in->text->cpu_policy, want, &in->sets, err);
	if (r == 0)
		r = place_in_cells(want, &in->sets, err);
	if (r == 0)
		vh_want_number(want, &in->sets);
	return r;
}
