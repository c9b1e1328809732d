// SPDX-License-Identifier: Apache-2.0
/* What the parts of the doctor share: rows of findings. */
#ifndef VH_SRIOV_DOCTOR_H
#define VH_SRIOV_DOCTOR_H

#include "lib/store.h"
#include "sriov/private.h"
#include "sriov/function/state.h"

enum vh_finding { VH_OK, VH_WRONG, VH_UNKNOWN };

struct vh_doctor {
	const struct vh_root *root;
	struct vh_store *store;
	json_t *devices;	/* vh_sriov_list's rows */
	json_t *rows;		/* findings: device, step, state, found, mend */
	bool asked;		/* for this one device: all that is not so is wrong */
	bool failed;		/* no memory */
};

/* mend: the command that mends it, or NULL. */
void vh_doctor_say(struct vh_doctor *d, const char *device, const char *step, enum vh_finding state, const char *mend,
		   const char *found, ...) __attribute__((format(printf, 6, 7)));

/* --- doctor_vf.c */

void vh_doctor_function(struct vh_doctor *d, const struct vh_pf *pf, const struct vh_fn *fn);

/* --- doctor_port.c: subnet manager, P_Key and state of the ports of the device's InfiniBand or network device */

void vh_doctor_ports(struct vh_doctor *d, const char *address);

/* --- doctor_pair.c: a GPU and its nearest HCA */

void vh_doctor_pair(struct vh_doctor *d, const json_t *gpu);

#endif
