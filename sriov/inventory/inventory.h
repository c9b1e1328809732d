// SPDX-License-Identifier: Apache-2.0
/* PCI devices that matter to a virtual cluster, with their locality: HCAs and NICs as
 * PF and VFs, GPUs, NVMe. Read from sysfs under a root, which may be a captured one. */
#ifndef VH_SRIOV_INVENTORY_H
#define VH_SRIOV_INVENTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/pci_address.h"
#include "lib/sysroot.h"

struct vh_fn;

enum vh_pci_kind { VH_PCI_OTHER, VH_PCI_HCA, VH_PCI_NIC, VH_PCI_GPU, VH_PCI_NVME, VH_PCI_KINDS };

/* "hca", "nic", "gpu", "nvme"; NULL of any other device. */
const char *vh_pci_kind_name(enum vh_pci_kind kind);
/* By that name; VH_PCI_OTHER when there is no such kind. */
enum vh_pci_kind vh_pci_kind_named(const char *name);
/* What kind the device is; VH_PCI_OTHER also of one without class. */
enum vh_pci_kind vh_pci_kind(const struct vh_root *root, const char *address);

enum vh_pci_function { VH_PCI_DEVICE, VH_PCI_PF, VH_PCI_VF };	/* of a PF: it can have VFs */
enum vh_pci_link { VH_PCI_LINK_UNKNOWN, VH_PCI_LINK_DOWN, VH_PCI_LINK_UP };
/* From the nearest on: a switch or root port in common, a root complex, a NUMA node; none of these. */
enum vh_pci_distance { VH_PCI_SWITCH, VH_PCI_COMPLEX, VH_PCI_NODE, VH_PCI_SYSTEM };

/* What the kernel does not say is NULL, "" or -1. */
struct vh_pci_device {
	char address[VH_PCI_ADDRESS_SIZE];
	enum vh_pci_kind kind;
	enum vh_pci_function function;
	char pf[VH_PCI_ADDRESS_SIZE];	/* of a VF */
	int vf;				/* its index there */
	int64_t vfs, vfs_max;		/* of a PF: VFs that are, VFs that may be */
	char vendor[5], device[5];	/* hexadecimal digits */
	char *driver;
	int64_t node;			/* NUMA node */
	int64_t group;			/* IOMMU group */
	char **way;			/* root complex "pci0000:3a", the ports from there; a strv */
	uint64_t bars;			/* bytes of its memory BARs; 0: not known */
	char **netdevs, **ibdevs;	/* names; strvs */
	char *mac;			/* of the first network device, like link and speed */
	enum vh_pci_link link;
	int64_t speed;			/* Mb/s */
	struct vh_fn *set;		/* of a VF: what its PF has set */
	char hca[VH_PCI_ADDRESS_SIZE];	/* of a GPU: the nearest, and how near */
	enum vh_pci_distance hca_distance;
	char *lease, *use;		/* after vh_sriov_add_leases and _add_uses: its holder, and what this host has it for */
};

struct vh_pci_devices {
	struct vh_pci_device *v;	/* by address */
	size_t n;
	bool has_leases;		/* who has leased them is known */
};
#define VH_PCI_DEVICES_NONE { 0 }
/* Frees all that the devices have. */
void vh_pci_devices_clear(struct vh_pci_devices *devices);
#define vh_autodevices vh_cleanup(vh_pci_devices_clear) struct vh_pci_devices
/* NULL: it is not there. */
struct vh_pci_device *vh_pci_devices_find(const struct vh_pci_devices *devices, const char *address);
/* The switch's port nearest to the root above the device; "": it hangs on none. */
const char *vh_pci_device_switch(const struct vh_pci_device *device);

/* All devices of those kinds. Empty where the host has no PCI. */
int vh_sriov_list(const struct vh_root *root, struct vh_pci_devices *ret, struct vh_err *err);
/* A device as a row of vhpc sriov list --json (docs/formats/sriov.md); lease: as far as leases are known. NULL
 * without memory. */
json_t *vh_pci_device_json(const struct vh_pci_device *device, bool lease);

/* One device of any kind, "3b:00.0" or "0000:3b:00.0": the members of such a row and those that docs/formats/sriov.md
 * has of vhpc sriov show. -ENOENT, refused, when there is none. */
int vh_sriov_show(const struct vh_root *root, const char *address, json_t **ret, struct vh_err *err);

/* The HCA, of those, that is nearest to a GPU; NULL: there is none. */
const struct vh_pci_device *vh_pci_nearest_hca(const struct vh_pci_device *gpu, const struct vh_pci_devices *devices,
					       enum vh_pci_distance *ret_distance);

#endif
