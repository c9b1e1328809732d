// SPDX-License-Identifier: Apache-2.0
/* The verbs of vhpc sriov that change, lease or restore, for the program's table. */
#ifndef VH_SRIOV_COMMANDS_H
#define VH_SRIOV_COMMANDS_H

#include "lib/cli.h"
#include "sriov/function/state.h"

struct vh_create_opts { const char *force, *probe, *number; };
struct vh_set_opts { const char *force, *value[VH_FN_ATTRS + 1]; /* the last: policy */ };
struct vh_driver_opts { const char *force; };
struct vh_restore_opts { const char *force; uint64_t wait; };
struct vh_lease_opts { const char *pf, *kind, *numa; uint64_t pid; };
struct vh_identity_opts { uint64_t port; };

extern const struct vh_opt vh_cmd_create_options[], vh_cmd_set_options[], vh_cmd_driver_options[],
	vh_cmd_restore_options[], vh_cmd_lease_options[], vh_cmd_identity_options[];

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

#endif
