// SPDX-License-Identifier: Apache-2.0
#include "vmm/vmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/numbers.h"

/* What is left of the host while requests are placed one after another. CPUs and nodes
 * go by their index in the host. */
struct pool {
	const struct vh_host *host;
	bool *cpu_free;
	uint64_t *memory;
};

/* Neighbouring nodes [first, first + n) with what they have left. */
struct window {
	size_t first, n, cpus;
	uint64_t memory;
};

static void pool_clear(struct pool *p)
{
	free(p->cpu_free);
	free(p->memory);
}

static bool is_taken(const struct vh_taken *taken, unsigned cpu)
{
	for (size_t i = 0; taken && i < taken->n_cpus; i++)
		if (taken->cpus[i] == cpu)
			return true;
	return false;
}

static int pool_fill(struct pool *p, const struct vh_host *host, const struct vh_taken *taken)
{
	p->host = host;
	p->cpu_free = calloc(host->n_cpus, sizeof(*p->cpu_free));
	p->memory = calloc(host->n_nodes, sizeof(*p->memory));
	if (!p->cpu_free || !p->memory)
		return -ENOMEM;
	for (size_t i = 0; i < host->n_cpus; i++)
		p->cpu_free[i] = !is_taken(taken, host->cpus[i].id);
	for (size_t i = 0; i < host->n_nodes; i++) {
		uint64_t held = taken && taken->memory ? taken->memory[i] : 0;

		p->memory[i] = host->nodes[i].free > held ? host->nodes[i].free - held : 0;
	}
	return 0;
}

static size_t free_cpus(const struct pool *p, size_t node)
{
	size_t n = 0;

	for (size_t i = 0; i < p->host->n_cpus; i++)
		n += p->cpu_free[i] && p->host->cpus[i].node == p->host->nodes[node].id;
	return n;
}

static struct window window_at(const struct pool *p, size_t first, size_t n)
{
	struct window w = { .first = first, .n = n };

	for (size_t i = first; i < first + n; i++) {
		w.cpus += free_cpus(p, i);
		w.memory += p->memory[i];
	}
	return w;
}

/* Shared vCPUs run on CPUs of their own only as long as the host has them. */
static bool fits(const struct window *w, const struct pool *p, const struct vh_request *req)
{
	size_t cpus = req->vcpus;

	if (req->policy == VH_CPU_SHARED && w->n == p->host->n_nodes)
		cpus = 1;
	return w->cpus >= cpus && w->memory >= req->memory;
}

static bool tighter(const struct window *a, const struct window *b)
{
	return a->cpus != b->cpus ? a->cpus < b->cpus : a->memory < b->memory;
}

/* The fewest neighbouring nodes that fit; among these the fullest, so that the largest
 * hole is left; among equals the first. All nodes together fit whatever fits at all. */
static bool find_window(const struct pool *p, const struct vh_request *req, struct window *ret)
{
	for (size_t n = 1; n <= p->host->n_nodes; n++) {
		bool found = false;

		for (size_t first = 0; first + n <= p->host->n_nodes; first++) {
			struct window w = window_at(p, first, n);

			if (fits(&w, p, req) && (!found || tighter(&w, ret))) {
				*ret = w;
				found = true;
			}
		}
		if (found)
			return true;
	}
	return false;
}

/* Free CPUs of the node that share the L3 of CPU i. */
static size_t free_beside(const struct pool *p, size_t i)
{
	const struct vh_host_cpu *cpus = p->host->cpus;
	size_t n = 0;

	for (size_t j = 0; j < p->host->n_cpus; j++)
		n += p->cpu_free[j] && cpus[j].node == cpus[i].node && cpus[j].l3 == cpus[i].l3;
	return n;
}

static bool core_is_whole(const struct pool *p, size_t i)
{
	for (size_t j = 0; j < p->host->n_cpus; j++)
		if (p->host->cpus[j].core == p->host->cpus[i].core && !p->cpu_free[j])
			return false;
	return true;
}

/* The L3 to take from next: the fullest that still holds all that is wanted, else the emptiest. */
static bool find_l3(const struct pool *p, unsigned node, size_t want, unsigned *ret)
{
	size_t best = 0;

	for (size_t i = 0; i < p->host->n_cpus; i++) {
		size_t n;

		if (!p->cpu_free[i] || p->host->cpus[i].node != node)
			continue;
		n = free_beside(p, i);
		if (!best || (n >= want ? best < want || n < best : n > best)) {
			best = n;
			*ret = p->host->cpus[i].l3;
		}
	}
	return best > 0;
}

struct chosen { unsigned core, id; bool broken; size_t index; };

