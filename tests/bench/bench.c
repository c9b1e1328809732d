// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- files */

static int fail(const char *what, struct vh_err *err)
{
	return vh_err_set(err, errno, "%s: %s", what, strerror(errno));
}

static int put(const char *dir, const char *name, const char *text, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	FILE *f = path ? fopen(path, "we") : NULL;

	return !f || fputs(text, f) < 0 || fclose(f) != 0 ? fail(path ? path : name, err) : 0;
}

static int point(const char *dir, const char *name, const char *target, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);

	return path && symlink(target, path) == 0 ? 0 : fail(name, err);
}

static int put_all(const char *dir, const char *const (*files)[2], size_t n, struct vh_err *err)
{
	int r = vh_mkdirs(dir, 0755, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put(dir, files[i][0], files[i][1], err);
	return r;
}

/* --- processors and memory */

static int make_cpu(const char *root, unsigned cpu, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/sys/devices/system/cpu/cpu%u/topology", root, cpu);
	vh_autofree char *core = vh_strf("%u\n", cpu);
	vh_autofree char *itself = vh_strf("%x\n", 1u << cpu);
	const char *const files[][2] = {
		{ "physical_package_id", cpu < 4 ? "0\n" : "1\n" }, { "core_id", core }, { "core_cpus", itself },
		{ "package_cpus", cpu < 4 ? "0f\n" : "f0\n" },
	};

	return put_all(dir, files, vh_array_len(files), err);
}

static int make_node(const char *root, unsigned node, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/sys/devices/system/node/node%u", root, node);
	vh_autofree char *memory = vh_strf("Node %u MemTotal: 33554432 kB\nNode %u MemFree: 33554432 kB\n", node, node);
	const char *const files[][2] = {
		{ "cpumap", node ? "f0\n" : "0f\n" }, { "distance", node ? "21 10\n" : "10 21\n" }, { "meminfo", memory },
	};

	return put_all(dir, files, vh_array_len(files), err);
}

static int make_machine(const char *root, struct vh_err *err)
{
	vh_autofree char *proc = vh_strf("%s/proc", root);
	vh_autofree char *cpus = vh_strf("%s/sys/devices/system/cpu", root);
	vh_autofree char *nodes = vh_strf("%s/sys/devices/system/node", root);
	int r = put_all(proc, (const char *const[][2]){ { "meminfo", "MemTotal: 67108864 kB\n" } }, 1, err);

	for (unsigned i = 0; r == 0 && i < 8; i++)
		r = make_cpu(root, i, err);
	for (unsigned i = 0; r == 0 && i < 2; i++)
		r = make_node(root, i, err);
	if (r == 0)
		r = put(cpus, "online", "0-7\n", err);
	return r < 0 ? r : put(nodes, "online", "0-1\n", err);
}

/* --- devices */

/* A device below its port, with what the kernel has for each; *ret_dir is malloc'd. */
static int make_device(const char *root, unsigned pf, unsigned fn, const char *node, const char *driver, char **ret_dir,
		       struct vh_err *err)
{
	vh_autofree char *address = vh_strf("0000:%02x:%02x.%u", 0x20 + pf, fn / 8, fn % 8);
	vh_autofree char *port = vh_strf("devices/pci0000:%02x/0000:%02x:00.0/%s", 0x80 + pf, 0x80 + pf, address);
	vh_autofree char *dir = vh_strf("%s/sys/%s", root, port);
	vh_autofree char *entry = vh_strf("sys/bus/pci/devices/%s", address);
	vh_autofree char *target = vh_strf("../../../%s", port);
	vh_autofree char *to_driver = vh_strf("../../../../bus/pci/drivers/%s", driver);
	vh_autofree char *group = vh_strf("../../../../kernel/iommu_groups/%u", pf * 128 + fn);
	vh_autofree char *bars = vh_strf("0x%016x 0x%016x 0x000000000014220c\n", (pf * 128 + fn) << 20,
					 ((pf * 128 + fn + 1) << 20) - 1);
	const char *const files[][2] = {
		{ "class", "0x020000\n" }, { "vendor", "0x15b3\n" }, { "device", fn ? "0x101e\n" : "0x101d\n" },
		{ "numa_node", node }, { "resource", bars },
	};
	int r = put_all(dir, files, vh_array_len(files), err);

	if (r < 0 || (r = point(dir, "driver", to_driver, err)) < 0 || (r = point(dir, "iommu_group", group, err)) < 0 ||
	    (r = point(root, entry, target, err)) < 0)
		return r;
	*ret_dir = vh_steal(&dir);
	return 0;
}

static int make_netdev(const char *dir, const char *name, struct vh_err *err)
{
	static const char *const files[][2] = {
		{ "address", "02:00:00:00:00:01\n" }, { "operstate", "up\n" }, { "speed", "100000\n" },
	};
	vh_autofree char *net = vh_strf("%s/net/%s", dir, name);

	return put_all(net, files, vh_array_len(files), err);
}

static int make_vf(const char *root, const char *pf_dir, unsigned pf, unsigned vf, const char *node, struct vh_err *err)
{
	vh_autofree char *dir = NULL;
	vh_autofree char *back = vh_strf("../0000:%02x:00.0", 0x20 + pf);
	vh_autofree char *to = vh_strf("../0000:%02x:%02x.%u", 0x20 + pf, (vf + 1) / 8, (vf + 1) % 8);
	vh_autofree char *link = vh_strf("virtfn%u", vf);
	vh_autofree char *name = vh_strf("ens%uv%u", pf, vf);
	int r = make_device(root, pf, vf + 1, node, vf % 2 ? "vfio-pci" : "mlx5_core", &dir, err);

	if (r < 0 || (r = point(dir, "physfn", back, err)) < 0 || (r = point(pf_dir, link, to, err)) < 0)
		return r;
	return vf % 2 ? 0 : make_netdev(dir, name, err);
}

static int make_pf(const char *root, unsigned pf, unsigned vfs, const char *node, struct vh_err *err)
{
	vh_autofree char *name = vh_strf("ens%u", pf);
	vh_autofree char *number = vh_strf("%u\n", vfs);
	vh_autofree char *dir = NULL;
	int r = make_device(root, pf, 0, node, "mlx5_core", &dir, err);

	if (r < 0 || (r = put(dir, "sriov_totalvfs", "127\n", err)) < 0 || (r = put(dir, "sriov_numvfs", number, err)) < 0)
		return r;
	r = make_netdev(dir, name, err);
	for (unsigned vf = 0; r == 0 && vf < vfs; vf++)
		r = make_vf(root, dir, pf, vf, node, err);
	return r;
}

int bench_make_host(const char *root, unsigned pfs, unsigned vfs_a_pf, struct vh_err *err)
{
	vh_autofree char *devices = vh_strf("%s/sys/bus/pci/devices", root);
	int r = vh_mkdirs(devices, 0755, err);

	if (r == 0)
		r = make_machine(root, err);
	for (unsigned pf = 0; r == 0 && pf < pfs; pf++)
		r = make_pf(root, pf, vfs_a_pf, pf < pfs / 2 ? "0\n" : "1\n", err);
	return r;
}

/* --- programs */

static double cpu_of_children(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int bench_time_program(char *const *argv, int runs, bool may_fail, double *ret, double *ret_cpu, struct vh_err *err)
{
	*ret = *ret_cpu = 1e9;
	for (int i = 0; i < runs; i++) {
		const struct vh_spawn spawn = { .argv = argv, .deadline_ms = 60000 };
		vh_autooutput out = { 0 };
		double start = bench_now(), cpu = cpu_of_children(), took;
		int r = may_fail ? vh_spawn_run(&spawn, &out, err) : vh_spawn_ok(&spawn, &out, err);

		if (r < 0)
			return r;
		took = bench_now() - start;
		cpu = cpu_of_children() - cpu;
		*ret = took < *ret ? took : *ret;
		*ret_cpu = cpu < *ret_cpu ? cpu : *ret_cpu;
	}
	return 0;
}
