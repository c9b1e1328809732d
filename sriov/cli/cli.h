// SPDX-License-Identifier: Apache-2.0
/* The verbs of vhpc sriov with their options, for the program's table, and what they share. */
#ifndef VH_SRIOV_CLI_H
#define VH_SRIOV_CLI_H

#include <stdint.h>
#include "lib/cli.h"
#include "sriov/change/change.h"

struct vh_list_opts { const char *kind; };
struct vh_create_opts { const char *force, *probe, *number; };
enum { VH_SET_OPTS = 12 };	/* the attributes of a VF; the last: policy */
struct vh_set_opts { const char *force, *value[VH_SET_OPTS]; };
struct vh_driver_opts { const char *force; };
struct vh_restore_opts { const char *force; uint64_t wait; };
struct vh_lease_opts { const char *pf, *kind, *numa; uint64_t pid; };
struct vh_identity_opts { uint64_t port; };

extern const struct vh_opt vh_cmd_list_options[], vh_cmd_create_options[], vh_cmd_set_options[], vh_cmd_driver_options[],
	vh_cmd_restore_options[], vh_cmd_lease_options[], vh_cmd_identity_options[];

/* What runs each verb; they print, and return as vh_main wants it. */
int vh_cmd_list(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_show(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_doctor(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_create(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_set(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_bind(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_unbind(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_release(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_reset(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_recover(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_forget(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_restore(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_lease(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_return(struct vh_cli *cli, struct vh_err *err);
int vh_cmd_identity(struct vh_cli *cli, struct vh_err *err);

/* --- what they share */

/* Opens the host that cli names for changes; what: "leasing a VF", for whom may not. Checked before the state
 * directory is touched. force: address of the device whose protection is waived, or NULL. */
int vh_cmd_open(struct vh_cli *cli, const char *what, const char *force, struct vh_sriov **ret, struct vh_err *err);
/* The device's functions as they are now, so that nobody has to ask. */
int vh_cmd_print_functions(struct vh_cli *cli, struct vh_sriov *s, const char *device, const char *schema,
			   struct vh_err *err);
struct vh_pci_devices;
/* Who may not read the store sees the devices all the same. */
int vh_cmd_add_leases(struct vh_cli *cli, struct vh_pci_devices *devices, struct vh_err *err);

#endif
