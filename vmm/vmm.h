// SPDX-License-Identifier: Apache-2.0
/* The host as VMs are placed on it, the placement, the libvirt domain and its life. */
#ifndef VH_VMM_H
#define VH_VMM_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"
#include "lib/store.h"
#include "lib/sysroot.h"

/* --- acceleration: KVM only where the processor offers it (vmx or svm) and a guest of
 * three instructions gets past them; /dev/kvm alone is no proof. */

struct vh_accel {
	bool kvm;
	bool topoext;		/* AMD's: guests know of hardware threads only where it is offered */
	char why[160];		/* "the processor offers neither vmx nor svm, although /dev/kvm opens" */
};
void vh_accel_detect(const struct vh_root *root, struct vh_accel *ret);
static inline const char *vh_accel_name(const struct vh_accel *a) { return a->kvm ? "kvm" : "tcg"; }

/* --- host model (hwloc): what a plan is made on. Numbers are the kernel's. */

struct vh_host_pool { uint64_t size, total, free; };	/* huge pages: bytes of one, and how many */
enum { VH_HOST_POOLS = 4, VH_HOST_CPUS_MAX = 4096, VH_HOST_NODES_MAX = 1024 };
#define VH_NODE_MEMORY_MAX (1ULL << 52)	/* more than that is none: sums stay numbers */

struct vh_host_node {
	unsigned id;
	uint64_t memory;	/* bytes, total */
	uint64_t free;		/* bytes available to new VMs now; total on a captured host */
	unsigned package;	/* of its nearest CPUs; logical */
	char kind[16];		/* "DRAM", "HBM", "NVM", ...; "": not known */
	struct vh_host_pool pools[VH_HOST_POOLS];	/* by size */
	size_t n_pools;
};
struct vh_host_cpu {
	unsigned id, node, core, l3, package, die;	/* os index of CPU and node; the rest logical, stable */
	bool isolated;		/* the kernel keeps off it (isolcpus, nohz_full) */
};

enum vh_device_kind { VH_DEVICE_HCA, VH_DEVICE_NIC, VH_DEVICE_GPU, VH_DEVICE_NVME, VH_DEVICE_KINDS };
struct vh_host_device {
	char address[20], pf[20];	/* pf: of a VF, else "" */
	char name[32];			/* mlx5_0, enp1s0, ...; or "" */
	enum vh_device_kind kind;
	unsigned vfs;			/* VFs that it has now */
	int node;			/* index in nodes; -1: not known */
	char root[20];			/* host bridge or root complex: "0000:3a"; "": not known */
	char sw[20];			/* the PCIe switch's own port nearest to the root; "": none */
	uint64_t bars;			/* bytes of its memory BARs; 0: not known */
	bool held;			/* leased, in use, or a PF whose VFs are there */
};

struct vh_host {
	struct vh_host_node *nodes;
	size_t n_nodes;
	unsigned *distances;	/* of node i to node j at i * n_nodes + j; NULL: 10 and 20 */
	struct vh_host_cpu *cpus;	/* online ones that this process may use */
	size_t n_cpus;
	struct vh_host_device *devices;	/* of XML, or after vh_host_add_devices; by address */
	size_t n_devices;
};

/* Of nodes by index; 10 is local. */
static inline unsigned vh_host_distance(const struct vh_host *host, size_t i, size_t j)
{
	return host->distances ? host->distances[i * host->n_nodes + j] : i == j ? 10 : 20;
}

/* xml: an hwloc XML file instead of root's own topology, or NULL. */
int vh_host_load(const struct vh_root *root, const char *xml, struct vh_host **ret, struct vh_err *err);
void vh_host_free(struct vh_host *host);
/* Where an hwloc XML file has PCI devices: the index of the node, -1: of none; VH_NO_DEVICE. */
enum { VH_NO_DEVICE = -2 };
int vh_host_find_devices(const char *xml, char (*addresses)[20], size_t n, int *ret_nodes, struct vh_err *err);
/* The devices of root with their place in the PCI tree, as sriov lists them. store (or
 * NULL): who has which. */
int vh_host_add_devices(struct vh_host *host, const struct vh_root *root, struct vh_store *store,
			struct vh_err *err);
