// SPDX-License-Identifier: GPL-2.0
/*
 * An InfiniBand-typed PF and its VFs on top of any PCI device with SR-IOV, for vhpc's lab: nobody
 * emulates an HCA. A PF gets it by driver_override; the VFs of such a PF by their id. Both have a
 * network device of InfiniBand's type, and an RDMA device with one port. A VF's node and port GUID
 * are set through the PF's network device; the VF's driver takes them when it is bound, not before,
 * and the VF is born with zero, as an HCA's is. No packet goes anywhere.
 */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_infiniband.h>
#include <linux/if_link.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <rdma/ib_verbs.h>

#define NAME "vhpc_lab_ib"
#define VFS_MAX 64
#define PF_GUID 0x0c42a10300a1b2c3ULL
#define GID_PREFIX 0xfe80000000000000ULL

static const u16 pkeys[] = { 0xffff, 0x8001, 0x0002 };

static int port_state = IB_PORT_ACTIVE;
module_param(port_state, int, 0644);
MODULE_PARM_DESC(port_state, "of all ports: 1 down, 2 init, 3 armed, 4 active");

static int sm_lid = 1;
module_param(sm_lid, int, 0644);
MODULE_PARM_DESC(sm_lid, "of the subnet manager; 0: there is none");

static int refuse_vf = -1;
module_param(refuse_vf, int, 0644);
MODULE_PARM_DESC(refuse_vf, "index of a VF whose GUIDs cannot be set");

struct vf_state {
	u64 node_guid, port_guid;
	int link_state;
};

/* One function, PF or VF. */
struct function {
	struct pci_dev *pdev;
	struct net_device *netdev;
	struct rdma_dev *rdma;
	u64 node_guid, port_guid;
	int vfs;
	struct vf_state vf[VFS_MAX];	/* of a PF */
};

struct rdma_dev {
	struct ib_device ib;
	struct function *fn;
};

/* --- the network device */

static struct function *of_netdev(struct net_device *dev)
{
	return *(struct function **)netdev_priv(dev);
}

static netdev_tx_t drop(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int get_vf_config(struct net_device *dev, int vf, struct ifla_vf_info *info)
{
	struct function *fn = of_netdev(dev);

	if (vf >= fn->vfs)
		return -EINVAL;
	info->vf = vf;
	info->linkstate = fn->vf[vf].link_state;
	return 0;
}

static int set_vf_guid(struct net_device *dev, int vf, u64 guid, int type)
{
	struct function *fn = of_netdev(dev);

	if (vf >= fn->vfs)
		return -EINVAL;
	if (vf == refuse_vf)
		return -EIO;
	*(type == IFLA_VF_IB_NODE_GUID ? &fn->vf[vf].node_guid : &fn->vf[vf].port_guid) = guid;
	return 0;
}

static int get_vf_guid(struct net_device *dev, int vf, struct ifla_vf_guid *node, struct ifla_vf_guid *port)
{
	struct function *fn = of_netdev(dev);

	if (vf >= fn->vfs)
		return -EINVAL;
	node->vf = port->vf = vf;
	node->guid = fn->vf[vf].node_guid;
	port->guid = fn->vf[vf].port_guid;
	return 0;
}

static int set_vf_link_state(struct net_device *dev, int vf, int state)
{
	struct function *fn = of_netdev(dev);

	if (vf >= fn->vfs)
		return -EINVAL;
	fn->vf[vf].link_state = state;
	return 0;
}

static const struct net_device_ops pf_netdev_ops = {
	.ndo_start_xmit = drop,
	.ndo_get_vf_config = get_vf_config,
	.ndo_set_vf_guid = set_vf_guid,
	.ndo_get_vf_guid = get_vf_guid,
	.ndo_set_vf_link_state = set_vf_link_state,
};

static const struct net_device_ops vf_netdev_ops = { .ndo_start_xmit = drop };

static void setup(struct net_device *dev)
{
	dev->type = ARPHRD_INFINIBAND;
	dev->addr_len = INFINIBAND_ALEN;
	dev->hard_header_len = 0;
	dev->mtu = dev->max_mtu = 2044;
	dev->tx_queue_len = 16;
	dev->flags = IFF_BROADCAST | IFF_MULTICAST;
}

static int add_netdev(struct function *fn, const struct net_device_ops *ops)
{
	__be64 prefix = cpu_to_be64(GID_PREFIX), guid = cpu_to_be64(fn->port_guid);
	u8 address[INFINIBAND_ALEN] = { 0x80 };
	struct net_device *dev = alloc_netdev(sizeof(fn), "ib%d", NET_NAME_ENUM, setup);
	int r;

	if (!dev)
		return -ENOMEM;
	*(struct function **)netdev_priv(dev) = fn;
	dev->netdev_ops = ops;
	memcpy(address + 4, &prefix, sizeof(prefix));
	memcpy(address + 12, &guid, sizeof(guid));
	dev_addr_set(dev, address);
	SET_NETDEV_DEV(dev, &fn->pdev->dev);
	r = register_netdev(dev);
	if (r) {
		free_netdev(dev);
		return r;
	}
	fn->netdev = dev;
	return 0;
}

/* --- the RDMA device: what /sys and RDMA netlink show of it, and nothing that moves data */

static int query_device(struct ib_device *ib, struct ib_device_attr *attr, struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	attr->sys_image_guid = ib->node_guid;
	attr->max_pkeys = ARRAY_SIZE(pkeys);
	return 0;
}

static int query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	attr->state = port_state;
	attr->phys_state = port_state == IB_PORT_DOWN ? IB_PORT_PHYS_STATE_POLLING : IB_PORT_PHYS_STATE_LINK_UP;
	attr->max_mtu = attr->active_mtu = IB_MTU_4096;
	attr->gid_tbl_len = 1;
	attr->pkey_tbl_len = ARRAY_SIZE(pkeys);
	attr->lid = sm_lid ? 7 : 0;
	attr->sm_lid = sm_lid;
	attr->active_width = IB_WIDTH_4X;
	attr->active_speed = IB_SPEED_HDR;
	attr->max_msg_sz = 1 << 30;
	return 0;
}

