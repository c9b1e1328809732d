// SPDX-License-Identifier: Apache-2.0
#include "vmm/place/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/want/want.h"

static int place_one(struct vh_left *left, const struct vh_request *req, struct vh_layout *out)
{
	const struct vh_want want = {
		.vcpus = req->vcpus, .memory = req->memory, .page = VH_PAGE_SMALL,
		.policy = req->policy == VH_CPU_DEDICATED ? VH_WANT_DEDICATED : VH_WANT_SHARED,
	};
	vh_autoplan plan = NULL;
	int r = vh_solve(left, &want, 0, &plan);

	if (r < 0)
		return r;
	if (!plan)
		return -ENOSPC;
	r = vh_plan_layout(left->host, plan, out);
	vh_left_take(left, plan);
	return r;
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
	size_t dedicated = 0, used, cpus = 0;
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };

	if (vh_left_init(&left, host, taken) < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < host->n_cpus; i++)
		cpus += failed->policy == VH_CPU_SHARED ? left.floats[i] : left.cpu[i];
	for (size_t i = 0; i < host->n_nodes; i++)
		avail += left.memory[i];
	used = host->n_cpus - cpus;
	for (size_t i = 0; i < n; i++) {
		if (reqs[i].policy == VH_CPU_DEDICATED) {
			vcpus += reqs[i].vcpus;
			dedicated++;
		}
		if (__builtin_add_overflow(memory, reqs[i].memory, &memory))
			memory = UINT64_MAX;
	}
	if (failed->policy == VH_CPU_SHARED ? !cpus || vcpus >= cpus : vcpus > cpus)
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

static int place_all(struct vh_left *left, struct order *order, const struct vh_request *reqs, size_t n,
		     struct vh_layout *out, const struct vh_request **ret_failed)
{
	int r = 0;

	for (size_t i = 0; i < n; i++)
		order[i] = (struct order){ &reqs[i], i };
	qsort(order, n, sizeof(*order), by_size);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = place_one(left, order[i].req, &out[order[i].index]);
		*ret_failed = order[i].req;
	}
	return r;
}

int vh_place(const struct vh_host *host, const struct vh_taken *taken, const struct vh_request *reqs,
	     size_t n, struct vh_layout **ret, struct vh_err *err)
{
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autofree struct order *order = calloc(n + 1, sizeof(*order));
	struct vh_layout *out = calloc(n + 1, sizeof(*out));
	const struct vh_request *failed = NULL;
	int r = order && out ? vh_left_init(&left, host, taken) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = check_request(host, &reqs[i], taken, err);
	if (r == 0)
		r = place_all(&left, order, reqs, n, out, &failed);
	if (r == 0) {
		*ret = out;
		return 0;
	}
	vh_layouts_free(out, n);
	if (r == -ENOMEM)
		return vh_err_nomem(err);
	return failed ? refuse(host, taken, reqs, n, failed, err) : r;
}