/* Writes what plans and listings read of root into a new directory, which then stands for
 * the host. It holds MAC addresses. Refused, -EEXIST, when it is there. */
int vh_host_capture(const struct vh_root *root, const char *dir, struct vh_err *err);
/* "hca", "nic", "gpu", "nvme". */
const char *vh_device_kind_name(enum vh_device_kind kind);
static inline void vh_host_freep(struct vh_host **h) { vh_host_free(*h); }

/* --- placement (pure): same input, same answer */

enum vh_cpu_policy { VH_CPU_DEDICATED, VH_CPU_SHARED };

struct vh_request {
	const char *name;	/* the VM's, for messages */
	unsigned vcpus;
	uint64_t memory;	/* bytes */
	enum vh_cpu_policy policy;
};
struct vh_taken {		/* what other VMs hold, from their leases */
	const unsigned *cpus;	/* dedicated ones, os index */
	size_t n_cpus;
	const uint64_t *memory;	/* bytes by host node, in the order of host->nodes; or NULL */
	const uint64_t *pages;	/* huge pages of pool p of node i at i * VH_HOST_POOLS + p; or NULL */
};
/* The same out of the store: "cpu" leases as they are, "memory" and "hugepage" leases less
 * what their VMs hold in RAM already (on a live root), which host->nodes[] no longer has free. */
int vh_taken_load(struct vh_store *s, const struct vh_root *root, const struct vh_host *host,
		  struct vh_taken *ret, struct vh_err *err);
struct vh_cli;
/* Adds to taken, and to host's held devices, what the domains hold that run in the daemon that
 * cli names or finds, whoever made them. None is started for it; where one cannot be asked that
 * is said. */
int vh_taken_add_running(struct vh_taken *taken, const struct vh_cli *cli, struct vh_host *host, struct vh_err *err);
void vh_taken_clear(struct vh_taken *taken);

/* --- layout: all that a VM is to have, by the kernel's numbers and addresses. It is what a
 * plan is stored as, and what the domain, its lease and what the guest is told are made of. */

enum { VH_CELLS_MAX = 16, VH_VCPUS_MAX = 4096, VH_PLAN_DEVICES_MAX = 64 };

struct vh_layout_cell { unsigned node; uint64_t memory; };	/* guest NUMA node: its host node, bytes */
struct vh_layout_device {
	char address[20], pf[20], name[32];	/* as of struct vh_host_device */
	char sw[20];		/* its PCIe switch; "": none */
	enum vh_device_kind kind;
	int node;		/* host node; -1: not known */
	int cell;		/* guest node that it is shown on; -1: none */
	uint64_t bars;		/* bytes of its memory BARs; 0: not known */
	char mac[18];		/* of an Ethernet VF; "": libvirt chooses */
};
struct vh_layout {
	uint64_t page;		/* bytes of one; 4096: ordinary memory */
	struct vh_layout_cell cells[VH_CELLS_MAX];
	size_t n_cells;
	unsigned distances[VH_CELLS_MAX * VH_CELLS_MAX];	/* of cell i to j at i * n_cells + j; 10 is local */
	unsigned vcpus;
	unsigned sockets, dies, cores, threads;	/* what the guest is shown; their product is vcpus */
	int *cpu;		/* of each vCPU: its own host CPU; -1: it floats */
	unsigned *cell;		/* of each vCPU */
	unsigned *floating;	/* CPUs on which those without one of their own run, ascending */
	size_t n_floating;
	unsigned *held;		/* CPUs kept idle for it */
	size_t n_held;
	int emulator;		/* CPU of QEMU's other threads; -1: wherever the vCPUs are */
	unsigned iothreads;
	struct vh_layout_device *devices;
	size_t n_devices;
};
void vh_layout_clear(struct vh_layout *layout);
uint64_t vh_layout_memory(const struct vh_layout *layout);
/* "0-1,5": host CPUs that its vCPUs run on, and host nodes of its memory; NULL without memory. */
char *vh_layout_cpus(const struct vh_layout *layout);
char *vh_layout_nodes(const struct vh_layout *layout);
json_t *vh_layout_to_json(const struct vh_layout *layout);
/* Of untrusted JSON; refused, -EINVAL, where it does not hold together. */
int vh_layout_from_json(const json_t *j, struct vh_layout *ret, struct vh_err *err);

