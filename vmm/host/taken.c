// SPDX-License-Identifier: Apache-2.0
/* What other VMs hold of a host, out of the store's leases. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "vmm/host/host.h"
#include "vmm/kernel/kernel.h"
#include "vmm/life/life.h"

enum { SMALL = 4096 };

void vh_taken_clear(struct vh_taken *taken)
{
	free((unsigned *)taken->cpus);
	free((uint64_t *)taken->memory);
	free((uint64_t *)taken->pages);
	*taken = (struct vh_taken){ 0 };
}

static int add_cpus(struct vh_taken *taken, const struct vh_lease *leases, size_t n)
{
	unsigned *cpus = calloc(n + 1, sizeof(*cpus));

	if (!cpus)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		vh_autoerr none = VH_ERR_NONE;
		uint64_t id;

		if (vh_uint_parse(leases[i].key, UINT32_MAX, &id, &none) == 0)
			cpus[taken->n_cpus++] = (unsigned)id;
	}
	taken->cpus = cpus;
	return 0;
}

/* Bytes of a process on one node in pages of that size: of small ones huge pages are left
 * out, which have pools of their own. */
static uint64_t resident(const char *numa_maps, unsigned node, uint64_t page)
{
	uint64_t sum = 0, pages, kb;
	char key[16];

	snprintf(key, sizeof(key), " N%u=", node);
	for (const char *line = numa_maps; *line; line += *line == '\n') {
		static const char size_key[] = "kernelpagesize_kB=";
		size_t len = strcspn(line, "\n");
		const char *at = memmem(line, len, key, strlen(key));
		const char *size = memmem(line, len, size_key, strlen(size_key));
		bool huge = memmem(line, len, " huge", 5);

		if (at && size && huge == (page > SMALL) && sscanf(size + strlen(size_key), "%" SCNu64, &kb) == 1 &&
		    kb << 10 == page && sscanf(at + strlen(key), "%" SCNu64, &pages) == 1)
			sum += pages * page;
		line += len;
	}
	return sum;
}

/* Bytes that a file in /dev/shm has in RAM; that is allocated before anybody starts. */
static uint64_t shared_there(const struct vh_root *root, const char *path)
{
	vh_autoclose int fd = vh_root_openf(root, O_PATH | O_NOFOLLOW, "%s", path);
	struct stat st;

	return vh_root_is_live(root) && fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static uint64_t untouched(struct vh_store *s, const struct vh_root *root, char *const *pids, const struct vh_lease *lease,
			  unsigned node, uint64_t page)
{
	const char *pid;
	const char *shared = strstr(lease->key, ":/dev/shm/");
	vh_autofree char *maps = NULL;
	uint64_t there;

	if (shared) {
		there = shared_there(root, shared + strlen(":/"));
		return there < lease->amount ? lease->amount - there : 0;
	}
	pid = vh_life_process(s, root, pids, lease->holder);
	if (!pid || vh_root_read(root, &maps, "proc/%s/numa_maps", pid) < 0)
		return lease->amount;
	there = resident(maps, node, page);
	return there < lease->amount ? lease->amount - there : 0;
}

/* "0:vm/NAME", "0:2097152:vm/NAME", "0:/dev/shm/NAME". */
static void add_lease(uint64_t *memory, uint64_t *pages, struct vh_store *s, const struct vh_root *root, char *const *pids,
		      const struct vh_host *host, const struct vh_lease *lease)
{
	unsigned node = (unsigned)strtoul(lease->key, NULL, 10);
	bool huge = !strcmp(lease->kind, "hugepage");
	const char *size = huge ? strchr(lease->key, ':') : NULL;
	uint64_t page = size ? strtoull(size + 1, NULL, 10) : SMALL;

	for (size_t i = 0; i < host->n_nodes; i++) {
		const struct vh_host_node *n = &host->nodes[i];

		if (n->id != node)
			continue;
		if (!huge)
			memory[i] += untouched(s, root, pids, lease, node, SMALL);
		for (size_t p = 0; huge && p < n->n_pools; p++)
			if (n->pools[p].size == page)
				pages[i * VH_HOST_POOLS + p] += untouched(s, root, pids, lease, node, page) / page;
	}
}

static int add_memory(struct vh_taken *taken, struct vh_store *s, const struct vh_root *root, const struct vh_host *host,
		      const struct vh_lease *leases, size_t n)
{
	vh_autostrv pids = NULL;

	if (!taken->memory)
		taken->memory = calloc(host->n_nodes + 1, sizeof(*taken->memory));
	if (!taken->pages)
		taken->pages = calloc(host->n_nodes + 1, VH_HOST_POOLS * sizeof(*taken->pages));
	if (!taken->memory || !taken->pages)
		return -ENOMEM;
	if (n && vh_root_is_live(root))
		vh_root_list(root, &pids, "proc");
	for (size_t i = 0; i < n; i++)
		add_lease((uint64_t *)taken->memory, (uint64_t *)taken->pages, s, root, pids, host, &leases[i]);
	return 0;
}

int vh_taken_load(struct vh_store *s, const struct vh_root *root, const struct vh_host *host,
		  struct vh_taken *ret, struct vh_err *err)
{
	static const char *const kinds[] = { "memory", "hugepage" };
	vh_cleanup(vh_taken_clear) struct vh_taken taken = { 0 };
	struct vh_lease *leases;
	size_t n;
	int r = vh_lease_list(s, "cpu", NULL, &leases, &n, err);

	if (r < 0)
		return r;
	r = add_cpus(&taken, leases, n);
	vh_lease_free(leases, n);
	if (r < 0)
		return vh_err_nomem(err);
	for (size_t i = 0; i < vh_array_len(kinds); i++) {
		r = vh_lease_list(s, kinds[i], NULL, &leases, &n, err);
		if (r < 0)
			return r;
		r = add_memory(&taken, s, root, host, leases, n);
		vh_lease_free(leases, n);
		if (r < 0)
			return vh_err_nomem(err);
	}
	*ret = taken;
	taken = (struct vh_taken){ 0 };
	return 0;
}

int vh_taken_add_cpus(struct vh_taken *taken, const unsigned *cpus, size_t n)
{
	unsigned *all;

	if (!n)
		return 0;
	all = realloc((unsigned *)taken->cpus, (taken->n_cpus + n) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	memcpy(all + taken->n_cpus, cpus, n * sizeof(*all));
	taken->cpus = all;
	taken->n_cpus += n;
	return 0;
}
