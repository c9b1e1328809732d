// SPDX-License-Identifier: Apache-2.0
/* What the parts of the doctor share: rows of findings. */
#ifndef VH_SRIOV_FINDING_H
#define VH_SRIOV_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include "lib/store/store.h"
#include "lib/sysroot.h"
#include "sriov/inventory/inventory.h"

enum vh_finding { VH_OK, VH_WRONG, VH_UNKNOWN };

struct vh_doctor {
	const struct vh_root *root;
	struct vh_store *store;
	struct vh_pci_devices devices;	/* with their leases */
	json_t *rows;		/* findings: device, step, state, found, mend */
	bool asked;		/* for this one device: all that is not so is wrong */
	bool failed;		/* no memory */
};

/* mend: the command that mends it, or NULL. */
void vh_doctor_say(struct vh_doctor *d, const char *device, const char *step, enum vh_finding state, const char *mend,
		   const char *found, ...) __attribute__((format(printf, 6, 7)));

#endif
