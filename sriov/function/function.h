// SPDX-License-Identifier: Apache-2.0
/* The state of a PF and its VFs, or of the functions of another device, as it is or as it is
 * wanted: what is known or wanted of it is in "have", the rest is left alone. */
#ifndef VH_SRIOV_FUNCTION_H
#define VH_SRIOV_FUNCTION_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/store/store.h"
#include "lib/pci_address.h"
#include "lib/sysroot.h"

enum { VH_DRIVER_SIZE = 64, VH_FNS_MAX = 4096 };

/* What the PF sets of a VF. Each is one number: MACs and GUIDs with their first byte in
 * front, rates in Mb/s, the link state as the kernel counts it. */
enum vh_fn_attr {
	VH_FN_MAC, VH_FN_VLAN, VH_FN_QOS, VH_FN_SPOOFCHK, VH_FN_TRUST, VH_FN_MIN_RATE, VH_FN_MAX_RATE,
	VH_FN_LINK_STATE, VH_FN_NODE_GUID, VH_FN_PORT_GUID, VH_FN_PKEY_INDEX, VH_FN_ATTRS,
};

#define VH_FN_BIT(attr) (1u << (attr))
#define VH_FN_ATTR_BITS (VH_FN_BIT(VH_FN_ATTRS) - 1)
#define VH_FN_DRIVER VH_FN_BIT(VH_FN_ATTRS)
#define VH_FN_OVERRIDE VH_FN_BIT(VH_FN_ATTRS + 1)
/* Wanted once: to be reset when its driver has it. Never observed, never stored. */
#define VH_FN_RESET VH_FN_BIT(VH_FN_ATTRS + 2)
/* Wanted as a driver: the one that the kernel chooses, or none. */
#define VH_DRIVER_ANY "*"

struct vh_fn {
	int index;		/* of a VF; -1: not a VF of this PF */
	char address[VH_PCI_ADDRESS_SIZE];
	unsigned have;		/* bits of attributes, VH_FN_DRIVER, VH_FN_OVERRIDE */
	uint64_t value[VH_FN_ATTRS];
	char driver[VH_DRIVER_SIZE], override[VH_DRIVER_SIZE];	/* "": none */
};

#define VH_PF_VFS 1u
#define VH_PF_AUTOPROBE 2u

struct vh_pf {
	char address[VH_PCI_ADDRESS_SIZE];	/* of the PF, or of the device's first function */
	unsigned have;				/* VH_PF_VFS, VH_PF_AUTOPROBE */
	unsigned vfs, vfs_max;
	bool autoprobe;
	bool ib;
	char netdev[IFNAMSIZ];			/* through which VFs are set; "": none */
	struct vh_fn *fn;			/* observed: the VFs, by index */
	size_t n;
};

/* Frees its functions. */
void vh_pf_clear(struct vh_pf *pf);
#define vh_autopf vh_cleanup(vh_pf_clear) struct vh_pf
/* Appends one; NULL without memory. The pointer is good until the next call. */
struct vh_fn *vh_pf_add(struct vh_pf *pf, int index, const char *address);
/* The VF of that index or, index -1, the function of that address; NULL: not there. */
struct vh_fn *vh_pf_find(const struct vh_pf *pf, int index, const char *address);

/* --- attributes by name and text */

/* Letters, digits, '-' and '_'. */
bool vh_driver_is_name(const char *s);

/* "min-rate", as in options and errors; "min_rate", as in JSON. */
const char *vh_fn_attr_name(enum vh_fn_attr attr);
const char *vh_fn_attr_key(enum vh_fn_attr attr);
/* What a user wrote. Not readable: usage; a multicast or all-zero identity, or a value past
 * what there is: refused. */
int vh_fn_attr_parse(enum vh_fn_attr attr, const char *text, uint64_t *ret, struct vh_err *err);
/* The same without the refusals; -EINVAL. */
int vh_fn_attr_read(enum vh_fn_attr attr, const char *text, uint64_t *ret);
json_t *vh_fn_attr_json(enum vh_fn_attr attr, uint64_t value);
/* The kernel's and our form; buf of 32 bytes. */
const char *vh_fn_attr_text(enum vh_fn_attr attr, uint64_t value, char buf[32]);

