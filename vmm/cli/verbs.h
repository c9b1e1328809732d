// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_VERBS_H
#define VH_VMM_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/cli.h"

struct vh_plan_host;
struct vh_plan_hosts;
struct vh_virt;
struct vh_want;

/* The request as options, which plan and define share. */
struct vh_want_opts {
	const char *request, *name, *vcpus, *memory, *page_size, *cpu_policy, *threads, *emulator, *iothreads, *numa,
		*pairs;
	char **devices;
};
#define VH_WANT_OPTION(name, type, member, arg, help) \
	{ name, 0, VH_OPT_STR, offsetof(type, want.member), arg, help }
#define VH_WANT_OPTIONS(type) \
	VH_WANT_OPTION("request", type, request, "FILE", "the request, in YAML or JSON; options go before it"), \
	VH_WANT_OPTION("name", type, name, "NAME", "the VM's name (default vm)"), \
	VH_WANT_OPTION("vcpus", type, vcpus, "N", "virtual CPUs (default 1)"), \
	VH_WANT_OPTION("memory", type, memory, "SIZE", "memory (default 1G)"), \
	VH_WANT_OPTION("page-size", type, page_size, "SIZE", "4K, 2M, 1G, small, large (any huge one) or any"), \
	VH_WANT_OPTION("cpu-policy", type, cpu_policy, "POLICY", "dedicated, shared, or mixed:N dedicated"), \
	VH_WANT_OPTION("threads", type, threads, "POLICY", "hardware threads: prefer, isolate or require siblings"), \
	VH_WANT_OPTION("emulator", type, emulator, "POLICY", \
		       "QEMU's own threads: share, or isolate on a CPU of their own"), \
	VH_WANT_OPTION("iothreads", type, iothreads, "N", "I/O threads"), \
	VH_WANT_OPTION("numa", type, numa, "NODES", "guest NUMA nodes: auto, their number, or VCPUS:MEMORY,..."), \
	{ "device", 0, VH_OPT_STRV, offsetof(type, want.devices), "KIND[:N][:AFFINITY]", \
	  "hca, nic, gpu, nvme, or their VFs as hca-vf; preferred, required, socket, none" }, \
	VH_WANT_OPTION("pairs", type, pairs, "N", "so many of its GPUs each share a switch with an HCA")
/* vms and place: as options, or NULL. */
int vh_want_from_opts(const struct vh_want_opts *o, const char *vms, const char *place, struct vh_want *ret,
		      struct vh_err *err);

/* vh_plan_host_load and vh_plan_hosts_load; what they leave out is said unless --quiet. reserve: CPUs
 * that are kept for the host, or NULL. */
int vh_load_host(const struct vh_cli *cli, const char *where, const char *reserve, struct vh_plan_host *ret,
		 struct vh_err *err);
int vh_load_hosts(const struct vh_cli *cli, const char *hosts, const char *timeout, const char *reserve,
		  struct vh_plan_hosts *ret, struct vh_err *err);

/* vhpc vm plan: its options and what runs it. */
struct vh_plan_opts {
	struct vh_want_opts want;
	const char *host, *hosts, *vms, *place, *reserve, *svg, *timeout;
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
