// SPDX-License-Identifier: Apache-2.0
#include "vmm/vmm.h"

#include <errno.h>
#include <hwloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/memory.h"

enum { XML_MAX = 64 << 20, HUGE_2M = 2 << 20 };

/* hwloc is told of another root, and to keep quiet, by environment variables only. */
static pthread_mutex_t env_lock = PTHREAD_MUTEX_INITIALIZER;

static void topology_freep(hwloc_topology_t *t)
{
	if (*t)
		hwloc_topology_destroy(*t);
}

static int check_xml(const char *xml, struct vh_err *err)
{
	struct stat st;

	if (stat(xml, &st) < 0)
		return vh_err_refuse(err, errno, "%s: %s", xml, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vh_err_refuse(err, EINVAL, "%s: not a file", xml);
	if (st.st_size > XML_MAX)
		return vh_err_refuse(err, EFBIG, "%s: larger than 64 MiB", xml);
	return 0;
}

static int bad_xml(const char *xml, struct vh_err *err)
{
	vh_autofclose FILE *f = fopen(xml, "re");
	char head[512] = "";

	if (f && fread(head, 1, sizeof(head) - 1, f) > 0 && strstr(head, "<topology version=\"3"))
		return vh_err_refuse(err, EINVAL, "%s: written by hwloc 3; hwloc %d.%d here reads version 2",
				     xml, HWLOC_API_VERSION >> 16, HWLOC_API_VERSION >> 8 & 0xff);
	return vh_err_refuse(err, EINVAL, "%s: not a machine that hwloc reads", xml);
}

static int load_locked(hwloc_topology_t topo, const struct vh_root *root, const char *xml)
{
	bool captured = !xml && !vh_root_is_live(root);
	int r;

	if (xml && hwloc_topology_set_xml(topo, xml) < 0)
		return -1;
	pthread_mutex_lock(&env_lock);
	setenv("HWLOC_HIDE_ERRORS", "2", 1);
	if (captured)
		setenv("HWLOC_FSROOT", vh_root_path(root), 1);
	r = hwloc_topology_load(topo);
	if (captured)
		unsetenv("HWLOC_FSROOT");
	pthread_mutex_unlock(&env_lock);
	return r;
}

static int load_topology(const struct vh_root *root, const char *xml, hwloc_topology_t *ret,
			 struct vh_err *err)
{
	vh_cleanup(topology_freep) hwloc_topology_t topo = NULL;
	int r = xml ? check_xml(xml, err) : 0;

	if (r < 0)
		return r;
	/* Without it hwloc would count the CPUs of the machine that it runs on. */
	if (!xml && !vh_root_exists(root, "sys/devices/system/cpu"))
		return vh_err_refuse(err, ENOENT, "%s: no host: has no sys/devices/system/cpu", vh_root_path(root));
	if (hwloc_topology_init(&topo) < 0)
		return vh_err_nomem(err);
	if (load_locked(topo, root, xml) < 0)
		return xml ? bad_xml(xml, err)
			   : vh_err_refuse(err, EINVAL, "%s: hwloc reads no machine there", vh_root_path(root));
	*ret = vh_steal(&topo);
	return 0;
}

static void fill_node(const struct vh_root *root, hwloc_obj_t obj, struct vh_host_node *node)
{
	uint64_t total, left;
	int64_t pages;

	node->id = obj->os_index;
	node->memory = obj->attr->numanode.local_memory;
	node->free = node->memory;
	for (unsigned i = 0; i < obj->attr->numanode.page_types_len; i++)
		if (obj->attr->numanode.page_types[i].size == HUGE_2M)
			node->huge_2m = obj->attr->numanode.page_types[i].count;
	node->huge_2m_free = node->huge_2m;
	if (!root)
		return;
	if (vh_node_memory(root, node->id, &total, &left) == 0) {
		node->memory = total;
		node->free = vh_root_is_live(root) ? left : total;
	}
	if (vh_root_read_int(root, &pages, "sys/devices/system/node/node%u/hugepages/"
			     "hugepages-2048kB/free_hugepages", node->id) == 0 && pages >= 0)
		node->huge_2m_free = (uint64_t)pages;
}

static unsigned ancestor(hwloc_topology_t topo, hwloc_obj_t pu, hwloc_obj_type_t type)
{
	hwloc_obj_t obj = hwloc_get_ancestor_obj_by_type(topo, type, pu);

	return obj ? obj->logical_index : 0;
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

	if (cpus <= 0 || nodes <= 0)
		return -EINVAL;
	host->cpus = calloc((size_t)cpus, sizeof(*host->cpus));
	host->nodes = calloc((size_t)nodes, sizeof(*host->nodes));
	if (!host->cpus || !host->nodes)
		return -ENOMEM;
	while ((obj = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_NUMANODE, obj)))
		fill_node(root, obj, &host->nodes[host->n_nodes++]);
	while ((obj = hwloc_get_next_obj_by_type(topo, HWLOC_OBJ_PU, obj))) {
		if (!hwloc_bitmap_isset(allowed, obj->os_index))
			continue;
		host->cpus[host->n_cpus++] = (struct vh_host_cpu){
			.id = obj->os_index,
			.node = cpu_node(topo, obj),
			.core = ancestor(topo, obj, HWLOC_OBJ_CORE),
			.l3 = ancestor(topo, obj, HWLOC_OBJ_L3CACHE),
			.package = ancestor(topo, obj, HWLOC_OBJ_PACKAGE),
		};
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
		return vh_err_refuse(err, EINVAL, "%s: names no CPU or no memory",
				     xml ? xml : vh_root_path(root));
	*ret = vh_steal(&host);
	return 0;
}

void vh_host_free(struct vh_host *host)
{
	if (!host)
		return;
	free(host->nodes);
	free(host->cpus);
	free(host);
}
