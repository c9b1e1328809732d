// SPDX-License-Identifier: Apache-2.0
/* A kernel's PCI and rtnetlink side that behaves: a tree of files that reads like /sys, and
 * effects that change it as the kernel does, any one of which can be made to fail. What it
 * knows is in files and shared memory, so that a killed process leaves it as it was. */
#ifndef VH_SRIOV_FAKE_H
#define VH_SRIOV_FAKE_H

#include "sriov/change/change.h"
#include "sriov/function/function.h"

enum { FAKE_PFS = 4, FAKE_VFS = 128 };

enum fake_fault {
	FAKE_NONE,
	FAKE_FAIL,	/* this effect fails and does nothing */
	FAKE_LATE,	/* it is done, and reported as failed */
	FAKE_LIE,	/* it is reported as done, and is not */
	FAKE_DOWN,	/* this one and all after it fail */
	FAKE_VANISH,	/* all VFs vanish, and it fails with ENODEV */
	FAKE_RESET,	/* the PF resets itself: VFs lose what was set; the effect then succeeds */
	FAKE_KILL,	/* the process is killed before it */
	FAKE_KILL_LATE,	/* the process is killed after it */
};

struct fake_vf {
	uint64_t value[VH_FN_ATTRS];
	uint64_t live[2];	/* the GUIDs that its driver saw when it was bound */
	uint64_t live_mac;	/* and the MAC */
};

struct fake_pf {
	char address[VH_PCI_ADDRESS_SIZE], path[128], netdev[16];
	const char *vf_driver;	/* that the host has for its VFs */
	bool ib;
	bool draws_macs;	/* as igbvf does, bound to a VF that has none */
	unsigned have;		/* the attributes that its driver reports and takes */
	struct fake_vf vf[FAKE_VFS];
};

struct fake {
	char *dir, *state;
	struct vh_root *root;
	struct vh_sriov *s;
	struct fake_shared {
		unsigned effects;	/* so far */
		unsigned at;		/* the one that goes wrong, counted from 1 */
		enum fake_fault fault;
		int num;		/* errno of it */
		bool hit;
		unsigned batches;	/* calls of vf_write */
		unsigned drawn;		/* MACs, so far */
		char rename[16];	/* what udev calls the next PF that vf_write asks */
		struct fake_pf pf[FAKE_PFS];
		unsigned n;
	} *shared;
};

extern const struct vh_sriov_ops fake_ops;

void fake_open(struct fake *f);
/* As another process would find it. */
void fake_reopen(struct fake *f);
/* The same in a forked process: one of check's assertions there would write into its parent's report. */
int fake_try_reopen(struct fake *f, struct vh_err *err);
void fake_close(struct fake *f);
#define FAKE(f) vh_cleanup(fake_close) struct fake f = { 0 }; fake_open(&f)

/* OK(call(..., oe)): it does not fail. */
#define OK(call) do { vh_autoerr oe_ = VH_ERR_NONE; struct vh_err *oe = &oe_; \
		ck_assert_msg((call) == 0, "%s (hint: %s)", oe->text, oe->hint); } while (0)

/* Text of a file of the tree: fake_file(f, "text", "sys/...%s", ...). */
void fake_file(const struct fake *f, const char *text, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void fake_link(const struct fake *f, const char *target, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Any function: path below sys/devices, the address last; driver NULL: unbound; group -1: none. */
void fake_device(const struct fake *f, const char *path, const char *class, const char *driver, int group);
/* A PF of most VFs, none made yet. */
struct fake_pf *fake_pf(struct fake *f, const char *path, const char *netdev, bool ib, unsigned most);
void fake_driver(const struct fake *f, const char *name);

/* The next effect but n-1 goes wrong. */
void fake_fault(struct fake *f, unsigned n, enum fake_fault fault, int num);
void fake_heal(struct fake *f);
/* All that can be observed of a PF, and of what the store has; malloc'd. */
char *fake_state(struct fake *f, const char *pf);
unsigned fake_journal(struct fake *f, const char *address);
/* The VFs' drivers of the host set the MACs that they know, which a PF takes from those that it trusts. */
void fake_late_macs(struct fake *f);

#endif
