// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_VERBS_H
#define VH_VMM_VERBS_H

#include <stdio.h>
#include "lib/cli.h"
#include "vmm/place/plan.h"

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

/* A host that a plan is made on, with what is taken of it. */
struct vh_plan_host { char *name; struct vh_host *host; struct vh_left left; };
void vh_plan_host_clear(struct vh_plan_host *h);
/* where: "live", an hwloc XML file, what `vhpc vm host --json` printed, a captured host's
 * directory; NULL: --root, or live. */
int vh_plan_host_load(const struct vh_cli *cli, const char *where, const char *reserve,
		      struct vh_plan_host *ret, struct vh_err *err);

/* The same of a host that is read already; name NULL: this one. Both are taken over. */
int vh_plan_host_finish(const char *name, const char *reserve, struct vh_host *host, struct vh_taken *taken,
			struct vh_plan_host *ret, struct vh_err *err);

struct vh_plan_hosts {
	struct vh_plan_host *hosts;
	size_t n;
	json_t *unreachable;	/* of a host list: rows of host and why; else NULL */
};
void vh_plan_hosts_clear(struct vh_plan_hosts *h);
/* hosts: a directory of such files, or a host list (node[01-16]) that is asked over ssh, each
 * host for timeout seconds. Those that do not answer are said on stderr and left out. */
int vh_plan_hosts_load(const struct vh_cli *cli, const char *hosts, const char *timeout, const char *reserve,
		       struct vh_plan_hosts *ret, struct vh_err *err);

/* vhpc vm host: what a plan would be made on. */
struct vh_host_opts { const char *host, *reserve, *svg; };
extern const struct vh_opt vh_host_options[];
int vh_verb_host(struct vh_cli *cli, struct vh_err *err);

/* The host with the plan's CPUs, memory and devices marked. left is as before the plan;
 * plan NULL: the host alone. */
void vh_plan_picture(FILE *f, const struct vh_left *left, const struct vh_plan *plan);
int vh_plan_svg(const char *path, const char *title, const struct vh_left *left, const struct vh_plan *plan,
		struct vh_err *err);
/* What the plan makes of a CPU: '#' runs a vCPU, 'e' the emulator, '+' kept idle, '~' vCPUs
 * float on it, '.' free, 'x' taken. */
char vh_plan_mark(const struct vh_left *left, const struct vh_plan *plan, unsigned cpu);
bool vh_plan_has_device(const struct vh_plan *plan, size_t device);
uint64_t vh_plan_memory(const struct vh_plan *plan, size_t node);

#endif
