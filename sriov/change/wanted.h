// SPDX-License-Identifier: Apache-2.0
/* What restore makes of a device: by its address, and by its path of slots. */
#ifndef VH_SRIOV_WANTED_H
#define VH_SRIOV_WANTED_H

#include "sriov/change/change.h"
#include "sriov/function/function.h"

/* How a change enters the stored wanted state. */
enum vh_keep { VH_KEEP_NOT, VH_KEEP_MERGE, VH_KEEP_DROP_FNS };

/* Where the device of a stored state is now. */
int vh_wanted_locate(const struct vh_root *root, const char *address, const json_t *doc,
		     char ret[VH_PCI_ADDRESS_SIZE], struct vh_err *err);
/* Within the caller's transaction. */
int vh_wanted_keep(struct vh_sriov *s, const struct vh_pf *want, enum vh_keep keep, struct vh_err *err);

#endif
