// SPDX-License-Identifier: Apache-2.0
/* One PCI device's files in /sys. Nothing here reads a file whose reading waits or changes anything. */
#ifndef VH_SRIOV_PCI_H
#define VH_SRIOV_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/pci_address.h"
#include "lib/sysroot.h"

#define VH_PCI_DIR "sys/bus/pci/devices"

/* --- its files */

/* Contents of the device's file; NULL when absent, empty or not UTF-8. malloc'd. */
char *vh_pci_text(const struct vh_root *root, const char *address, const char *file);
/* A number of the device's file; -1 when absent, negative or damaged. */
int64_t vh_pci_count(const struct vh_root *root, const char *address, const char *file);
/* The digits of "0x15b3" in the file, when there are so many, else "". ret has room for them and a NUL. */
void vh_pci_hex(const struct vh_root *root, const char *address, const char *file, size_t digits, char *ret);
/* Last component of the device's symbolic link; NULL like a text. malloc'd. */
char *vh_pci_link(const struct vh_root *root, const char *address, const char *link);
/* Names in a directory of the device's, those alone that are UTF-8; a strv; NULL when there is none. */
char **vh_pci_names(const struct vh_root *root, const char *address, const char *dir);

/* A BAR of the device; of a PF those of all its VFs together stand behind its own. */
struct vh_pci_bar { uint64_t size; bool io, wide, prefetch; };	/* size in bytes, 0: there is none; wide: of 64 bits */
enum { VH_PCI_BARS = 6, VH_PCI_VF_BAR = 7, VH_PCI_RESOURCES = 13 };
/* ret: its own from 0 on, VH_PCI_BARS of them; its VFs' from VH_PCI_VF_BAR on. -errno. */
int vh_pci_resources(const struct vh_root *root, const char *address, struct vh_pci_bar ret[VH_PCI_RESOURCES]);

/* VFs of a PF, by index. */
struct vh_pci_vf { int index; char address[VH_PCI_ADDRESS_SIZE]; };
struct vh_pci_vfs { struct vh_pci_vf *v; size_t n; };
void vh_pci_vfs_clear(struct vh_pci_vfs *vfs);
#define vh_autovfs vh_cleanup(vh_pci_vfs_clear) struct vh_pci_vfs
/* Reads those that the PF has now; none where it is no PF. 0 or -ENOMEM. */
int vh_pci_vfs(const struct vh_root *root, const char *pf, struct vh_pci_vfs *ret);
/* Index of the VF of that address; -1: it is none of these. */
int vh_pci_vf_index(const struct vh_pci_vfs *vfs, const char *address);

/* --- where it hangs */

/* The root complex, the ports from there, the device; a strv. */
int vh_pci_way(const struct vh_root *root, const char *address, char ***ret);
/* How many members two ways begin with in common. */
size_t vh_pci_common(char *const *a, char *const *b);
/* Appends each PCI address of a path below /sys/devices that *ret lacks. 0 or -ENOMEM. */
int vh_pci_addresses(char ***ret, const char *path);

/* --- its configuration space, as /sys offers it: 64 bytes to anyone, all of it to root */

enum { VH_CONFIG_SIZE = 4096 };
enum { VH_CAP_EXPRESS = 0x10, VH_ECAP_ACS = 0x0d, VH_ECAP_ATS = 0x0f, VH_ECAP_SRIOV = 0x10 };

struct vh_config { uint8_t bytes[VH_CONFIG_SIZE]; size_t len; };

/* 0 or -errno. */
int vh_config_read(const struct vh_root *root, const char *address, struct vh_config *ret);
/* All of it was readable. */
bool vh_config_is_whole(const struct vh_config *c);
/* Where a capability, or an extended one, begins; 0: it has none such that can be read. */
unsigned vh_config_cap(const struct vh_config *c, uint8_t id);
unsigned vh_config_ecap(const struct vh_config *c, uint16_t id);
/* 0 past what was read. */
uint16_t vh_config_word(const struct vh_config *c, unsigned at);

#endif
