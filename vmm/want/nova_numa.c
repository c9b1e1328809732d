// SPDX-License-Identifier: Apache-2.0
/* Guest NUMA nodes of flavor and image. */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/want/nova.h"

static const char incomplete[] = "ImageNUMATopologyIncomplete";

/* The flavor's "hw:numa_cpus.0", "hw:numa_cpus.1", ..., else the image's "hw_numa_cpus.0"; a strv
 * of their values, NULL where there are none. */
static int read_list(const struct vh_want_text *from, const char *name, char ***ret, struct vh_err *err)
{
	for (unsigned i = 0; i < VH_CELLS_MAX; i++) {
		vh_autofree char *key = vh_strf("%s.%u", name, i);
		struct vh_property p = key ? vh_property_get(from, key) : (struct vh_property){ 0 };

		if (!key)
			return vh_err_nomem(err);
		if (p.flavor && p.image)
			return vh_nova_conflict(err, "ImageNUMATopologyForbidden", &p);
		if (!p.flavor && !p.image)
			break;
		if (vh_strv_push(ret, p.flavor ? p.flavor : p.image) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

/* Memory in MiB, as Nova counts it. */
static int memory_mb(const struct vh_want_text *from, uint64_t *ret, struct vh_err *err)
{
	const char *ram = vh_property_lookup(from->flavor, "ram");
	uint64_t bytes = 1 << 30;
	int r = 0;

	if (from->memory) {
		r = vh_size_parse(from->memory, &bytes, err);
		*ret = bytes >> 20;
	} else if (ram) {
		r = vh_uint_parse(ram, INT64_MAX >> 20, ret, err);
	} else {
		*ret = bytes >> 20;
	}
	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return vh_err_within(err, "memory");
	}
	return 0;
}

static int add_node(char **cells, const char *vcpus, uint64_t mb, struct vh_err *err)
{
	vh_autofree char *before = *cells;

	*cells = vh_strf("%s%s%s:%lluM", before ? before : "", before ? "," : "", vcpus, (unsigned long long)mb);
	return *cells ? 0 : vh_err_nomem(err);
}

static int even_nodes(unsigned nodes, unsigned vcpus, uint64_t mb, char **cells, struct vh_err *err)
{
	vh_autofree char *each = vh_strf("%u", vcpus / nodes);
	int r = each ? 0 : vh_err_nomem(err);

	if (vcpus % nodes || mb % nodes)
		return vh_nova_refuse(err, "ImageNUMATopologyAsymmetric", "hw:numa_nodes: %u vCPUs and %llu MiB are no "
				      "multiples of %u", vcpus, (unsigned long long)mb, nodes);
	for (unsigned i = 0; r == 0 && i < nodes; i++)
		r = add_node(cells, each, mb / nodes, err);
	return r;
}

/* The set of one node, of vCPUs that no other has. */
static int read_node(const char *text, unsigned node, unsigned vcpus, bool *used, char **ret, struct vh_err *err)
{
	bool in[VH_VCPUS_MAX];
	int r = vh_vcpus_parse(text, ',', vcpus, in);

	if (r == -ERANGE)
		return vh_nova_refuse(err, "ImageNUMATopologyCPUOutOfRange", "numa_cpus.%u: '%.40s' names more than the %u "
				      "vCPUs", node, text, vcpus);
	if (r < 0)
		return vh_err_refuse(err, EINVAL, "numa_cpus.%u: '%.40s' is no set of vCPUs", node, text);
	for (unsigned i = 0; i < vcpus; i++) {
		if (in[i] && used[i])
			return vh_nova_refuse(err, "ImageNUMATopologyCPUDuplicates", "numa_cpus.%u: vCPU %u is in another "
					      "node too", node, i);
		used[i] |= in[i];
	}
	*ret = vh_vcpus_format(in, '+');
	return *ret ? 0 : vh_err_nomem(err);
}

static int given_nodes(char *const *cpus, char *const *mems, unsigned vcpus, uint64_t mb, char **cells,
		       struct vh_err *err)
{
	bool used[VH_VCPUS_MAX] = { false };
	uint64_t sum = 0, here = 0;

	for (unsigned i = 0; cpus[i]; i++) {
		vh_autofree char *set = NULL;
		int r = read_node(cpus[i], i, vcpus, used, &set, err);

		if (r == 0 && vh_uint_parse(mems[i], INT64_MAX >> 24, &here, err) < 0) {
			vh_err_as(err, VH_EXIT_REFUSED);
			r = vh_err_within(err, "numa_mem.%u", i);
		}
		if (r == 0)
			r = add_node(cells, *set ? set : "0", here, err);
		if (r < 0)
			return r;
		sum += here;
	}
	for (unsigned i = 0; i < vcpus; i++)
		if (!used[i])
			return vh_nova_refuse(err, "ImageNUMATopologyCPUsUnassigned", "numa_cpus: vCPU %u is in no node", i);
	if (sum != mb)
		return vh_nova_refuse(err, "ImageNUMATopologyMemoryOutOfRange", "numa_mem: %llu MiB in all, the VM has %llu",
				      (unsigned long long)sum, (unsigned long long)mb);
	return 0;
}

static int read_nodes(const struct vh_want_text *from, unsigned *ret, struct vh_err *err)
{
	struct vh_property p = vh_property_get(from, "numa_nodes");
	const char *value = p.flavor ? p.flavor : p.image;
	vh_autoerr none = VH_ERR_NONE;
	uint64_t n = 0;

	if (p.flavor && p.image)
		return vh_nova_conflict(err, "ImageNUMATopologyForbidden", &p);
	if (value && (vh_uint_parse(value, VH_VCPUS_MAX, &n, &none) < 0 || !n))
		return vh_nova_refuse(err, "InvalidNUMANodesNumber", "numa_nodes: '%.40s' of them", value);
	if (n > VH_CELLS_MAX)
		return vh_err_refuse(err, ERANGE, "numa_nodes: more than %d guest nodes", VH_CELLS_MAX);
	*ret = (unsigned)n;
	return 0;
}

int vh_flavor_numa(const struct vh_want_text *from, unsigned vcpus, bool pinned, struct vh_want_text *text,
		   struct vh_err *err)
{
	vh_autostrv cpus = NULL;
	vh_autostrv mems = NULL;
	vh_autofree char *cells = NULL;
	unsigned nodes = 0;
	uint64_t mb = 0;
	int r = read_nodes(from, &nodes, err);

	/* Without pinning, pages or nodes Nova makes no nodes: the guest floats as a whole. */
	if (r < 0 || from->numa || (!nodes && !pinned && !text->page_size))
		return r;
	nodes = nodes ? nodes : 1;
	r = memory_mb(from, &mb, err);
	if (r == 0)
		r = read_list(from, "numa_cpus", &cpus, err);
	if (r == 0)
		r = read_list(from, "numa_mem", &mems, err);
	if (r < 0)
		return r;
	if (!cpus && !mems)
		r = even_nodes(nodes, vcpus, mb, &cells, err);
	else if (!cpus || !mems || vh_strv_len(cpus) != nodes || vh_strv_len(mems) != nodes)
		return vh_nova_refuse(err, incomplete, "numa_cpus and numa_mem: of %u nodes each, %zu and %zu are given", nodes,
				      cpus ? vh_strv_len(cpus) : 0, mems ? vh_strv_len(mems) : 0);
	else
		r = given_nodes(cpus, mems, vcpus, mb, &cells, err);
	if (r == 0)
		text->numa = vh_steal(&cells);
	return r;
}