/* Places all of reqs or none. A refusal (exit 3, -ENOSPC) says what is scarce, wanted
 * and there: "12 vCPUs wanted, 2 CPUs on this host, 0 of them taken". */
int vh_place(const struct vh_host *host, const struct vh_taken *taken, const struct vh_request *reqs,
	     size_t n, struct vh_layout **ret, struct vh_err *err);
void vh_layouts_free(struct vh_layout *layouts, size_t n);

/* --- domain: libvirt's XML from a plan (libxml2) */

#define VH_DOMAIN_NS "https://vhpc.dev/xmlns/domain/1"

struct vh_nic { const char *tap, *mac; unsigned queues; };
struct vh_disk { const char *path, *format; };	/* absolute; "qcow2" or "raw" */

/* Memory shared with other VMs, a PCI device in the guest: /dev/shm/NAME, of a power of
 * two bytes, made by the caller for QEMU's user and removed by him after the last VM. */
struct vh_shmem { const char *name; uint64_t size; };

struct vh_domain {
	const char *name;	/* also the guest's host name */
	const char *uuid;
	const char *owner;	/* "cluster/two-node", kept in the metadata with the leases */
	const char *kernel, *initrd, *cmdline;
	const char *firmware;	/* UEFI firmware (a ROM file) that boots the disk instead, or NULL */
	const struct vh_disk *disks;
	size_t n_disks;
	const char *identity;	/* file given as the systemd credential vhpc.identity (fw_cfg,
				   so that no secret stands on QEMU's command line) */
	const char *nccl, *hwloc;	/* files given by fw_cfg as opt/vhpc/nccl.xml and hwloc.xml */
	const char *console_log;	/* serial console goes there too */
	bool kvm;
	bool topoext;		/* the processor tells guests of its threads only when asked (AMD) */
	const struct vh_layout *layout;
	/* Rehearsal of another host's plan on this one: devices are emulated, memory is in ordinary
	 * pages, and only CPUs and nodes that this host has are bound and leased. NULL: none. */
	const struct vh_host *rehearse;
	const struct vh_nic *nics;
	size_t n_nics;
	const struct vh_shmem *shmem;	/* or NULL */
};

/* The XML; malloc'd. The metadata element {VH_DOMAIN_NS}lease names the holder
 * ("vm/NAME"), the dedicated CPUs and the memory by node, for the hook and vm start. */
int vh_domain_xml(const struct vh_domain *d, char **ret, struct vh_err *err);

struct vh_domain_lease {
	char *holder, *owner;
	unsigned *cpus;		/* dedicated ones; none for the shared policy */
	size_t n_cpus;
	unsigned *nodes;	/* host NUMA nodes, and bytes from each of them */
	uint64_t *node_memory;
	size_t n_nodes;
	uint64_t page;		/* bytes of a huge page that the memory is in; 0: ordinary memory */
	char **devices;		/* PCI addresses, a strv; or NULL */
};
/* Reads that element back from untrusted domain XML. -ENODATA without error text: the
 * domain is none of ours. */
int vh_domain_lease_parse(const char *xml, size_t len, struct vh_domain_lease *ret, struct vh_err *err);
void vh_domain_lease_clear(struct vh_domain_lease *lease);

/* What a layout holds. holder is "vm/NAME"; here: only what that host has, or NULL. -ENOMEM. */
int vh_layout_lease(const struct vh_layout *layout, const struct vh_host *here, const char *holder,
		    const char *owner, struct vh_domain_lease *ret);

/* Takes what the lease names: ("cpu", "3"), ("memory", "NODE:HOLDER", bytes) within the node's
 * RAM or, in huge pages, ("hugepage", "NODE:SIZE:HOLDER", bytes) within its pool, and ("vf",
 * ADDRESS). Refused where a device is not there. The caller groups it (vh_store_begin), so that a plan and
 * its leases are one transaction; never hold one open over vh_virt_start, whose hook
 * writes to the store too. Refused with the holder's name when another has a CPU. */