/* --- as JSON, for the journal, records and --json */

/* What is in have, and its address and index; of a PF its functions too. NULL without memory. */
json_t *vh_fn_json(const struct vh_fn *fn);
json_t *vh_pf_json(const struct vh_pf *pf);
/* Reads what vh_pf_json wrote, of any hand: -EUCLEAN when it is none. */
int vh_pf_from_json(const json_t *doc, struct vh_pf *ret, struct vh_err *err);

/* --- effects on a host, as a table, so that a test can put a kernel of its own there.
 * What is only read in /sys goes through the root. */

struct vh_sriov_ops {
	/* Writes a file below the root in one write; 0 or -errno. */
	int (*write)(void *arg, const struct vh_root *root, const char *path, const char *text);
	/* Fills what the PF's network device says of its VFs: values and have of fn[i].index. */
	int (*vf_read)(void *arg, const char *netdev, struct vh_fn *fn, size_t n, struct vh_err *err);
	/* Has the PF's network device set, of each fn, the attributes in have (not the drivers).
	 * MIN_RATE and MAX_RATE, VLAN and QOS go in pairs. On failure some may be set. */
	int (*vf_write)(void *arg, const char *netdev, const struct vh_fn *fn, size_t n, struct vh_err *err);
	/* Raises a network device; its link comes up some time later. */
	int (*link_up)(void *arg, const char *netdev, struct vh_err *err);
};

/* The kernel's; its arg is unused. They refuse a captured root. */
extern const struct vh_sriov_ops vh_sriov_kernel;

/* --- what every change works with */

struct vh_sriov {
	struct vh_root *root;
	const struct vh_sriov_ops *ops;
	void *arg;
	char *state;		/* the state directory */
	struct vh_store *store;
	char *force;		/* address of the device whose protection is waived, or NULL */
};

/* --- a device as people name it */

/* "3b:00.0" or "0000:3B:00.0", which must be there. */
int vh_check_device(const struct vh_root *root, const char *text, char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err);
/* A PF that may have n VFs. */
int vh_check_pf(const struct vh_root *root, const char *address, struct vh_err *err);
/* "0000:3b:00.2", or "0000:3b:00.0/1": a PF and an index. */
int vh_check_vf(const struct vh_root *root, const char *text, char ret_pf[VH_PCI_ADDRESS_SIZE], int *ret_index,
		char ret_address[VH_PCI_ADDRESS_SIZE], struct vh_err *err);

/* The device that vh_sriov_force named. */
bool vh_is_forced(const struct vh_sriov *s, const char *address);

/* --- as it is */

/* The PF (or a device without VFs: n 0), its VFs, their drivers and attributes. */
int vh_pf_observe(const struct vh_sriov *s, const char *address, struct vh_pf *ret, struct vh_err *err);
/* What a PF has set of each of vfs, without their drivers; none where it cannot be asked. 0 or -ENOMEM. */
struct vh_pci_vfs;
int vh_pf_attributes(const struct vh_root *root, const char *pf, const struct vh_pci_vfs *vfs, struct vh_pf *ret);
/* One function's driver and override. */
int vh_fn_observe(const struct vh_root *root, struct vh_fn *fn, struct vh_err *err);
/* The file below the root through which an attribute is set; NULL: over rtnetlink. */
char *vh_fn_attr_file(const struct vh_root *root, const struct vh_pf *pf, const struct vh_fn *fn,
		      enum vh_fn_attr attr);

/* --- one effect */

/* text is written to the file below the root, or to the device's own; what: for the error, "setting driver_override". */
int vh_sriov_write(const struct vh_sriov *s, const char *path, const char *text, const char *address,
		   const char *what, struct vh_err *err);
int vh_sriov_write_own(const struct vh_sriov *s, const char *address, const char *file, const char *text,
		       const char *what, struct vh_err *err);
/* Has the PF set of each fn what it has (vf_write), under the name that its network device has by then. */
int vh_pf_write(const struct vh_sriov *s, struct vh_pf *pf, const struct vh_fn *fn, size_t n, struct vh_err *err);

#endif
