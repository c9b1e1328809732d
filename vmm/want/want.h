// SPDX-License-Identifier: Apache-2.0
/* A VM wanted, and where such requests come from: options, a request file, Nova's flavors and
 * Glance's images. */
#ifndef VH_VMM_WANT_H
#define VH_VMM_WANT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/doc/doc.h"
#include "lib/err.h"
#include "lib/machine.h"
#include "vmm/want/keys.h"

enum vh_want_policy { VH_WANT_DEDICATED, VH_WANT_SHARED, VH_WANT_MIXED };
enum vh_thread_policy { VH_THREAD_PREFER, VH_THREAD_ISOLATE, VH_THREAD_REQUIRE };
enum vh_affinity { VH_AFFINITY_PREFERRED, VH_AFFINITY_REQUIRED, VH_AFFINITY_SOCKET, VH_AFFINITY_NONE,
		   VH_AFFINITY_LEGACY /* required, where the node is known */ };

/* Page sizes that are not one: any there is, and any huge one. */
enum { VH_PAGE_ANY = 0, VH_PAGE_LARGE = 1 };

struct vh_want_devices {
	unsigned count;
	bool vf;		/* VFs instead of whole devices */
	enum vh_affinity affinity;
};
struct vh_want_cell { unsigned vcpus, dedicated /* of a mixed VM's */; uint64_t memory; };

struct vh_want {
	char name[64];
	unsigned vcpus;
	uint64_t memory;	/* bytes */
	uint64_t page;		/* bytes, or VH_PAGE_ANY, VH_PAGE_LARGE */
	enum vh_want_policy policy;
	unsigned dedicated;	/* of a mixed VM: so many are */
	enum vh_thread_policy threads;
	bool emulator;		/* QEMU's other threads get a CPU of their own */
	unsigned iothreads;
	struct vh_want_cell cells[VH_CELLS_MAX];	/* guest NUMA nodes; none: as few as fit */
	size_t n_cells;
	struct vh_want_devices devices[VH_DEVICE_KINDS];
	unsigned pairs;		/* that many GPUs each share a switch with an HCA of their own */
	unsigned vms;		/* 0 as 1 */
	bool spread;		/* over hosts; else they are packed */
	/* The vCPUs' numbers, the dedicated ones first, then the others, by guest node where these
	 * are given. Unless numbered they go up in this order. */
	bool numbered;
	uint16_t number[VH_VCPUS_MAX];
};

/* Refuses what no host could ever be asked: no vCPU, sizes that are no multiple of the
 * page, cells that do not add up. */
int vh_want_check(const struct vh_want *want, struct vh_err *err);

/* The request as text, a member a key (vmm/want/keys.h); NULL: not said. Lists are strvs, free
 * names "hw:cpu_policy=dedicated" each. */
struct vh_want_text { VH_WANT_KEYS(VH_WANT_MEMBER, VH_WANT_MEMBER, VH_WANT_MEMBER, ) };

/* Reads a request file (YAML or JSON). Freed by vh_want_text_free, whatever is then set. */
int vh_want_load(const char *path, struct vh_want_text *ret, struct vh_err *err);
int vh_want_parse(const char *name, const char *text, size_t len, struct vh_want_text *ret, struct vh_err *err);
void vh_want_text_free(struct vh_want_text *text);
/* Says in under what over says, in its place; -ENOMEM with err. */
int vh_want_overlay(struct vh_want_text *under, const struct vh_want_text *over, struct vh_err *err);
/* Whether anything but name is said. */
bool vh_want_says_more(const struct vh_want_text *text);
/* A request file's table. */
extern const struct vh_key vh_want_keys[];
/* Whether a text can be the value of that key, looked at alone; as vh_key.check_key. Refused. */
int vh_want_check_value(const char *key, const char *value, struct vh_err *err);

/* The want itself, checked. Flavor and image come first; what is said in our words goes
 * before them. Refused where it contradicts itself, and where Nova would. */
int vh_want_read(const struct vh_want_text *text, struct vh_want *ret, struct vh_err *err);
json_t *vh_want_to_json(const struct vh_want *want);

#endif
