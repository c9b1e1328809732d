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

#include "lib/files/files.h"
#include "lib/strv.h"
#include "sriov/function/vf_read.h"
#include "sriov/function/vf_write.h"
#include "sriov/inventory/inventory.h"
#include "tests/bench/bench.h"

enum { PFS = 16, VFS_A_PF = 125, RUNS = 20, VFS = 127, VFS_AT_ONCE = 16 };

static const double list_limit = 0.2;

/* --- listing */

static int time_library(const char *dir, double *ret, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, dir, err);

	*ret = 1e9;
	for (int i = 0; r == 0 && i < RUNS; i++) {
		double start = bench_now();
		vh_autodevices devices = VH_PCI_DEVICES_NONE;

		r = vh_sriov_list(root, &devices, err);
		if (r == 0 && devices.n != PFS * (VFS_A_PF + 1))
			return vh_err_set(err, EIO, "listed %zu devices", devices.n);
		*ret = bench_now() - start < *ret ? bench_now() - start : *ret;
	}
	return r;
}

static int bench_list(const char *bindir, const char *dir, bool *ret_ok, struct vh_err *err)
{
	vh_autofree char *program = vh_strf("%s/vhpc-sriov", bindir);
	vh_autofree char *state = vh_strf("%s/state", dir);
	char *const argv[] = { program, "list", "--json", "--root", (char *)dir, "--state", state, NULL };
	double library, whole, cpu;
	int r;

	if ((r = time_library(dir, &library, err)) < 0 || (r = bench_time_program(argv, RUNS, false, &whole, &cpu, err)) < 0)
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
		double start = bench_now();

		r = configure(fn, err);
		if (r < 0)
			return r;
		batched = bench_now() - start < batched ? bench_now() - start : batched;
	}
	r = bench_time_program(argv, RUNS, true, &shell, &cpu, err);
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

	if ((r = bench_make_host(dir, PFS, VFS_A_PF, err)) < 0 || (r = bench_list(bindir, dir, &ok, err)) < 0)
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
		perror(dir);
		return VH_EXIT_FAILED;
	}
	r = run(argv[1], dir, &err);
	vh_remove_tree(dir, &ignored);
	if (r < 0)
		vh_err_print(stderr, "bench sriov", &err);
	return r < 0;
}
