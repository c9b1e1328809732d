// SPDX-License-Identifier: Apache-2.0
#include "vmm/host/host.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/child.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "vmm/host/devices.h"
#include "vmm/kernel/kernel.h"

#define NODES "sys/devices/system/node"
enum { LOAD_MS = 20000, L2_BASE = 1 << 16 };

/* hwloc is told of another root, and to keep quiet, by environment variables only. */
static pthread_mutex_t env_lock = PTHREAD_MUTEX_INITIALIZER;

static void topology_freep(hwloc_topology_t *t)
{
	if (*t)
		hwloc_topology_destroy(*t);
}

static int read_xml(const char *xml, char **ret, size_t *ret_len, struct vh_err *err)
{
	return vh_host_file(xml, ret, ret_len, err) < 0 ? vh_err_as(err, VH_EXIT_REFUSED) : 0;
}

/* Version 3 has bits where 2 has numbers: storage, memory, GPU, coprocessor, network,
 * OpenFabrics, DMA. The most telling one, as wide as what stood there. */
static void translate_osdev_types(char *text)
{
	static const struct { long bit; int type; } types[] = {
		{ 32, HWLOC_OBJ_OSDEV_OPENFABRICS }, { 16, HWLOC_OBJ_OSDEV_NETWORK }, { 8, HWLOC_OBJ_OSDEV_COPROC },
		{ 4, HWLOC_OBJ_OSDEV_GPU }, { 64, HWLOC_OBJ_OSDEV_DMA }, { 0, HWLOC_OBJ_OSDEV_BLOCK },
	};
	static const char attribute[] = " osdev_type=\"";

	for (char *at = text; (at = strstr(at, attribute));) {
		size_t digits, i = 0;
		long bits;

		at += strlen(attribute);
		digits = strspn(at, "0123456789");
		if (!digits || digits > 3)
			continue;
		bits = strtol(at, NULL, 10);
		while (types[i].bit && !(bits & types[i].bit))
			i++;
		memset(at, '0', digits);
		at[digits - 1] = (char)('0' + types[i].type);
	}
}

/* hwloc 2 refuses files of version 3, also when all that they say is of version 2. Told
 * that they are of version 2 it reads these, and still refuses what it does not know. */
static bool present_as_version_2(char *text)
{
	static const char version[] = "<topology version=\"3.";
	char *at = strstr(text, version);

	if (HWLOC_API_VERSION >= 0x30000 || !at || !isdigit((unsigned char)at[strlen(version)]))
		return false;
	at[strlen(version) - strlen("3.")] = '2';
	at[strlen(version)] = '0';
	translate_osdev_types(text);
	return true;
}

static int bad_xml(const char *xml, bool newer, struct vh_err *err)
{
	if (newer)
		return vh_err_refuse(err, EINVAL, "%s: written by hwloc 3, and not readable as version 2, which "
				     "hwloc %d.%d here reads", xml, HWLOC_API_VERSION >> 16,
				     HWLOC_API_VERSION >> 8 & 0xff);
	return vh_err_refuse(err, EINVAL, "%s: not a machine that hwloc reads", xml);
}

