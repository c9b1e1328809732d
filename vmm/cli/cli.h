// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_CLI_H
#define VH_VMM_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/cli.h"
#include "vmm/want/want.h"

struct vh_plan_host;
struct vh_plan_hosts;
struct vh_virt;

/* The request as options, which plan and define share. */
struct vh_want_opts { const char *request; struct vh_want_text said; };
/* Rows of a verb's table, whose struct has them at that offset. */
#define VH_WANT_OPTIONS(at) \
	{ "request", 0, VH_OPT_STR, (at) + offsetof(struct vh_want_opts, request), "FILE", \
	  "the request, in YAML or JSON; options go before it" }, \
	VH_WANT_KEYS(VH_WANT_OPTION, VH_WANT_NO_OPTION, VH_WANT_NO_OPTION, (at) + offsetof(struct vh_want_opts, said))
#define VH_WANT_PLAN_OPTIONS(at) \
	VH_WANT_KEYS(VH_WANT_NO_OPTION, VH_WANT_OPTION, VH_WANT_NO_OPTION, (at) + offsetof(struct vh_want_opts, said))
int vh_want_from_opts(const struct vh_want_opts *o, struct vh_want *ret, struct vh_err *err);

/* vh_plan_host_load and vh_plan_hosts_load; what they leave out is said unless --quiet. reserve: CPUs
 * that are kept for the host, or NULL. */
int vh_load_host(const struct vh_cli *cli, const char *where, const char *reserve, struct vh_plan_host *ret,
		 struct vh_err *err);
int vh_load_hosts(const struct vh_cli *cli, const char *hosts, const char *timeout, const char *reserve,
		  struct vh_plan_hosts *ret, struct vh_err *err);

/* vhpc vm plan: its options and what runs it. */
struct vh_plan_opts {
	struct vh_want_opts want;
	const char *host, *hosts, *reserve, *svg, *timeout;
	bool explain;
};
extern const struct vh_opt vh_plan_options[];
int vh_verb_plan(struct vh_cli *cli, struct vh_err *err);

/* vhpc vm define */
struct vh_define_opts {
	struct vh_want_opts want;
	const char *reserve, *image, *kernel, *initrd, *cmdline, *identity;
	char **disks, **nics;
	bool rehearse;
};
extern const struct vh_opt vh_define_options[];
int vh_verb_define(struct vh_cli *cli, struct vh_err *err);
int vh_verb_undefine(struct vh_cli *cli, struct vh_err *err);

/* vhpc vm start, stop, destroy, console */
struct vh_stop_opts { bool force; const char *timeout; };
extern const struct vh_opt vh_stop_options[];
int vh_verb_start(struct vh_cli *cli, struct vh_err *err);
int vh_verb_stop(struct vh_cli *cli, struct vh_err *err);
int vh_verb_destroy(struct vh_cli *cli, struct vh_err *err);
int vh_verb_console(struct vh_cli *cli, struct vh_err *err);
/* vhpc vm show, check */
struct vh_check_opts { const char *guest; };
extern const struct vh_opt vh_check_options[];
int vh_verb_show(struct vh_cli *cli, struct vh_err *err);
int vh_verb_check(struct vh_cli *cli, struct vh_err *err);
/* For what needs a VM to be there; a private daemon that has some is started for it. */
int vh_open_daemon(struct vh_cli *cli, struct vh_virt **ret, struct vh_err *err);
/* "vhpc vm: VM NAME: what" unless --quiet. */
void vh_say(const struct vh_cli *cli, const char *name, const char *what);

/* vhpc vm host: what a plan would be made on. */
struct vh_host_opts { const char *host, *reserve, *svg; };
extern const struct vh_opt vh_host_options[];
int vh_verb_host(struct vh_cli *cli, struct vh_err *err);

#endif
