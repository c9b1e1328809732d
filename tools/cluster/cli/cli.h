// SPDX-License-Identifier: Apache-2.0
/* The verbs of vhpc cluster and their options; the table of them is in main.c. */
#ifndef VH_CLUSTER_CLI_H
#define VH_CLUSTER_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/cli.h"

/* Options of plan, apply and scale. */
struct apply_opts { char *store, *host, *plan, *out; uint64_t timeout; bool keep, detailed, dry_run; };
struct status_opts { char *watch; };
struct replace_opts { char *store; uint64_t at_once, timeout; bool dry_run; };
struct destroy_opts { bool dry_run; };
struct life_opts { uint64_t timeout; bool force; };
struct watch_opts { uint64_t timeout; bool once; };
struct snapshot_opts { bool remove; };
struct revert_opts { bool dry_run; };
struct ssh_opts { char *user; };
struct import_opts { bool dry_run; };

int verb_plan(struct vh_cli *cli, struct vh_err *err);
int verb_schema(struct vh_cli *cli, struct vh_err *err);
int verb_apply(struct vh_cli *cli, struct vh_err *err);
int verb_scale(struct vh_cli *cli, struct vh_err *err);
int verb_status(struct vh_cli *cli, struct vh_err *err);
int verb_list(struct vh_cli *cli, struct vh_err *err);
int verb_leases(struct vh_cli *cli, struct vh_err *err);
int verb_ssh(struct vh_cli *cli, struct vh_err *err);
int verb_cp(struct vh_cli *cli, struct vh_err *err);
int verb_start(struct vh_cli *cli, struct vh_err *err);
int verb_stop(struct vh_cli *cli, struct vh_err *err);
int verb_suspend(struct vh_cli *cli, struct vh_err *err);
int verb_resume(struct vh_cli *cli, struct vh_err *err);
int verb_watch(struct vh_cli *cli, struct vh_err *err);
int verb_snapshot(struct vh_cli *cli, struct vh_err *err);
int verb_revert(struct vh_cli *cli, struct vh_err *err);
int verb_replace(struct vh_cli *cli, struct vh_err *err);
int verb_import(struct vh_cli *cli, struct vh_err *err);
int verb_destroy(struct vh_cli *cli, struct vh_err *err);
int verb_recover(struct vh_cli *cli, struct vh_err *err);

#endif
