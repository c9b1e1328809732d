// SPDX-License-Identifier: Apache-2.0
/* Several VMs at once, all or none. */
#include "vmm/place/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/host/host.h"
#include "vmm/want/want.h"

static size_t free_cpus(const struct vh_left *left)
{
	size_t n = 0;

	for (size_t i = 0; i < left->host->n_cpus; i++)
		n += left->cpu[i] || left->floats[i];
	return n;
}

/* The host with most free CPUs is the likeliest to be near to what is asked. */
static size_t emptiest(const struct vh_fleet *f)
{
	size_t best = 0, most = 0;

	for (size_t i = 0; i < vh_fleet_len(f); i++) {
		size_t n = free_cpus(vh_fleet_left(f, i));

		if (n > most) {
			most = n;
			best = i;
		}
	}
	return best;
}

int vh_fleet_refuse(const struct vh_fleet *f, const struct vh_want *want, struct vh_err *err)
{
	size_t host = emptiest(f), n = vh_fleet_len(f);
	int r = vh_explain_refusal(vh_fleet_name(f, host), vh_fleet_left(f, host), want, err);

	return n > 1 ? vh_err_within(err, "none of %zu hosts can, nor the one with most free CPUs", n) : r;
}

/* Alone, a VM of shared CPUs may have more vCPUs than the host has CPUs; one of several runs slower
 * than the others then. */
static int check_width(const struct vh_fleet *f, const struct vh_want *want, struct vh_err *err)
{
	size_t widest = 0, most = 0;

	for (size_t i = 0; i < vh_fleet_len(f); i++)
		if (vh_fleet_left(f, i)->host->n_cpus > most) {
			most = vh_fleet_left(f, i)->host->n_cpus;
			widest = i;
		}
	if (want->vcpus <= most)
		return 0;
	return vh_err_refuse(err, ENOSPC, "%s: %u vCPUs wanted, %zu CPUs on %s", want->name, want->vcpus, most,
			     vh_fleet_name(f, widest));
}

struct order { const struct vh_want *want; size_t index; };

/* Dedicated before shared, larger before smaller, else as given. */
static int by_size(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	bool x_shared = x->want->policy == VH_WANT_SHARED, y_shared = y->want->policy == VH_WANT_SHARED;

	if (x_shared != y_shared)
		return y_shared ? -1 : 1;
	if (x->want->vcpus != y->want->vcpus)
		return x->want->vcpus > y->want->vcpus ? -1 : 1;
	if (x->want->memory != y->want->memory)
		return x->want->memory > y->want->memory ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static int place_in_order(struct vh_fleet *f, const struct order *order, size_t n, struct vh_placement *ret,
			  struct vh_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct vh_placement *p = &ret[order[i].index];

		if (vh_fleet_place(f, order[i].want, &p->host, &p->plan) < 0)
			return vh_err_nomem(err);
		if (p->plan)
			continue;
		vh_fleet_refuse(f, order[i].want, err);
		return i ? vh_err_within(err, "%zu of %zu VMs are placed", i, n) : -err->num;
	}
	return 0;
}

void vh_placements_clear(struct vh_placement *placements, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		vh_plan_free(placements[i].plan);
		placements[i] = (struct vh_placement){ 0 };
	}
}

static void give_back(struct vh_fleet *f, struct vh_placement *placements, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (placements[i].plan)
			vh_fleet_remove(f, placements[i].host, placements[i].plan);
	vh_placements_clear(placements, n);
}

int vh_place(struct vh_fleet *f, const struct vh_want *wants, size_t n, struct vh_placement *ret, struct vh_err *err)
{
	vh_autofree struct order *order = calloc(n + 1, sizeof(*order));
	int r = order ? 0 : vh_err_nomem(err);

	memset(ret, 0, n * sizeof(*ret));
	for (size_t i = 0; r == 0 && i < n; i++) {
		order[i] = (struct order){ &wants[i], i };
		r = vh_want_check(&wants[i], err);
		if (r == 0)
			r = check_width(f, &wants[i], err);
	}
	if (r < 0)
		return r;
	qsort(order, n, sizeof(*order), by_size);
	r = place_in_order(f, order, n, ret, err);
	if (r < 0)
		give_back(f, ret, n);
	return r;
}
