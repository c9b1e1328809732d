// SPDX-License-Identifier: Apache-2.0
/* A pool: nodes that are alike. */
#ifndef VH_CLUSTER_POOL_H
#define VH_CLUSTER_POOL_H

#include <stdint.h>

#include "lib/doc/doc.h"

struct vh_want;

struct pool {
	char *name;		/* NULL: the manifest's own keys are the pool */
	char *image;		/* that its nodes boot, by name */
	uint64_t count;		/* nodes */
	uint64_t vcpus, memory;	/* wanted of each node; memory in bytes */
	int cpu_policy;		/* enum vh_want_policy, of which dedicated and shared */
	int boot;		/* enum vh_boot */
	uint64_t disk;		/* bytes; 0: as the image has it */
};

/* What a pool can say, a row a key: manifest, record and comparison have all of them. AT is where
 * the struct pool begins in what the table fills in; images/images.h and lib/values.h have the names. */
#define POOL_KEYS(AT) \
	{ .name = "image", .type = VH_KEY_STR, .offset = (AT) + offsetof(struct pool, image), .required = true, \
	  .check = vh_hostname_check, .help = "Image that the nodes boot, by its name in the image store." }, \
	{ .name = "nodes", .type = VH_KEY_UINT, .offset = (AT) + offsetof(struct pool, count), .required = true, \
	  .min = 1, .max = 1024, .help = "Number of nodes (VMs)." }, \
	{ .name = "vcpus", .type = VH_KEY_UINT, .offset = (AT) + offsetof(struct pool, vcpus), .required = true, \
	  .min = 1, .max = 1024, .help = "vCPUs of each node." }, \
	{ .name = "memory", .type = VH_KEY_SIZE, .offset = (AT) + offsetof(struct pool, memory), .required = true, \
	  .min = 256ull << 20, .max = 16ull << 40, .help = "Memory of each node." }, \
	{ .name = "cpu_policy", .type = VH_KEY_ENUM, .offset = (AT) + offsetof(struct pool, cpu_policy), \
	  .dflt = "dedicated", .choices = pool_cpu_policies, \
	  .help = "dedicated: each vCPU has a CPU of the host to itself. " \
		  "shared: a node's vCPUs share CPUs with those of others." }, \
	{ .name = "boot", .type = VH_KEY_ENUM, .offset = (AT) + offsetof(struct pool, boot), \
	  .dflt = "direct", .choices = vh_boot_names, \
	  .help = "direct: the VM is given kernel and initrd. uefi: firmware boots the image's partitioned disk. " \
		  "squashfs: as direct, what is written goes to memory. The image has to come in that form." }, \
	{ .name = "disk", .type = VH_KEY_SIZE, .offset = (AT) + offsetof(struct pool, disk), \
	  .min = 512ull << 20, .max = 64ull << 40, \
	  .help = "Size of each node's root disk, at least the image's, which it is when absent; " \
		  "the file system grows to it at boot." }

extern const char *const pool_cpu_policies[];	/* by enum vh_want_policy; ends with NULL */
extern const struct vh_key pool_keys[];		/* POOL_KEYS of a struct pool */

/* A copy of its own; -ENOMEM. */
int pool_copy(const struct pool *p, struct pool *ret, struct vh_err *err);
/* Frees what it holds; also of a zeroed one. */
void pool_clear(struct pool *p);
/* What a node of the pool asks of a host; name is the node's. ret is zeroed. */
void pool_want(const struct pool *p, const char *name, struct vh_want *ret);

#endif
