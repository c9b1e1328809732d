// SPDX-License-Identifier: Apache-2.0
/* What is asked of a port beside /sys: RDMA netlink, where a thread answers as the kernel does,
 * and libraries, for which a fake stands. */
#include <errno.h>
#include <limits.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <rdma/rdma_netlink.h>
#include <string.h>
#include "lib/json.h"
#include "sriov/inventory/ibverbs.h"
#include "sriov/inventory/rdma_netlink.h"
#include "sriov/inventory/umad.h"
#include "sriov/netlink.h"
#include "tests/unit/netlink_peer.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

static struct nl_msg *answer_to(const struct nlmsghdr *nlh, int type)
{
	struct nl_msg *msg = nlmsg_alloc();

	ck_assert_ptr_nonnull(nlmsg_put(msg, 0, nlh->nlmsg_seq, type, 0, NLM_F_MULTI));
	return msg;
}

static void tell_device(const struct netlink_peer *peer, uint32_t to, const struct nlmsghdr *nlh, uint32_t index, const char *name)
{
	struct nl_msg *msg = answer_to(nlh, nlh->nlmsg_type);

	nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	nla_put_string(msg, RDMA_NLDEV_ATTR_DEV_NAME, name);
	netlink_peer_send(peer, to, msg);
}

/* Port 1 has all; of port 2 the kernel knows little, and a state that has no name. */
static void tell_port(const struct netlink_peer *peer, uint32_t to, const struct nlmsghdr *nlh, uint32_t number)
{
	struct nl_msg *msg = answer_to(nlh, nlh->nlmsg_type);

	nla_put_u32(msg, RDMA_NLDEV_ATTR_PORT_INDEX, number);
	nla_put_u8(msg, RDMA_NLDEV_ATTR_PORT_STATE, number == 1 ? 4 : 77);
	if (number == 1) {
		nla_put_u8(msg, RDMA_NLDEV_ATTR_PORT_PHYS_STATE, 5);
		nla_put_u32(msg, RDMA_NLDEV_ATTR_LID, 7);
		nla_put_u32(msg, RDMA_NLDEV_ATTR_SM_LID, 1);
		nla_put_string(msg, RDMA_NLDEV_ATTR_NDEV_NAME, "ib0");
	}
	netlink_peer_send(peer, to, msg);
}

static void answer(struct netlink_peer *peer, uint32_t to, struct nlmsghdr *nlh)
{
	struct nlattr *tb[RDMA_NLDEV_ATTR_MAX];
	struct nl_msg *done = answer_to(nlh, NLMSG_DONE);
	int zero = 0;

	ck_assert_int_eq(nlmsg_parse(nlh, 0, tb, RDMA_NLDEV_ATTR_MAX - 1, NULL), 0);
	ck_assert_int_ne(nlh->nlmsg_flags & NLM_F_DUMP, 0);
	if (nlh->nlmsg_type == RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET)) {
		tell_device(peer, to, nlh, 3, "mlx5_1");
		tell_device(peer, to, nlh, 8, "mlx5_0");
	} else {
		ck_assert_uint_eq(nlh->nlmsg_type, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_PORT_GET));
		ck_assert_uint_eq(nla_get_u32(tb[RDMA_NLDEV_ATTR_DEV_INDEX]), 8);
		tell_port(peer, to, nlh, 1);
		tell_port(peer, to, nlh, 2);
	}
	nlmsg_append(done, &zero, sizeof(zero), NLMSG_ALIGNTO);
	netlink_peer_send(peer, to, done);
}

START_TEST(netlink_tells_the_ports_of_one_device)
{
	vh_autojson ports = NULL;
	vh_autojson none = NULL;
	vh_autofree char *text = NULL;
	vh_autovfnl sock = NULL;
	struct netlink_peer peer = { .answer = answer };

	netlink_peer_open(&peer);
	OK(vh_vfnl_open(&sock, NETLINK_USERSOCK, peer.port, oe));
	ck_assert_int_eq(vh_rdmanl_ports(sock, "mlx5_0", &ports), 0);
	text = json_dumps(ports, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, "{\"1\":{\"lid\":7,\"netdev\":\"ib0\",\"physical\":\"LinkUp\",\"sm_lid\":1,\"state\":\"ACTIVE\"},\"2\":{}}");
	ck_assert_int_eq(vh_rdmanl_ports(sock, "mlx5_2", &none), -ENODEV);
	ck_assert_ptr_null(none);
	netlink_peer_close(&peer);
}
END_TEST

START_TEST(the_kernel_has_no_such_device)
{
	vh_autojson ports = NULL;

	ck_assert_int_lt(vh_rdma_netlink_ports("no-such", &ports), 0);
	ck_assert_ptr_null(ports);
}
END_TEST

/* Made beside this program. */
static void fake_path(char path[PATH_MAX])
{
	memset(path, 0, PATH_MAX);
	ck_assert_int_gt(readlink("/proc/self/exe", path, PATH_MAX - sizeof("rdma_fake.so")), 0);
	strcpy(strrchr(path, '/') + 1, "rdma_fake.so");
	if (access(path, R_OK) < 0)
		unit_skip("%s is not there", path);
}

START_TEST(libibumad_fills_what_is_unknown)
{
	vh_autojson port = json_pack("{ss sn sn sn sn sn s[]}", "state", "DOWN", "physical", "lid", "sm_lid", "port_guid",
				     "rate", "pkeys");
	vh_autofree char *text = NULL;
	char path[PATH_MAX];

	fake_path(path);
	ck_assert_int_eq(vh_umad_port(path, "mlx5_0", 1, port), 0);
	text = json_dumps(port, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, "{\"lid\":7,\"physical\":\"LinkUp\",\"pkeys\":[\"0xffff\",\"0x8001\"],"
			       "\"port_guid\":\"0c:42:a1:03:00:a1:b2:c3\",\"rate\":200000,\"sm_lid\":1,\"state\":\"DOWN\"}");
	ck_assert_int_eq(vh_umad_port(path, "mlx5_1", 1, port), -ENODEV);
	ck_assert_int_eq(vh_umad_port("/no/such.so", "mlx5_0", 1, port), -ENOENT);
}
END_TEST

START_TEST(libibverbs_tells_the_mtu)
{
	vh_autojson port = json_pack("{sn sn}", "mtu", "mtu_max");
	char path[PATH_MAX];

	fake_path(path);
	ck_assert_int_eq(vh_ibverbs_port(path, "mlx5_0", 2, port), -ENODEV);
	ck_assert(json_is_null(json_object_get(port, "mtu")));
	ck_assert_int_eq(vh_ibverbs_port(path, "mlx5_0", 1, port), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(port, "mtu")), 2048);
	ck_assert_int_eq(json_integer_value(json_object_get(port, "mtu_max")), 4096);
	ck_assert_int_eq(vh_ibverbs_port(path, "mlx5_1", 1, port), -ENODEV);
	ck_assert_int_eq(vh_ibverbs_port("/no/such.so", "mlx5_0", 1, port), -ENOENT);
}
END_TEST

UNIT_SUITE(sriov_rdma, netlink_tells_the_ports_of_one_device, the_kernel_has_no_such_device, libibumad_fills_what_is_unknown,
	   libibverbs_tells_the_mtu)
