// SPDX-License-Identifier: Apache-2.0
/* usage: sriov BINDIR
 * The control plane of VFs against the clock: a listing of 2,000 VFs on a captured host, and
 * the attributes of 127 VFs set over one netlink socket, against a shell that runs ip link for
 * each VF. Both speak to this kernel, in a network namespace of their own, about an interface
 * without VFs: the kernel reads each request and refuses it, so that what is compared is the
 * way there and back and not a driver. The least of several runs counts. */
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "sriov/function/vf_read.h"
#include "sriov/function/vf_write.h"
#include "sriov/inventory/inventory.h"

enum { PFS = 16, VFS_A_PF = 125, RUNS = 20, VFS = 127, VFS_AT_ONCE = 16 };

static const double list_limit = 0.2;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench sriov: %s: %s\n", what, strerror(errno));
	return -1;
}

/* --- a host of 2,000 VFs, made of files */

static int put(const char *dir, const char *name, const char *text)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	FILE *f = path ? fopen(path, "we") : NULL;

	if (!f || fputs(text, f) < 0 || fclose(f) != 0)
		return fail(path ? path : name);
	return 0;
}

static int point(const char *dir, const char *name, const char *target)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);

	return path && symlink(target, path) == 0 ? 0 : fail(name);
}

/* A device below its port, with what the kernel has for each; *ret_dir is malloc'd. */
static int device(const char *root, int pf, int fn, const char *driver, char **ret_dir)
{
	vh_autofree char *address = vh_strf("0000:%02x:%02x.%d", 0x20 + pf, fn / 8, fn % 8);
	vh_autofree char *dir = vh_strf("%s/sys/devices/pci0000:%02x/0000:%02x:00.0/%s", root, 0x80 + pf, 0x80 + pf, address);
	vh_autofree char *entry = vh_strf("sys/bus/pci/devices/%s", address);
	vh_autofree char *target = vh_strf("../../../devices/pci0000:%02x/0000:%02x:00.0/%s", 0x80 + pf, 0x80 + pf, address);
	vh_autofree char *to_driver = vh_strf("../../../../bus/pci/drivers/%s", driver);
	vh_autofree char *group = vh_strf("../../../../kernel/iommu_groups/%d", pf * 128 + fn);
	vh_autoerr err = VH_ERR_NONE;

	if (vh_mkdirs(dir, 0755, &err) < 0 || put(dir, "class", "0x020000\n") < 0 || put(dir, "vendor", "0x15b3\n") < 0 ||
	    put(dir, "device", "0x101e\n") < 0 || put(dir, "numa_node", pf < PFS / 2 ? "0\n" : "1\n") < 0 ||
	    point(dir, "driver", to_driver) < 0 || point(dir, "iommu_group", group) < 0 || point(root, entry, target) < 0)
		return -1;
	*ret_dir = vh_steal(&dir);
	return 0;
}

static int netdev(const char *dir, const char *name)
{
	vh_autofree char *net = vh_strf("%s/net/%s", dir, name);
	vh_autoerr err = VH_ERR_NONE;

	return vh_mkdirs(net, 0755, &err) < 0 || put(net, "address", "02:00:00:00:00:01\n") < 0 ||
	       put(net, "operstate", "up\n") < 0 || put(net, "speed", "100000\n") < 0 ? -1 : 0;
}

static int make_vf(const char *root, const char *pf_dir, int pf, int vf)
{
	vh_autofree char *dir = NULL;
	vh_autofree char *back = vh_strf("../0000:%02x:00.0", 0x20 + pf);
	vh_autofree char *to = vh_strf("../0000:%02x:%02x.%d", 0x20 + pf, (vf + 1) / 8, (vf + 1) % 8);
	vh_autofree char *link = vh_strf("virtfn%d", vf);
	vh_autofree char *name = vh_strf("ens%dv%d", pf, vf);

	/* Half of them for VMs, half with the host. */
	if (device(root, pf, vf + 1, vf % 2 ? "vfio-pci" : "mlx5_core", &dir) < 0 || point(dir, "physfn", back) < 0 ||
	    point(pf_dir, link, to) < 0)
		return -1;
	return vf % 2 ? 0 : netdev(dir, name);
}

static int make_host(const char *root)
{
	vh_autofree char *devices = vh_strf("%s/sys/bus/pci/devices", root);
	vh_autoerr err = VH_ERR_NONE;

	if (vh_mkdirs(devices, 0755, &err) < 0)
		return fail(devices);
	for (int pf = 0; pf < PFS; pf++) {
		vh_autofree char *dir = NULL;
		vh_autofree char *name = vh_strf("ens%d", pf);

		if (device(root, pf, 0, "mlx5_core", &dir) < 0 || put(dir, "sriov_totalvfs", "127\n") < 0 ||
		    put(dir, "sriov_numvfs", "125\n") < 0 || netdev(dir, name) < 0)
			return -1;
		for (int vf = 0; vf < VFS_A_PF; vf++)
			if (make_vf(root, dir, pf, vf) < 0)
				return -1;
	}
	return 0;
}

/* --- listing */

static int time_library(const char *dir, double *ret, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, dir, err);

	*ret = 1e9;
	for (int i = 0; r == 0 && i < RUNS; i++) {
		double start = now();
		vh_autodevices devices = VH_PCI_DEVICES_NONE;

		r = vh_sriov_list(root, &devices, err);
		if (r == 0 && devices.n != PFS * (VFS_A_PF + 1))
			return vh_err_set(err, EIO, "listed %zu devices", devices.n);
		*ret = now() - start < *ret ? now() - start : *ret;
	}
	return r;
}