int vh_domain_lease_take(struct vh_store *s, const struct vh_root *root,
			 const struct vh_domain_lease *lease, struct vh_err *err);
/* Gives back CPUs, memory and devices; address, MAC and the like stay. */
int vh_domain_lease_drop(struct vh_store *s, const char *holder, struct vh_err *err);

/* A disk of its own over a raw base, which must then stay as it is; 0 when it is there. size:
 * bytes, 0 for the base's. */
int vh_disk_overlay(const char *base, const char *disk, uint64_t size, bool *ret_made, struct vh_err *err);

/* --- libvirt */

struct vh_virt;

/* connect given: that URI, or "private" for the private daemon. NULL: a running system
 * daemon of this network namespace (another could not see our taps), else the private
 * daemon under STATE/libvirt (with start it is started where it does not run: libvirtd
 * in a mount namespace of its own, with our hook as qemu.d/vhpc; without start only when
 * it has domains). -ENOTCONN (no error text): no daemon runs, and none was started. */
int vh_virt_open(struct vh_virt **ret, const char *connect, const char *state, bool start,
		 struct vh_err *err);
void vh_virt_close(struct vh_virt *v);
static inline void vh_virt_closep(struct vh_virt **v) { vh_virt_close(*v); }
const char *vh_virt_uri(const struct vh_virt *v);
/* "libvirt 9.0.0, QEMU 7.2.22" as the daemon reports them, into buf. */
int vh_virt_version(struct vh_virt *v, char *buf, size_t len, struct vh_err *err);

/* Ends the private daemon when it is ours and has no domain left; 0 also when there is none. */
int vh_virt_stop_private(const char *state, struct vh_err *err);

/* define: same name and UUID is redefined; a domain of that name that is not ours is
 * -EEXIST, refused. Thread-safe on one vh_virt. */
int vh_virt_define(struct vh_virt *v, const char *xml, struct vh_err *err);
/* 0 also when it already runs; *ret_started (or NULL) says which. */
int vh_virt_start(struct vh_virt *v, const char *name, bool *ret_started, struct vh_err *err);
/* Starts one of ours, having looked first whether it can get its leases; sees to it that it has
 * them afterwards, hook or not. */
int vh_vm_start(struct vh_virt *v, const char *state, const char *name, bool *ret_started, struct vh_err *err);
/* Pins the running VMs' floating threads to the CPUs that nobody leases for himself. After leases
 * were dropped; vh_vm_start does it itself. Never while a transaction is open. */
int vh_floating_settle(struct vh_virt *v, const char *state, struct vh_err *err);
/* ACPI shutdown, waited for; at the deadline destroyed when force, else -ETIMEDOUT. 0 when it is off. */
int vh_virt_stop(struct vh_virt *v, const char *name, int deadline_ms, bool force, struct vh_err *err);
/* Whose it is, malloc'd; NULL: there is none, or not one of ours. */
int vh_virt_owner(struct vh_virt *v, const char *name, char **ret, struct vh_err *err);
/* Destroys and undefines that of owner; 0 when there is none, or another of ours has the name. */
int vh_virt_remove(struct vh_virt *v, const char *name, const char *owner, struct vh_err *err);
/* The domain as libvirt has it: one of ours, malloc'd. */
int vh_virt_xml(struct vh_virt *v, const char *name, char **ret, struct vh_err *err);
/* "running", "shut off", "paused", ... static; NULL: no such domain. */
int vh_virt_state(struct vh_virt *v, const char *name, const char **ret, struct vh_err *err);
/* Whether such a word is that of a VM without a process. */
bool vh_virt_is_off(const char *state);
/* Copies the console to out_fd until the guest ends, in_fd says Ctrl-] or *stop becomes
 * true; in_fd -1 or its end: only listens. A terminal on in_fd is put into raw mode meanwhile. */
int vh_virt_console(struct vh_virt *v, const char *name, int in_fd, int out_fd,
		    const volatile sig_atomic_t *stop, struct vh_err *err);
/* Rows: name, state, vcpus, memory (bytes), cpus ("0-1" pinned, as libvirt reports it back),
 * nodes, owner (null when not ours), uuid. */
int vh_virt_list(struct vh_virt *v, json_t **ret, struct vh_err *err);

#endif
