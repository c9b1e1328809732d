// SPDX-License-Identifier: Apache-2.0
/* What the parts of the doctor share: what it looks at, and how it says what it found. */
#ifndef VH_SRIOV_FINDING_H
#define VH_SRIOV_FINDING_H

#include <stdbool.h>
#include "lib/show/finding.h"
#include "lib/store/store.h"
#include "lib/sysroot.h"
#include "sriov/inventory/inventory.h"

struct vh_doctor {
	const struct vh_root *root;
	struct vh_store *store;
	struct vh_pci_devices devices;	/* with their leases */
	struct vh_findings *findings;
	bool asked;			/* for this one device: all that is not so is wrong */
};

/* mend: the command that mends it, or NULL. */
void vh_doctor_say(struct vh_doctor *d, const char *device, const char *check, enum vh_verdict verdict, const char *mend,
		   const char *found, ...) __attribute__((format(printf, 6, 7)));

#endif
