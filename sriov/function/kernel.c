// SPDX-License-Identifier: Apache-2.0
/* The table of effects as the kernel has them. */
#include <linux/netlink.h>

#include "sriov/function/function.h"
#include "sriov/function/vf_read.h"
#include "sriov/function/vf_write.h"
#include "sriov/netlink.h"

static int write_file(void *arg, const struct vh_root *root, const char *path, const char *text)
{
	(void)arg;
	return vh_root_write(root, text, "%s", path);
}

static int vf_read(void *arg, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err)
{
	vh_autovfnl sock = NULL;
	int r = vh_vfnl_open(&sock, NETLINK_ROUTE, 0, err);

	(void)arg;
	return r < 0 ? r : vh_vfnl_read(sock, netdev, fn, n, err);
}

static int vf_write(void *arg, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err)
{
	vh_autovfnl sock = NULL;
	int r = vh_vfnl_open(&sock, NETLINK_ROUTE, 0, err);

	(void)arg;
	return r < 0 ? r : vh_vfnl_write(sock, netdev, fn, n, err);
}

static int link_up(void *arg, const char *netdev, struct vh_err *err)
{
	vh_autovfnl sock = NULL;
	int r = vh_vfnl_open(&sock, NETLINK_ROUTE, 0, err);

	(void)arg;
	return r < 0 ? r : vh_vfnl_up(sock, netdev, err);
}

const struct vh_sriov_ops vh_sriov_kernel = {
	.write = write_file, .vf_read = vf_read, .vf_write = vf_write, .link_up = link_up,
};