static int load_locked(hwloc_topology_t topo, const struct vh_root *root, const char *text, size_t len)
{
	bool captured = !text && !vh_root_is_live(root);
	int r;

	pthread_mutex_lock(&env_lock);
	setenv("HWLOC_HIDE_ERRORS", "2", 1);
	if (captured)
		setenv("HWLOC_FSROOT", vh_root_path(root), 1);
	r = text ? hwloc_topology_set_xmlbuffer(topo, text, (int)len + 1) : 0;
	/* What it asks is the processor that runs this: for a captured host the wrong one, for this host
	 * one that a hypervisor may have told anything. The kernel's word counts. */
	if (!text)
		r = hwloc_topology_set_components(topo, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	if (r == 0)
		r = hwloc_topology_load(topo);
	if (captured)
		unsetenv("HWLOC_FSROOT");
	pthread_mutex_unlock(&env_lock);
	return r;
}

/* Says on fd that hwloc reads this; dies, without a word, where hwloc does. */
static void try_load(const struct vh_root *root, const char *text, size_t len, int fd)
{
	static const int fatal[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL };
	const struct rlimit none = { 0, 0 };
	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	hwloc_topology_t topo;

	setrlimit(RLIMIT_CORE, &none);
	for (size_t i = 0; i < vh_array_len(fatal); i++)
		signal(fatal[i], SIG_DFL);
	dup2(quiet, STDERR_FILENO);
	if (hwloc_topology_init(&topo) == 0 &&
	    (!text || hwloc_topology_set_io_types_filter(topo, HWLOC_TYPE_FILTER_KEEP_ALL) == 0) &&
	    load_locked(topo, root, text, len) == 0 && write(fd, "y", 1) == 1)
		_exit(0);
	_exit(1);
}

/* hwloc dies of some damaged files. A child tries first, so that only it does. */
static bool survives(const struct vh_root *root, const char *text, size_t len)
{
	int fds[2];
	char said = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	pid = fork();
	if (pid == 0)
		try_load(root, text, len, fds[1]);
	if (pid > 0)
		vh_child_wait(pid, LOAD_MS);
	/* Its word counts, and not its status, which what watches for leaks may change. */
	if (read(fds[0], &said, 1) != 1)
		said = 0;
	close(fds[0]);
	close(fds[1]);
	return said == 'y';
}

/* Without its CPUs hwloc would count those of the machine that it runs on; without a node
 * where nodes are kept it aborts. */
static int check_root(const struct vh_root *root, struct vh_err *err)
{
	vh_autostrv names = NULL;
	uint64_t id;

	if (!vh_root_exists(root, "sys/devices/system/cpu"))
		return vh_err_refuse(err, ENOENT, "%s: no host: has no sys/devices/system/cpu", vh_root_path(root));
	if (vh_root_list(root, &names, NODES) < 0)
		return 0;
	for (char **n = names; n && *n; n++)
		if (sscanf(*n, "node%" SCNu64, &id) == 1)
			return 0;
	return vh_err_refuse(err, ENOENT, "%s: no host: " NODES " has no node", vh_root_path(root));
}

static int load_topology(const struct vh_root *root, const char *xml, hwloc_topology_t *ret,
			 struct vh_err *err)
{
	vh_cleanup(topology_freep) hwloc_topology_t topo = NULL;
	vh_autofree char *text = NULL;
	bool newer = false;
	size_t len = 0;
	int r = xml ? read_xml(xml, &text, &len, err) : check_root(root, err);

	if (r < 0)
		return r;
	if (hwloc_topology_init(&topo) < 0)
		return vh_err_nomem(err);
	if (xml) {
		newer = present_as_version_2(text);
		hwloc_topology_set_io_types_filter(topo, HWLOC_TYPE_FILTER_KEEP_ALL);
	}
	if (((xml || !vh_root_is_live(root)) && !survives(root, text, len)) || load_locked(topo, root, text, len) < 0)
		return xml ? bad_xml(xml, newer, err)
			   : vh_err_refuse(err, EINVAL, "%s: hwloc reads no machine there", vh_root_path(root));
	*ret = vh_steal(&topo);
	return 0;
}

static void add_pool(struct vh_host_node *node, uint64_t size, uint64_t total, uint64_t left)
{
	size_t i = node->n_pools;

	if (i == VH_HOST_POOLS)
		return;
	for (; i > 0 && node->pools[i - 1].size > size; i--)
		node->pools[i] = node->pools[i - 1];
	node->pools[i] = (struct vh_host_pool){ size, total, left < total ? left : total };
	node->n_pools++;
}

/* "hugepages-2048kB" of a node's directory. */
static void read_pool(const struct vh_root *root, struct vh_host_node *node, const char *name)
{
	int64_t total, left;
	uint64_t kb;

	if (sscanf(name, "hugepages-%" SCNu64 "kB", &kb) != 1 || !kb || kb > UINT64_MAX >> 20)
		return;
	if (vh_root_read_int(root, &total, NODES "/node%u/hugepages/%s/nr_hugepages", node->id, name) == 0 &&
	    vh_root_read_int(root, &left, NODES "/node%u/hugepages/%s/free_hugepages", node->id, name) == 0 &&
	    total >= 0 && left >= 0 && total < INT64_MAX >> 40)
		add_pool(node, kb << 10, (uint64_t)total, (uint64_t)left);
}

static void read_pools(const struct vh_root *root, hwloc_obj_t obj, struct vh_host_node *node)
{
	vh_autostrv names = NULL;

	if (root && vh_root_list(root, &names, NODES "/node%u/hugepages", node->id) == 0) {
		for (char **n = names; *n; n++)
			read_pool(root, node, *n);
		return;
	}
	for (unsigned i = 0; i < obj->attr->numanode.page_types_len; i++) {
		const struct hwloc_memory_page_type_s *t = &obj->attr->numanode.page_types[i];

		if (t->size > 65536)
			add_pool(node, t->size, t->count, t->count);
	}
}

static unsigned package_of(hwloc_topology_t topo, hwloc_obj_t node)
{
	hwloc_obj_t obj = NULL;

	while ((obj = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_PACKAGE, obj)))
		if (hwloc_bitmap_intersects(obj->cpuset, node->cpuset))
			return obj->logical_index;
	return 0;
}

