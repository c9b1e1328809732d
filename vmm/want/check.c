// SPDX-License-Identifier: Apache-2.0
/* Refuses wants that no host could ever be asked. */
#include <errno.h>

#include "lib/values.h"
#include "vmm/want/want.h"

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