static double cpu_of_children(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* *ret_cpu: what the processor had to do with it, which neighbours on the machine do not lengthen. */
static int time_program(char *const *argv, double *ret, double *ret_cpu, bool may_fail, struct vh_err *err)
{
	*ret = *ret_cpu = 1e9;
	for (int i = 0; i < RUNS; i++) {
		const struct vh_spawn spawn = { .argv = argv, .deadline_ms = 60000 };
		vh_autooutput out = { 0 };
		double start = now(), cpu = cpu_of_children();
		int r = may_fail ? vh_spawn_run(&spawn, &out, err) : vh_spawn_ok(&spawn, &out, err);

		if (r < 0)
			return r;
		*ret = now() - start < *ret ? now() - start : *ret;
		cpu = cpu_of_children() - cpu;
		*ret_cpu = cpu < *ret_cpu ? cpu : *ret_cpu;
	}
	return 0;
}

static int bench_list(const char *bindir, const char *dir, bool *ret_ok, struct vh_err *err)
{
	vh_autofree char *program = vh_strf("%s/vhpc-sriov", bindir);
	vh_autofree char *state = vh_strf("%s/state", dir);
	char *const argv[] = { program, "list", "--json", "--root", (char *)dir, "--state", state, NULL };
	double library, whole, cpu;
	int r;

	if ((r = time_library(dir, &library, err)) < 0 || (r = time_program(argv, &whole, &cpu, false, err)) < 0)
		return r;
	*ret_ok = whole < list_limit;
	printf("list of %d VFs: %.3f s in the library, %.3f s as vhpc sriov list --json, %.3f s of it on the processor"
	       " (limit %.1f s)\n", PFS * VFS_A_PF, library, whole, cpu, list_limit);
	return 0;
}

/* --- configuring */

static void fill(struct vh_fn fn[VFS])
{
	for (unsigned i = 0; i < VFS; i++) {
		fn[i] = (struct vh_fn){ .index = (int)i };
		fn[i].have = VH_FN_BIT(VH_FN_MAC) | VH_FN_BIT(VH_FN_VLAN) | VH_FN_BIT(VH_FN_QOS) | VH_FN_BIT(VH_FN_SPOOFCHK) |
			     VH_FN_BIT(VH_FN_TRUST);
		fn[i].value[VH_FN_MAC] = 0x020000000000 + i;
		fn[i].value[VH_FN_VLAN] = 100;
		fn[i].value[VH_FN_SPOOFCHK] = 1;
	}
}

/* Four requests a VF, the read-back of all, and the socket, as vhpc sriov does it. */
static int configure(struct vh_fn fn[VFS], struct vh_err *err)
{
	vh_autovfnl sock = NULL;
	int r = vh_vfnl_open(&sock, NETLINK_ROUTE, 0, err);

	for (size_t i = 0; r == 0 && i < VFS; i += VFS_AT_ONCE) {
		size_t n = VFS - i < VFS_AT_ONCE ? VFS - i : VFS_AT_ONCE;

		/* A window's worth at a time: the first refusal ends no more than that. */
		r = vh_vfnl_write(sock, "lo", fn + i, n, err);
		if (r != -EOPNOTSUPP && r != -EINVAL)
			return r < 0 ? r : vh_err_set(err, EIO, "lo took the attributes of a VF");
		vh_err_clear(err);
		r = 0;
	}
	return r < 0 ? r : vh_vfnl_read(sock, "lo", (struct vh_fn[1]){ { .index = 0 } }, 1, err);
}

static int bench_configure(double *ret_ratio, struct vh_err *err)
{
	static char script[] = "for i in $(seq 0 126); do ip link set dev lo vf $i mac 02:00:00:00:00:01"
			       " vlan 100 qos 0 spoofchk on trust off; done 2>/dev/null; ip link show dev lo >/dev/null";
	char *const argv[] = { "sh", "-c", script, NULL };
	static struct vh_fn fn[VFS];
	double batched = 1e9, shell, cpu;
	int r;

	fill(fn);
	for (int i = 0; i < RUNS; i++) {
		double start = now();

		r = configure(fn, err);
		if (r < 0)
			return r;
		batched = now() - start < batched ? now() - start : batched;
	}
	r = time_program(argv, &shell, &cpu, true, err);
	if (r < 0)
		return r;
	*ret_ratio = shell / batched;
	printf("%d VFs, MAC, VLAN, spoof check and trust: %.4f s batched, %.3f s by ip link and a shell, ratio %.0f\n",
	       VFS, batched, shell, *ret_ratio);
	printf("(no interface with VFs here: both were refused by the kernel, request by request)\n");
	return 0;
}

static int run(const char *bindir, const char *dir, struct vh_err *err)
{
	double ratio = 0;
	bool ok = false;
	int r;

	if (make_host(dir) < 0)
		return vh_err_set(err, EIO, "no host of files could be made");
	r = bench_list(bindir, dir, &ok, err);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		printf("skip configuring VFs: %s\n", strerror(errno));
	else if ((r = bench_configure(&ratio, err)) == 0 && ratio < 1)
		ok = false;
	return r < 0 || ok ? r : vh_err_set(err, ETIME, "slower than it has to be");
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/vhpc-bench-XXXXXX";
	vh_autoerr err = VH_ERR_NONE;
	vh_autoerr ignored = VH_ERR_NONE;
	int r;

	if (argc != 2) {
		fprintf(stderr, "usage: sriov BINDIR\n");
		return VH_EXIT_USAGE;
	}
	if (!mkdtemp(dir)) {
		fail(dir);
		return 1;
	}
	r = run(argv[1], dir, &err);
	vh_remove_tree(dir, &ignored);
	if (r < 0)
		vh_err_print(stderr, "bench sriov", &err);
	return r < 0;
}