static void fill_node(hwloc_topology_t topo, const struct vh_root *root, hwloc_obj_t obj,
		      struct vh_host_node *node)
{
	uint64_t total, left;

	node->id = obj->os_index;
	node->memory = obj->attr->numanode.local_memory;
	node->free = node->memory;
	node->package = package_of(topo, obj);
	if (obj->subtype)
		snprintf(node->kind, sizeof(node->kind), "%s", obj->subtype);
	read_pools(root, obj, node);
	if (root && vh_node_memory(root, node->id, &total, &left) == 0) {
		node->memory = total;
		node->free = vh_root_is_live(root) ? left : total;
	}
	if (node->memory > VH_NODE_MEMORY_MAX)
		node->memory = VH_NODE_MEMORY_MAX;
	if (node->free > node->memory)
		node->free = node->memory;
}

/* As the firmware says, else a guess that keeps their order. */
static void fill_distances(hwloc_topology_t topo, struct vh_host *host)
{
	struct hwloc_distances_s *d = NULL;
	size_t n = host->n_nodes;
	unsigned count = 1;

	for (size_t i = 0; i < n * n; i++)
		host->distances[i] = i / n == i % n ? 10 :
				     host->nodes[i / n].package == host->nodes[i % n].package ? 15 : 20;
	if (hwloc_distances_get_by_name(topo, "NUMALatency", &count, &d, 0) < 0 || count < 1)
		return;
	for (size_t i = 0; d->nbobjs == n && i < n * n; i++)
		if (d->values[i] >= 10 && d->values[i] < 255)
			host->distances[d->objs[i / n]->logical_index * n + d->objs[i % n]->logical_index] =
				(unsigned)d->values[i];
	hwloc_distances_release(topo, d);
}

/* CPUs that the kernel leaves to what is put on them; the others do its housekeeping. */
static void mark_isolated(const struct vh_root *root, struct vh_host *host, const char *file)
{
	vh_autofree char *text = NULL;
	vh_autofree unsigned *ids = NULL;
	size_t n = 0;

	if (vh_root_read(root, &text, "sys/devices/system/cpu/%s", file) < 0 || !*text ||
	    vh_cpulist_parse(text, &ids, &n) < 0)
		return;
	for (size_t i = 0; i < host->n_cpus; i++)
		for (size_t k = 0; k < n; k++)
			host->cpus[i].isolated |= host->cpus[i].id == ids[k];
}

static unsigned ancestor(hwloc_topology_t topo, hwloc_obj_t pu, hwloc_obj_type_t type)
{
	hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(topo, type, pu);

	return obj ? obj->logical_index : 0;
}

/* The last-level cache: where there is no L3, the L2, and without either the package. */
static unsigned last_cache(hwloc_topology_t topo, hwloc_obj_t pu)
{
	hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(topo, HWLOC_OBJ_L3CACHE, pu);

	if (obj)
		return obj->logical_index;
	obj = hwloc_get_ancestor_obj_by_type(topo, HWLOC_OBJ_L2CACHE, pu);
	return obj ? L2_BASE + obj->logical_index : 2 * L2_BASE + ancestor(topo, pu, HWLOC_OBJ_PACKAGE);
}

