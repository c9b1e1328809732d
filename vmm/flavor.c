// SPDX-License-Identifier: Apache-2.0
/* Nova's flavor extra specs and Glance's image properties, with Nova's rule for each where
 * the two contradict (nova/virt/hardware.py). */
#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/want.h"

static const char *lookup(char *const *map, const char *key)
{
	size_t len = strlen(key);

	for (; map && *map; map++)
		if (!strncmp(*map, key, len) && (*map)[len] == '=')
			return *map + len + 1;
	return NULL;
}

struct both { const char *name, *flavor, *image; };

/* "hw:cpu_policy" of the flavor, "hw_cpu_policy" of the image. */
static struct both get(const struct vh_want_text *t, const char *name)
{
	vh_autofree char *f = vh_strf("hw:%s", name), *i = vh_strf("hw_%s", name);

	return (struct both){ name, f ? lookup(t->flavor, f) : NULL, i ? lookup(t->image, i) : NULL };
}

static int forbid(const struct both *b, struct vh_err *err)
{
	return vh_err_refuse(err, EINVAL, "image property hw_%s=%.40s: the flavor, which wins, says %s%.40s", b->name,
			     b->image, b->flavor ? "" : "nothing", b->flavor ? b->flavor : "");
}

static int set(char **member, const char *value, struct vh_err *err)
{
	if (!value || *member)
		return 0;
	*member = strdup(value);
	return *member ? 0 : vh_err_nomem(err);
}

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

/* Of vCPUs 0 to N, which are those that are dedicated here: "0-3", "^4-7". */
static int read_mask(const char *mask, uint64_t vcpus, uint64_t *ret, struct vh_err *err)
{
	vh_autofree unsigned *ids = NULL;
	bool not = mask[0] == '^';
	size_t n = 0;
	uint64_t from;

	if (vh_cpulist_parse(mask + not, &ids, &n) < 0 || !n || n > vcpus)
		return vh_err_refuse(err, EINVAL, "hw:cpu_dedicated_mask: '%.40s' is no set of vCPUs", mask);
	from = not ? vcpus - n : 0;
	for (size_t i = 0; i < n; i++)
		if (ids[i] != from + i) {
			vh_err_refuse(err, ENOTSUP, "hw:cpu_dedicated_mask: %.40s: the dedicated vCPUs are the first "
				      "ones", mask);
			return vh_err_hint(err, "0-%llu", (unsigned long long)(not ? from : n) - 1);
		}
	*ret = not ? from : n;
	return 0;
}

static int read_policy(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct both b = get(from, "cpu_policy");
	const char *policy = b.flavor ? b.flavor : b.image, *mask = lookup(from->flavor, "hw:cpu_dedicated_mask");
	const char *vcpus = from->vcpus ? from->vcpus : lookup(from->flavor, "vcpus");
	uint64_t n = 0, dedicated = 0;
	int r;

	if ((is(b.flavor, "mixed") && is(b.image, "dedicated")) ||
	    (is(b.flavor, "shared") && (is(b.image, "mixed") || is(b.image, "dedicated"))))
		return forbid(&b, err);
	if (!is(policy, "mixed"))
		return mask ? vh_err_refuse(err, EINVAL, "hw:cpu_dedicated_mask goes with hw:cpu_policy=mixed")
			    : set(&text->cpu_policy, policy ? policy : from->flavor ? "shared" : NULL, err);
	if (!mask || !vcpus)
		return vh_err_refuse(err, EINVAL, "hw:cpu_policy=mixed needs hw:cpu_dedicated_mask and vcpus");
	r = vh_uint_parse(vcpus, VH_VCPUS_MAX, &n, err);
	if (r == 0)
		r = read_mask(mask, n, &dedicated, err);
	if (r < 0) {
		err->exit = VH_EXIT_REFUSED;
		return r;
	}
	text->cpu_policy = vh_strf("mixed:%llu", (unsigned long long)dedicated);
	return text->cpu_policy ? 0 : vh_err_nomem(err);
}

static int read_threads(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct both b = get(from, "cpu_thread_policy"), e = get(from, "emulator_threads_policy");
	bool open = !b.flavor || is(b.flavor, "prefer");
	int r;

	if (!open && b.image && strcmp(b.image, b.flavor))
		return forbid(&b, err);
	r = set(&text->threads, open && b.image ? b.image : b.flavor, err);
	return r < 0 ? r : set(&text->emulator, e.flavor, err);
}

/* Numbers are KiB there. */
static int set_page(char **member, const char *value, struct vh_err *err)
{
	bool number = value && *value && strspn(value, "0123456789") == strlen(value);
	vh_autofree char *text = number ? vh_strf("%sK", value) : NULL;
	size_t len;

	if (number || !value)
		return set(member, text, err);
	/* "2MB" */
	text = strdup(value);
	len = text ? strlen(text) : 0;
	if (len > 2 && text[len - 1] == 'B' && strchr("KMG", text[len - 2]))
		text[len - 1] = 0;
	return text ? set(member, text, err) : vh_err_nomem(err);
}