static int query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	gid->global.subnet_prefix = cpu_to_be64(GID_PREFIX);
	gid->global.interface_id = cpu_to_be64(container_of(ib, struct rdma_dev, ib)->fn->port_guid);
	return 0;
}

static int query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	if (index >= ARRAY_SIZE(pkeys))
		return -EINVAL;
	*pkey = pkeys[index];
	return 0;
}

static int get_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->pkey_tbl_len = ARRAY_SIZE(pkeys);
	immutable->gid_tbl_len = 1;
	return 0;
}

static const struct ib_device_ops rdma_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.query_device = query_device,
	.query_port = query_port,
	.query_gid = query_gid,
	.query_pkey = query_pkey,
	.get_port_immutable = get_port_immutable,
};

static int add_rdma(struct function *fn)
{
	struct rdma_dev *rdma = ib_alloc_device(rdma_dev, ib);
	int r;

	if (!rdma)
		return -ENOMEM;
	rdma->fn = fn;
	rdma->ib.node_type = RDMA_NODE_IB_CA;
	rdma->ib.phys_port_cnt = 1;
	rdma->ib.num_comp_vectors = 1;
	rdma->ib.node_guid = cpu_to_be64(fn->node_guid);
	rdma->ib.dev.parent = &fn->pdev->dev;
	ib_set_device_ops(&rdma->ib, &rdma_ops);
	r = ib_register_device(&rdma->ib, "lab%d", NULL);
	if (r) {
		ib_dealloc_device(&rdma->ib);
		return r;
	}
	fn->rdma = rdma;
	return 0;
}

/* --- the PCI device */

static struct pci_driver lab_driver;

static int take_identity(struct function *fn)
{
	struct pci_dev *pf = pci_physfn(fn->pdev);
	struct function *of_pf;
	int index;

	if (!fn->pdev->is_virtfn) {
		fn->node_guid = fn->port_guid = PF_GUID;
		return 0;
	}
	index = pci_iov_vf_id(fn->pdev);
	if (pf->dev.driver != &lab_driver.driver || index < 0 || index >= VFS_MAX)
		return -ENODEV;
	of_pf = pci_get_drvdata(pf);
	fn->node_guid = of_pf->vf[index].node_guid;
	fn->port_guid = of_pf->vf[index].port_guid;
	return 0;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct function *fn = devm_kzalloc(&pdev->dev, sizeof(*fn), GFP_KERNEL);
	int r;

	if (!fn)
		return -ENOMEM;
	fn->pdev = pdev;
	r = take_identity(fn);
	if (r)
		return r;
	r = pcim_enable_device(pdev);
	if (r)
		return r;
	pci_set_master(pdev);
	r = add_netdev(fn, pdev->is_virtfn ? &vf_netdev_ops : &pf_netdev_ops);
	if (r)
		return r;
	r = add_rdma(fn);
	if (r) {
		unregister_netdev(fn->netdev);
		free_netdev(fn->netdev);
		return r;
	}
	pci_set_drvdata(pdev, fn);
	return 0;
}

static int sriov_configure(struct pci_dev *pdev, int n)
{
	struct function *fn = pci_get_drvdata(pdev);
	int r;

	if (n > VFS_MAX)
		return -ERANGE;
	if (!n) {
		if (pci_vfs_assigned(pdev))
			return -EPERM;
		pci_disable_sriov(pdev);
		fn->vfs = 0;
		return 0;
	}
	memset(fn->vf, 0, sizeof(fn->vf));
	fn->vfs = n;
	r = pci_enable_sriov(pdev, n);
	if (r)
		fn->vfs = 0;
	return r ? r : n;
}

static void remove(struct pci_dev *pdev)
{
	struct function *fn = pci_get_drvdata(pdev);

	if (!pdev->is_virtfn)
		pci_disable_sriov(pdev);
	ib_unregister_device(&fn->rdma->ib);
	ib_dealloc_device(&fn->rdma->ib);
	unregister_netdev(fn->netdev);
	free_netdev(fn->netdev);
}

/* The VFs of QEMU's igb; of others than our PFs probe says no. */
static const struct pci_device_id ids[] = { { PCI_DEVICE(0x8086, 0x10ca) }, { 0 } };

static struct pci_driver lab_driver = {
	.name = NAME,
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.sriov_configure = sriov_configure,
};
module_pci_driver(lab_driver);

MODULE_DESCRIPTION("InfiniBand-typed PF and VFs for vhpc's lab");
MODULE_LICENSE("GPL");
