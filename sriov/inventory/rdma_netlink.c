// SPDX-License-Identifier: Apache-2.0
/* What RDMA netlink tells of a device's ports: the kernel's devices by index, then the ports of one. */
#include "sriov/inventory/rdma_netlink.h"

#include <errno.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <rdma/rdma_netlink.h>
#include <stdbool.h>

#include "lib/json.h"
#include "sriov/inventory/rdma_names.h"

struct search { const char *name; uint32_t index; bool found; };

static struct nlattr **attributes(struct nl_msg *msg, struct nlattr *tb[RDMA_NLDEV_ATTR_MAX])
{
	return nlmsg_parse(nlmsg_hdr(msg), 0, tb, RDMA_NLDEV_ATTR_MAX - 1, NULL) < 0 ? NULL : tb;
}

static int on_device(struct nl_msg *msg, void *arg)
{
	struct nlattr *storage[RDMA_NLDEV_ATTR_MAX], **tb = attributes(msg, storage);
	struct search *s = arg;

	if (tb && tb[RDMA_NLDEV_ATTR_DEV_NAME] && tb[RDMA_NLDEV_ATTR_DEV_INDEX] &&
	    !nla_strcmp(tb[RDMA_NLDEV_ATTR_DEV_NAME], s->name)) {
		s->index = nla_get_u32(tb[RDMA_NLDEV_ATTR_DEV_INDEX]);
		s->found = true;
	}
	return NL_OK;
}

static void set_known(json_t *row, const char *key, json_t *value)
{
	if (json_is_null(value))
		json_decref(value);
	else
		json_object_set_new(row, key, value);
}

static int on_port(struct nl_msg *msg, void *arg)
{
	struct nlattr *storage[RDMA_NLDEV_ATTR_MAX], **tb = attributes(msg, storage);
	json_t *row = json_object();
	char key[16];

	if (!tb || !tb[RDMA_NLDEV_ATTR_PORT_INDEX] || !row) {
		json_decref(row);
		return NL_OK;
	}
	if (tb[RDMA_NLDEV_ATTR_PORT_STATE])
		set_known(row, "state", vh_rdma_state(nla_get_u8(tb[RDMA_NLDEV_ATTR_PORT_STATE])));
	if (tb[RDMA_NLDEV_ATTR_PORT_PHYS_STATE])
		set_known(row, "physical", vh_rdma_physical(nla_get_u8(tb[RDMA_NLDEV_ATTR_PORT_PHYS_STATE])));
	if (tb[RDMA_NLDEV_ATTR_LID])
		set_known(row, "lid", json_integer(nla_get_u32(tb[RDMA_NLDEV_ATTR_LID])));
	if (tb[RDMA_NLDEV_ATTR_SM_LID])
		set_known(row, "sm_lid", json_integer(nla_get_u32(tb[RDMA_NLDEV_ATTR_SM_LID])));
	if (tb[RDMA_NLDEV_ATTR_NDEV_NAME])
		set_known(row, "netdev", json_string(nla_get_string(tb[RDMA_NLDEV_ATTR_NDEV_NAME])));
	snprintf(key, sizeof(key), "%u", nla_get_u32(tb[RDMA_NLDEV_ATTR_PORT_INDEX]));
	json_object_set_new(arg, key, row);
	return NL_OK;
}

/* index: whose ports; NULL: all devices. */
static int dump(struct nl_sock *sock, int command, const uint32_t *index, int (*take)(struct nl_msg *, void *),
		void *arg)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command), NLM_F_REQUEST | NLM_F_DUMP);
	int r = -ENOMEM;

	if (msg && (!index || nla_put_u32(msg, RDMA_NLDEV_ATTR_DEV_INDEX, *index) == 0)) {
		nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, take, arg);
		r = nl_send_auto(sock, msg) < 0 || nl_recvmsgs_default(sock) < 0 ? -EIO : 0;
	}
	nlmsg_free(msg);
	return r;
}

int vh_rdmanl_ports(struct nl_sock *sock, const char *ibdev, json_t **ret)
{
	struct search device = { .name = ibdev };
	vh_autojson ports = json_object();
	int r = dump(sock, RDMA_NLDEV_CMD_GET, NULL, on_device, &device);

	if (r == 0 && !device.found)
		r = -ENODEV;
	if (r == 0)
		r = dump(sock, RDMA_NLDEV_CMD_PORT_GET, &device.index, on_port, ports);
	if (r == 0)
		*ret = vh_steal(&ports);
	return r;
}

int vh_rdma_netlink_ports(const char *ibdev, json_t **ret)
{
	vh_autoerr ignored = VH_ERR_NONE;
	vh_autovfnl sock = NULL;

	return vh_vfnl_open(&sock, NETLINK_RDMA, 0, &ignored) < 0 ? -EOPNOTSUPP : vh_rdmanl_ports(sock, ibdev, ret);
}
