// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_VERBS_H
#define VH_VMM_VERBS_H

#include <stdio.h>
#include "lib/cli.h"
#include "vmm/plan.h"

/* vhpc vm plan: its options and what runs it. */
struct vh_plan_opts {
	const char *host, *hosts, *request, *name, *vcpus, *memory, *page_size, *cpu_policy, *threads, *emulator,
		*iothreads, *numa, *pairs, *vms, *place, *reserve, *svg, *timeout;
	char **devices;
	bool explain;
};
extern const struct vh_opt vh_plan_options[];
int vh_verb_plan(struct vh_cli *cli, struct vh_err *err);

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
