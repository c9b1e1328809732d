// SPDX-License-Identifier: Apache-2.0
/* Rows of pools, for the tables of this room. AT is where the struct pool begins in what a table fills in;
 * images/images.h and lib/values.h have the names. */
#ifndef VH_CLUSTER_MANIFEST_KEYS_H
#define VH_CLUSTER_MANIFEST_KEYS_H

#include "tools/cluster/manifest/pool.h"
#include "vmm/want/want.h"

/* Where the text of a key is among the said ones. */
#define POOL_SAID_STR(member) POOL_SAID_##member,
#define POOL_SAID_STRV(member)
#define POOL_SAID_KEY(member, kind, ...) POOL_SAID_##kind(member)
enum pool_said { VH_WANT_VM_KEYS(POOL_SAID_KEY, ) VH_WANT_PLACE_KEY(POOL_SAID_KEY, ) POOL_SAID_N };
_Static_assert((int)POOL_SAID_N == (int)POOL_SAID, "POOL_SAID is the number of texts in a request");

/* What a request says of a node: every key of vmm/want/keys.h that is a VM's. */
#define POOL_OFFSET_STR(member) offsetof(struct pool, said) + POOL_SAID_##member * sizeof(char *)
#define POOL_OFFSET_STRV(member) offsetof(struct pool, member)
#define POOL_REQUEST_KEY(member, kind, read, write, option, arg, short_help, more, at) \
	{ .name = #member, .type = VH_KEY_##kind, .offset = (at) + POOL_OFFSET_##kind(member), .check_key = pool_check_value, \
	  .help = more },
#define POOL_REQUEST_KEYS(AT) VH_WANT_VM_KEYS(POOL_REQUEST_KEY, AT) VH_WANT_PLACE_KEY(POOL_REQUEST_KEY, AT)
int pool_check_value(const char *key, const char *value, struct vh_err *err);

/* What a pool says besides, a row a key: manifest, record and comparison have all of them. */
#define POOL_IMAGE_KEY(AT, ...) \
	{ .name = "image", .type = VH_KEY_STR, .offset = (AT) + offsetof(struct pool, image), .check = vh_hostname_check, \
	  .help = "Image that the nodes boot, by its name in the image store.", __VA_ARGS__ }
#define POOL_COUNT_KEY(AT, NAME, ...) \
	{ .name = NAME, .type = VH_KEY_UINT, .offset = (AT) + offsetof(struct pool, count), .min = 1, .max = POOL_NODES_MAX, \
	  .help = "Number of nodes (VMs); of all groups 1023 together at most, for a bridge of Linux' has so many ports.", __VA_ARGS__ }
#define POOL_BOOT_KEYS(AT) \
	{ .name = "boot", .type = VH_KEY_ENUM, .offset = (AT) + offsetof(struct pool, boot), \
	  .dflt = "direct", .choices = vh_boot_names, \
	  .help = "direct: the VM is given kernel and initrd. uefi: firmware boots the image's partitioned disk. " \
		  "squashfs: as direct, what is written goes to memory. The image has to come in that form." }, \
	{ .name = "disk", .type = VH_KEY_SIZE, .offset = (AT) + offsetof(struct pool, disk), \
	  .min = 512ull << 20, .max = 64ull << 40, \
	  .help = "Size of each node's root disk, at least the image's, which it is when absent; " \
		  "the file system grows to it at boot." }, \
	POOL_POLICY_KEYS(AT)
/* Of these what may change while nodes run. */
#define POOL_POLICY_KEYS(AT) \
	{ .name = "restart", .type = VH_KEY_ENUM, .offset = (AT) + offsetof(struct pool, restart), \
	  .dflt = "never", .choices = pool_restarts, \
	  .help = "Whether `vhpc cluster watch` starts a node again. on-failure: one whose QEMU ended by itself, or whose host " \
		  "went down. always: also one that shut itself down. One that was stopped stays so. It may change." }, \
	{ .name = "restart_limit", .type = VH_KEY_UINT, .offset = (AT) + offsetof(struct pool, restart_limit), \
	  .dflt = "3", .min = 1, .max = 60, .help = "How often in an hour, each node, at most. It may change." },

#endif
