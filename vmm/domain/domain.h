// SPDX-License-Identifier: Apache-2.0
/* libvirt's domain out of a layout (libxml2), and its lease read back. */
#ifndef VH_VMM_DOMAIN_H
#define VH_VMM_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_host;
struct vh_layout;

#define VH_DOMAIN_NS "https://vhpc.dev/xmlns/domain/1"

struct vh_nic { const char *tap, *mac; unsigned queues; };
struct vh_disk {
	const char *path, *format;	/* absolute; "qcow2" or "raw" */
	const char *base;		/* raw, that others have too: nobody's to write, whoever runs; or NULL */
	const char *serial;		/* by which the guest knows it: then it has no base, whatever is written in it; or NULL */
	bool readonly;			/* nobody's to write, and let be: who runs may read it already */
};

/* Memory shared with other VMs, a PCI device in the guest: /dev/shm/NAME, of a power of
 * two bytes, made by the caller for QEMU's user and removed by him after the last VM. */
struct vh_shmem { const char *name; uint64_t size; };

/* A directory of the host's that others have too: the guest mounts it by its tag, as virtiofs, and is root in it. */
struct vh_share { const char *dir, *tag; };

struct vh_domain {
	const char *name;	/* also the guest's host name */
	const char *uuid;
	unsigned uid, gid;	/* whom QEMU runs as, and its files are given to; 0: whom libvirt has for all */
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
	const struct vh_share *shares;
	size_t n_shares;
};

/* The XML; malloc'd. The metadata element {VH_DOMAIN_NS}lease names the holder
 * ("vm/NAME"), the dedicated CPUs and the memory by node, for the hook and vm start. */
int vh_domain_xml(const struct vh_domain *d, char **ret, struct vh_err *err);

/* --- what a domain holds while it runs */

struct vh_domain_lease {
	char *holder, *owner;
	char *uuid;		/* the domain's; NULL: not known */
	unsigned uid;		/* whom its QEMU runs as; 0: not known */
	unsigned *cpus;		/* dedicated ones; none for the shared policy */
	size_t n_cpus;
	unsigned *nodes;	/* host NUMA nodes, and bytes from each of them */
	uint64_t *node_memory;
	size_t n_nodes;
	uint64_t page;		/* bytes of a huge page that the memory is in; 0: ordinary memory */
	char **devices;		/* PCI addresses, a strv; or NULL */
	bool foreign;		/* somebody else made the domain, with its disks: nobody of ours removes it */
};
void vh_domain_lease_clear(struct vh_domain_lease *lease);
/* What a layout holds. holder is "vm/NAME"; here: only what that host has, or NULL. -ENOMEM. */
int vh_layout_lease(const struct vh_layout *layout, const struct vh_host *here, const char *holder,
		    const char *owner, struct vh_domain_lease *ret);
/* Reads that element back from untrusted domain XML. -ENODATA without error text: the domain is none of ours, or has
 * what its maker copied or renamed along with one that was imported. */
int vh_domain_lease_parse(const char *xml, size_t len, struct vh_domain_lease *ret, struct vh_err *err);

/* That element as libvirt is given it for a domain that is there, without its namespace; malloc'd, NULL without memory. */
char *vh_domain_lease_xml(const struct vh_domain_lease *lease);

/* --- a domain that somebody else made, as far as it can be one of ours */

struct vh_foreign {
	char *name, *uuid;
	struct vh_layout *layout;	/* what it has of the host */
	char **unfit;		/* what of it cannot be planned with or leased, a strv of "WHAT: why not"; NULL: nothing */
	bool unpinned;		/* vCPUs of it run on any CPU */
};
void vh_foreign_clear(struct vh_foreign *f);
/* CPUs and nodes of the host that it is on. */
struct vh_foreign_host { const unsigned *cpus, *nodes; size_t n_cpus, n_nodes; };
/* Reads it out of untrusted XML. Refused where it is no domain with a name, a UUID, vCPUs and memory. */
int vh_foreign_parse(const char *xml, size_t len, const struct vh_foreign_host *host, struct vh_foreign *ret, struct vh_err *err);

/* The XML with the directory "from" named "to" in all paths, malloc'd; NULL: it names none in there. */
int vh_domain_moved(const char *xml, const char *from, const char *to, char **ret, struct vh_err *err);

/* A disk of its own over a raw base, which must then stay as it is; 0 when it is there. size:
 * bytes, 0 for the base's. */
int vh_disk_overlay(const char *base, const char *disk, uint64_t size, bool *ret_made, struct vh_err *err);

#endif