static int read_pages(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct both b = get(from, "mem_page_size");

	if (b.image && !is(b.flavor, "any") && !is(b.flavor, "large"))
		return forbid(&b, err);
	return set_page(&text->page_size, b.image ? b.image : b.flavor, err);
}

static const char *of_node(char *const *map, const char *prefix, unsigned node)
{
	vh_autofree char *key = vh_strf("%s.%u", prefix, node);

	return key ? lookup(map, key) : NULL;
}

/* hw:numa_cpus.N and hw:numa_mem.N, of all nodes or of none, as "4:8192M,2:4096M". */
static int read_uneven(char *const *map, char sep, unsigned n, char **ret, struct vh_err *err)
{
	vh_autofree char *cpus_key = vh_strf("hw%cnuma_cpus", sep), *mem_key = vh_strf("hw%cnuma_mem", sep);
	vh_autofree char *cells = NULL;
	unsigned next = 0;

	for (unsigned i = 0; cpus_key && mem_key && i < n; i++) {
		const char *cpus = of_node(map, cpus_key, i), *mem = of_node(map, mem_key, i);
		vh_autofree unsigned *ids = NULL;
		vh_autofree char *before = vh_steal(&cells);
		size_t count = 0;

		if (!cpus && !mem && !i)
			return 0;
		if (!cpus || !mem)
			return vh_err_refuse(err, EINVAL, "%s.%u and %s.%u go together", cpus_key, i, mem_key, i);
		if (vh_cpulist_parse(cpus, &ids, &count) < 0 || count > VH_VCPUS_MAX)
			return vh_err_refuse(err, EINVAL, "%s.%u: '%.40s' is no set of vCPUs", cpus_key, i, cpus);
		for (size_t k = 0; k < count; k++)
			if (ids[k] != next++)
				return vh_err_refuse(err, ENOTSUP, "%s.%u: vCPUs go up with the nodes, the next is %u",
						     cpus_key, i, next - 1);
		cells = vh_strf("%s%s%zu:%sM", before ? before : "", before ? "," : "", count, mem);
		if (!cells)
			return vh_err_nomem(err);
	}
	*ret = vh_steal(&cells);
	return 0;
}

static int read_numa(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct both b = get(from, "numa_nodes"), c = get(from, "numa_cpus.0"), m = get(from, "numa_mem.0");
	const char *nodes = b.flavor ? b.flavor : b.image;
	bool by_flavor = b.flavor || c.flavor || m.flavor, by_image = b.image || c.image || m.image;
	uint64_t n = 1;
	int r = 0;

	if (by_flavor && by_image)
		return vh_err_refuse(err, EINVAL, "image properties hw_numa_*: the flavor, which wins, says its own");
	if (!nodes && (by_flavor || by_image))
		return vh_err_refuse(err, EINVAL, "NUMA nodes' CPUs and memory without their number, numa_nodes");
	if (nodes)
		r = vh_uint_parse(nodes, VH_CELLS_MAX, &n, err);
	if (r == 0 && nodes && !n)
		r = vh_err_refuse(err, EINVAL, "numa_nodes: 0 of them");
	if (r < 0) {
		err->exit = VH_EXIT_REFUSED;
		return r;
	}
	r = read_uneven(by_flavor ? from->flavor : from->image, by_flavor ? ':' : '_', (unsigned)n, &text->numa, err);
	return r < 0 ? r : set(&text->numa, nodes, err);
}

/* "gpu:2,hca-vf:1" with the one affinity of all. */
static int read_devices(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	struct both b = get(from, "pci_numa_affinity_policy");
	const char *alias = lookup(from->flavor, "pci_passthrough:alias");
	const char *affinity = b.flavor ? b.flavor : b.image ? b.image : "legacy";
	vh_autofree char *copy = alias ? strdup(alias) : NULL;
	char *rest = copy, *one;

	if (b.flavor && b.image && strcmp(b.flavor, b.image))
		return forbid(&b, err);
	while (rest && (one = strsep(&rest, ","))) {
		one += strspn(one, " ");
		if (vh_strv_pushf(&text->devices, "%s:%s", one, affinity) < 0)
			return vh_err_nomem(err);
	}
	return 0;
}

int vh_want_read_flavor(const struct vh_want_text *from, struct vh_want_text *text, struct vh_err *err)
{
	const char *ram = lookup(from->flavor, "ram");
	int r = read_policy(from, text, err);

	if (r == 0)
		r = read_threads(from, text, err);
	if (r == 0)
		r = read_pages(from, text, err);
	if (r == 0)
		r = read_numa(from, text, err);
	if (r == 0)
		r = read_devices(from, text, err);
	if (r == 0)
		r = set(&text->vcpus, lookup(from->flavor, "vcpus"), err);
	if (r == 0 && ram) {
		text->memory = vh_strf("%sM", ram);
		r = text->memory ? 0 : vh_err_nomem(err);
	}
	return r;
}