static int by_core(const void *a, const void *b)
{
	const struct chosen *x = a, *y = b;

	if (x->broken != y->broken)
		return x->broken - y->broken;
	if (x->core != y->core)
		return x->core < y->core ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Takes up to want CPUs of one L3, whole cores first, siblings together. */
static size_t take_from_l3(struct pool *p, unsigned node, unsigned l3, size_t want,
			   struct chosen *scratch, struct vh_placement *out)
{
	const struct vh_host_cpu *cpus = p->host->cpus;
	size_t n = 0;

	for (size_t i = 0; i < p->host->n_cpus; i++)
		if (p->cpu_free[i] && cpus[i].node == node && cpus[i].l3 == l3)
			scratch[n++] = (struct chosen){ cpus[i].core, cpus[i].id, !core_is_whole(p, i), i };
	qsort(scratch, n, sizeof(*scratch), by_core);
	if (n > want)
		n = want;
	for (size_t i = 0; i < n; i++) {
		p->cpu_free[scratch[i].index] = false;
		out->cpus[out->n_cpus++] = scratch[i].id;
	}
	return n;
}

static void take_from_node(struct pool *p, size_t node, size_t want, struct chosen *scratch,
			   struct vh_placement *out)
{
	unsigned id = p->host->nodes[node].id, l3;

	while (want > 0 && find_l3(p, id, want, &l3))
		want -= take_from_l3(p, id, l3, want, scratch, out);
}

/* Even shares first, then whatever is left wherever there is room. */
static int take_dedicated(struct pool *p, const struct window *w, struct vh_placement *out)
{
	vh_autofree struct chosen *scratch = calloc(p->host->n_cpus, sizeof(*scratch));

	out->cpus = calloc(out->vcpus, sizeof(*out->cpus));
	if (!scratch || !out->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		take_from_node(p, w->first + i, (out->vcpus - out->n_cpus) / (w->n - i), scratch, out);
	for (size_t i = 0; i < w->n; i++)
		take_from_node(p, w->first + i, out->vcpus - out->n_cpus, scratch, out);
	return 0;
}

static int take_shared(const struct pool *p, const struct window *w, struct vh_placement *out)
{
	out->cpus = calloc(w->cpus, sizeof(*out->cpus));
	if (!out->cpus)
		return -ENOMEM;
	for (size_t i = 0; i < p->host->n_cpus; i++)
		for (size_t k = w->first; p->cpu_free[i] && k < w->first + w->n; k++)
			if (p->host->cpus[i].node == p->host->nodes[k].id)
				out->cpus[out->n_cpus++] = p->host->cpus[i].id;
	vh_sort_unsigned(out->cpus, out->n_cpus);
	return 0;
}

static void take_memory_of(struct pool *p, size_t node, uint64_t want, uint64_t *left, uint64_t *got)
{
	uint64_t n = want < p->memory[node] ? want : p->memory[node];

	p->memory[node] -= n;
	*left -= n;
	*got += n;
}

/* Keeps the nodes ascending, which neighbours in the host's order need not be. */
static void add_node(struct vh_placement *out, unsigned id, uint64_t bytes)
{
	size_t i = out->n_nodes++;

	for (; i > 0 && out->nodes[i - 1] > id; i--) {
		out->nodes[i] = out->nodes[i - 1];
		out->node_memory[i] = out->node_memory[i - 1];
	}
	out->nodes[i] = id;
	out->node_memory[i] = bytes;
}

/* By node, even shares first (in whole MiB), the rest wherever there is room. */
static int take_memory(struct pool *p, const struct window *w, uint64_t want, struct vh_placement *out)
{
	vh_autofree uint64_t *got = calloc(w->n, sizeof(*got));

	out->nodes = calloc(w->n, sizeof(*out->nodes));
	out->node_memory = calloc(w->n, sizeof(*out->node_memory));
	if (!got || !out->nodes || !out->node_memory)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		take_memory_of(p, w->first + i, want / (w->n - i) >> 20 << 20, &want, &got[i]);
	for (size_t i = 0; i < w->n; i++)
		take_memory_of(p, w->first + i, want, &want, &got[i]);
	for (size_t i = 0; i < w->n; i++)
		if (got[i])
			add_node(out, p->host->nodes[w->first + i].id, got[i]);
	return 0;
}

static int place_one(struct pool *p, const struct vh_request *req, struct vh_placement *out)
{
	struct window w;
	int r;

	if (!find_window(p, req, &w))
		return -ENOSPC;
	out->vcpus = req->vcpus;
	out->policy = req->policy;
	r = req->policy == VH_CPU_DEDICATED ? take_dedicated(p, &w, out) : take_shared(p, &w, out);
	return r < 0 ? r : take_memory(p, &w, req->memory, out);
}

static int refuse_cpus(const struct vh_host *host, size_t taken, const struct vh_request *req,
		       uint64_t wanted, size_t vms, struct vh_err *err)
{
	if (req->policy == VH_CPU_SHARED && req->vcpus <= host->n_cpus)
		vh_err_refuse(err, ENOSPC, "%s: no CPU is left to share: %zu on this host, all of them taken",
			      req->name, host->n_cpus);
	else if (vms > 1)
		vh_err_refuse(err, ENOSPC, "%s: %llu vCPUs wanted for %zu VMs, %zu CPUs on this host, "
			      "%zu of them taken", req->name, (unsigned long long)wanted, vms,
			      host->n_cpus, taken);
	else
		vh_err_refuse(err, ENOSPC, "%s: %llu vCPUs wanted, %zu CPUs on this host, %zu of them taken",
			      req->name, (unsigned long long)wanted, host->n_cpus, taken);
	return -ENOSPC;
}

static int refuse_memory(const struct vh_host *host, const struct vh_taken *taken,
			 const struct vh_request *req, uint64_t wanted, size_t vms, struct vh_err *err)
{
	uint64_t total = 0, avail = 0, held = 0;
	char w[16], t[16], f[16], h[16], many[32] = "";

	for (size_t i = 0; i < host->n_nodes; i++) {
		total += host->nodes[i].memory;
		avail += host->nodes[i].free;
		held += taken && taken->memory ? taken->memory[i] : 0;
	}
	if (vms > 1)
		snprintf(many, sizeof(many), " for %zu VMs", vms);
	return vh_err_refuse(err, ENOSPC, "%s: %s of memory wanted%s, %s on this host: %s of them free, "
			     "%s of that promised to other VMs", req->name, vh_size_format(w, sizeof(w), wanted), many,
			     vh_size_format(t, sizeof(t), total), vh_size_format(f, sizeof(f), avail),
			     vh_size_format(h, sizeof(h), held));
}

/* Says what was scarce, counted over all requests that compete for it. */
static int refuse(const struct vh_host *host, const struct vh_taken *taken,
		  const struct vh_request *reqs, size_t n, const struct vh_request *failed,
		  struct vh_err *err)
{
	uint64_t vcpus = 0, memory = 0, avail = 0;
	size_t dedicated = 0, used = 0;
	struct window all;
	vh_cleanup(pool_clear) struct pool p = { 0 };

	if (pool_fill(&p, host, taken) < 0)
		return vh_err_nomem(err);
	all = window_at(&p, 0, host->n_nodes);
	used = host->n_cpus - all.cpus;
	avail = all.memory;
	for (size_t i = 0; i < n; i++) {
		if (reqs[i].policy == VH_CPU_DEDICATED) {
			vcpus += reqs[i].vcpus;
			dedicated++;
		}
		if (__builtin_add_overflow(memory, reqs[i].memory, &memory))
			memory = UINT64_MAX;
	}
	if (failed->policy == VH_CPU_SHARED ? !all.cpus || vcpus >= all.cpus : vcpus > all.cpus)
		return refuse_cpus(host, used, failed, vcpus, dedicated, err);
	return refuse_memory(host, taken, failed, memory > avail ? memory : failed->memory,
			     memory > avail ? n : 1, err);
}

struct order { const struct vh_request *req; size_t index; };

/* Dedicated before shared, larger before smaller, else as given. */
static int by_size(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (x->req->policy != y->req->policy)
		return x->req->policy == VH_CPU_DEDICATED ? -1 : 1;
	if (x->req->vcpus != y->req->vcpus)
		return x->req->vcpus > y->req->vcpus ? -1 : 1;
	if (x->req->memory != y->req->memory)
		return x->req->memory > y->req->memory ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static int check_request(const struct vh_host *host, const struct vh_request *req,
			 const struct vh_taken *taken, struct vh_err *err)
{
	if (!req->vcpus)
		return vh_err_refuse(err, EINVAL, "%s: a VM has at least 1 vCPU", req->name);
	if (!req->memory)
		return vh_err_refuse(err, EINVAL, "%s: a VM has some memory", req->name);
	if (req->vcpus > host->n_cpus)
		return refuse_cpus(host, taken ? taken->n_cpus : 0, req, req->vcpus, 1, err);
	return 0;
}

static int place_all(struct pool *p, struct order *order, const struct vh_request *reqs, size_t n,
		     struct vh_placement *out, const struct vh_request **ret_failed)
{
	int r = 0;

	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){ &reqs[i], i };
	qsort(order, n, sizeof(*order), by_size);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = place_one(p, order[i].req, &out[order[i].index]);
		*ret_failed = order[i].req;
	}
	return r;
}

int vh_place(const struct vh_host *host, const struct vh_taken *taken, const struct vh_request *reqs,
	     size_t n, struct vh_placement **ret, struct vh_err *err)
{
	vh_cleanup(pool_clear) struct pool p = { 0 };
	vh_autofree struct order *order = calloc(n + 1, sizeof(*order));
	struct vh_placement *out = calloc(n + 1, sizeof(*out));
	const struct vh_request *failed = NULL;
	int r = order && out ? pool_fill(&p, host, taken) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = check_request(host, &reqs[i], taken, err);
	if (r == 0)
		r = place_all(&p, order, reqs, n, out, &failed);
	if (r == 0) {
		*ret = out;
		return 0;
	}
	vh_placement_free(out, n);
	if (r == -ENOMEM)
		return vh_err_nomem(err);
	return failed ? refuse(host, taken, reqs, n, failed, err) : r;
}

void vh_placement_free(struct vh_placement *placements, size_t n)
{
	for (size_t i = 0; placements && i < n; i++) {
		free(placements[i].cpus);
		free(placements[i].nodes);
		free(placements[i].node_memory);
	}
	free(placements);
}