static unsigned core_of(hwloc_topology_t topo, hwloc_obj_t pu)
{
	hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(topo, HWLOC_OBJ_CORE, pu);

	return obj ? obj->logical_index : pu->logical_index;
}

/* A CPU's own node: the one nearest to it, which the fewest other CPUs share. */
static unsigned cpu_node(hwloc_topology_t topo, hwloc_obj_t pu)
{
	hwloc_obj_t best = NULL, node = NULL;
	int best_weight = 0;

	while ((node = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_NUMANODE, node))) {
		int weight = hwloc_bitmap_weight(node->cpuset);

		if (hwloc_bitmap_isset(node->cpuset, pu->os_index) && (!best || weight < best_weight)) {
			best = node;
			best_weight = weight;
		}
	}
	return best ? best->os_index : 0;
}

static int fill(struct vh_host *host, hwloc_topology_t topo, const struct vh_root *root)
{
	hwloc_const_cpuset_t allowed = hwloc_topology_get_allowed_cpuset(topo);
	int cpus = hwloc_get_nbobjs_by_type(topo, HWLOC_OBJ_PU);
	int nodes = hwloc_get_nbobjs_by_type(topo, HWLOC_OBJ_NUMANODE);
	hwloc_obj_t obj = NULL;

	if (cpus <= 0 || nodes <= 0 || cpus > VH_HOST_CPUS_MAX || nodes > VH_HOST_NODES_MAX)
		return -EINVAL;
	host->cpus = calloc((size_t)cpus, sizeof(*host->cpus));
	host->nodes = calloc((size_t)nodes, sizeof(*host->nodes));
	host->distances = calloc((size_t)nodes * (size_t)nodes, sizeof(*host->distances));
	if (!host->cpus || !host->nodes || !host->distances)
		return -ENOMEM;
	while ((obj = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_NUMANODE, obj)))
		fill_node(topo, root, obj, &host->nodes[host->n_nodes++]);
	while ((obj = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_PU, obj))) {
		if (!hwloc_bitmap_isset(allowed, obj->os_index))
			continue;
		host->cpus[host->n_cpus++] = (struct vh_host_cpu){
			.id = obj->os_index,
			.node = cpu_node(topo, obj),
			.core = core_of(topo, obj),
			.l3 = last_cache(topo, obj),
			.package = ancestor(topo, obj, HWLOC_OBJ_PACKAGE),
			.die = ancestor(topo, obj, HWLOC_OBJ_DIE),
		};
	}
	fill_distances(topo, host);
	if (root) {
		mark_isolated(root, host, "isolated");
		mark_isolated(root, host, "nohz_full");
	} else if (vh_host_read_devices(topo, host) < 0) {
		return -ENOMEM;
	}
	return host->n_cpus ? 0 : -EINVAL;
}

int vh_host_load(const struct vh_root *root, const char *xml, struct vh_host **ret, struct vh_err *err)
{
	vh_cleanup(topology_freep) hwloc_topology_t topo = NULL;
	vh_cleanup(vh_host_freep) struct vh_host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return vh_err_nomem(err);
	r = load_topology(root, xml, &topo, err);
	if (r < 0)
		return r;
	r = fill(host, topo, xml ? NULL : root);
	if (r == -ENOMEM)
		return vh_err_nomem(err);
	if (r < 0)
		return vh_err_refuse(err, EINVAL, "%s: names no CPU or no memory, or more than 4096 CPUs or 1024 nodes",
				     xml ? xml : vh_root_path(root));
	*ret = vh_steal(&host);
	return 0;
}

int vh_host_find_devices(const char *xml, char (*addresses)[20], size_t n, int *ret_nodes, struct vh_err *err)
{
	vh_cleanup(topology_freep) hwloc_topology_t topo = NULL;
	int r = load_topology(NULL, xml, &topo, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		ret_nodes[i] = *addresses[i] ? vh_host_find_device(topo, addresses[i]) : VH_NO_DEVICE;
	return r;
}

void vh_host_free(struct vh_host *host)
{
	if (!host)
		return;
	free(host->nodes);
	free(host->cpus);
	free(host->distances);
	free(host->devices);
	free(host);
}
