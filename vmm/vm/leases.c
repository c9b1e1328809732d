// SPDX-License-Identifier: Apache-2.0
/* Taking and giving back what a VM holds. The hook does it too, so nothing of libvirt is called here. */
#include <errno.h>
#include <string.h>

#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/life/life.h"
#include "vmm/vm/vm.h"

/* "0:vm/two-node-1" is of node 0. */
static bool is_of_node(const struct vh_lease *lease, unsigned node)
{
	char *end;

	return strtoul(lease->key, &end, 10) == node && *end == ':';
}

static int check_memory(struct vh_store *s, const struct vh_root *root, unsigned node, const char *holder,
			struct vh_err *err)
{
	struct vh_lease *leases;
	size_t n;
	uint64_t sum = 0, ram, left;
	char a[16], b[16];
	int r = vh_lease_list(s, "memory", NULL, &leases, &n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_of_node(&leases[i], node) && __builtin_add_overflow(sum, leases[i].amount, &sum))
			sum = UINT64_MAX;
	vh_lease_free(leases, n);
	if (vh_node_memory(root, node, &ram, &left) == 0 && sum > ram)
		return vh_err_refuse(err, ENOSPC, "%s: memory of NUMA node %u: %s promised to VMs, %s there",
				     holder, node, vh_size_format(a, sizeof(a), sum),
				     vh_size_format(b, sizeof(b), ram));
	return 0;
}

/* "0:2097152:vm/two-node-1" is of node 0 and that size; free pages are those that no VM has. */
static int check_pool(struct vh_store *s, const struct vh_root *root, unsigned node, uint64_t page,
		      const char *holder, struct vh_err *err)
{
	vh_autofree char *prefix = vh_strf("%u:%llu:", node, (unsigned long long)page);
	struct vh_lease *leases;
	uint64_t sum = 0;
	int64_t pages;
	size_t n;
	char a[16], b[16], c[16];
	int r = prefix ? vh_lease_list(s, "hugepage", NULL, &leases, &n, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (!strncmp(leases[i].key, prefix, strlen(prefix)) &&
		    __builtin_add_overflow(sum, leases[i].amount, &sum))
			sum = UINT64_MAX;
	vh_lease_free(leases, n);
	if (vh_root_read_int(root, &pages, "sys/devices/system/node/node%u/hugepages/hugepages-%llukB/nr_hugepages",
			     node, (unsigned long long)page >> 10) < 0 || pages < 0)
		pages = 0;
	if (sum / page <= (uint64_t)pages)
		return 0;
	return vh_err_refuse(err, ENOSPC, "%s: huge pages of %s of NUMA node %u: %s promised to VMs, %s there", holder,
			     vh_size_format(c, sizeof(c), page), node, vh_size_format(a, sizeof(a), sum),
			     vh_size_format(b, sizeof(b), (uint64_t)pages * page));
}

/* had: it held that before. */
static int take_memory(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
		       size_t i, bool had, struct vh_err *err)
{
	bool huge = lease->page > 4096;
	vh_autofree char *key = huge ? vh_strf("%u:%llu:%s", lease->nodes[i], (unsigned long long)lease->page,
					       lease->holder)
				     : vh_strf("%u:%s", lease->nodes[i], lease->holder);
	int r = key ? vh_lease_take(s, huge ? "hugepage" : "memory", key, lease->holder, lease->node_memory[i], err)
		    : vh_err_nomem(err);

	if (r < 0 || had)
		return r;
	return huge ? check_pool(s, root, lease->nodes[i], lease->page, lease->holder, err)
		    : check_memory(s, root, lease->nodes[i], lease->holder, err);
}

int vh_shared_lease_take(struct vh_store *s, const struct vh_root *root, unsigned node, const char *name,
			 uint64_t bytes, const char *holder, struct vh_err *err)
{
	vh_autofree char *key = vh_strf("%u:/dev/shm/%s", node, name);
	int r = key ? vh_lease_take(s, "memory", key, holder, bytes, err) : vh_err_nomem(err);

	return r < 0 ? r : check_memory(s, root, node, holder, err);
}

static int take_device(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
		       const char *address, struct vh_err *err)
{
	if (!vh_root_exists(root, "sys/bus/pci/devices/%s", address)) {
		vh_err_refuse(err, ENODEV, "%s: device %s is not there any more", lease->holder, address);
		return vh_err_hint(err, "vhpc sriov list shows those that are; define the VM anew");
	}
	return vh_lease_take(s, "vf", address, lease->holder, 0, err);
}

static int take_all(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease, bool had,
		    struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < lease->n_cpus; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%u", lease->cpus[i]);
		r = vh_lease_take(s, "cpu", key, lease->holder, 0, err);
	}
	for (size_t i = 0; r == 0 && i < lease->n_nodes; i++)
		r = take_memory(s, root, lease, i, had, err);
	for (char **d = lease->devices; r == 0 && d && *d; d++)
		r = take_device(s, root, lease, *d, err);
	return r < 0 ? r : vh_life_begin(s, root, lease->holder, lease->uuid, 0, err);
}

int vh_domain_lease_take(struct vh_store *s, const struct vh_root *root,
			 const struct vh_domain_lease *lease, struct vh_err *err)
{
	int r = vh_lives_sweep(s, root, err);

	return r < 0 ? r : take_all(s, root, lease, false, err);
}

int vh_domain_lease_take_more(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
			      struct vh_err *err)
{
	return take_all(s, root, lease, false, err);
}

int vh_domain_lease_take_less(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease,
			      struct vh_err *err)
{
	return take_all(s, root, lease, true, err);
}

int vh_domain_lease_keep(struct vh_store *s, const struct vh_root *root, const struct vh_domain_lease *lease, pid_t pid,
			 struct vh_err *err)
{
	vh_autostrv all = NULL;
	const char *qemu = NULL;

	if (!pid) {
		vh_root_list(root, &all, "proc");
		qemu = vh_qemu_process(root, all, lease->holder + strlen("vm/"), lease->uuid);
	}
	return vh_life_begin(s, root, lease->holder, lease->uuid, qemu ? atoi(qemu) : pid, err);
}

int vh_domain_lease_drop(struct vh_store *s, const char *holder, struct vh_err *err)
{
	return vh_life_end(s, holder, err);
}
