// SPDX-License-Identifier: Apache-2.0
/* All that a VM is to have, by the kernel's numbers and addresses. It is what a plan is stored
 * as, and what the domain, its lease and what the guest is told are made of. */
#ifndef VH_VMM_LAYOUT_H
#define VH_VMM_LAYOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"
#include "lib/machine.h"

struct vh_host;

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

/* --- what domains are made of, and read back against. here: the host of a rehearsal, of whose
 * CPUs and nodes alone is spoken then; or NULL. */

struct vh_numbers { unsigned *v; size_t n; };
void vh_numbers_clear(struct vh_numbers *n);

bool vh_layout_is_dedicated(const struct vh_layout *layout);
bool vh_layout_node_is_here(const struct vh_host *here, unsigned node);
/* CPUs that nobody else may have: of vCPUs, kept idle, of the emulator. -ENOMEM. */
int vh_layout_own(const struct vh_layout *layout, const struct vh_host *here, struct vh_numbers *ret);
/* CPUs that vCPUs run on. -ENOMEM. */
int vh_layout_used(const struct vh_layout *layout, const struct vh_host *here, struct vh_numbers *ret);
/* Lists of CPUs: of a vCPU, and of QEMU's other threads. "": wherever; NULL without memory. */
char *vh_layout_vcpu_cpus(const struct vh_layout *layout, const struct vh_host *here, unsigned vcpu);
char *vh_layout_emulator_cpus(const struct vh_layout *layout, const struct vh_host *here);

#endif
