// SPDX-License-Identifier: Apache-2.0
/* Hosts to make plans on, with what is taken of them: this one, a file, a captured one, others
 * over ssh. */
#ifndef VH_VMM_HOSTS_H
#define VH_VMM_HOSTS_H

#include <jansson.h>
#include <stdint.h>
#include "lib/err.h"
#include "vmm/place/place.h"

/* What readers of hosts are told, and tell. */
struct vh_hosts_query {
	const char *root;	/* directory of a captured host that stands for this one, or NULL */
	const char *connect, *state;	/* of the daemon whose VMs count, as vh_virt_open takes them */
	const char *reserve;	/* CPUs that are kept for the host, or NULL */
	char **notes;		/* what was left out, and why: lines to be said, also after a failure; a strv */
};

/* A host that a plan is made on, with what is taken of it. */
struct vh_plan_host { char *name; struct vh_host *host; struct vh_left left; };
void vh_plan_host_clear(struct vh_plan_host *h);
/* where: "live", an hwloc XML file, what `vhpc vm host --json` printed, a captured host's
 * directory; NULL: the query's root, or live. */
int vh_plan_host_load(struct vh_hosts_query *q, const char *where, struct vh_plan_host *ret, struct vh_err *err);

struct vh_plan_hosts {
	struct vh_plan_host *hosts;
	size_t n;
	json_t *unreachable;	/* of a host list: rows of host and why; else NULL */
};
void vh_plan_hosts_clear(struct vh_plan_hosts *h);
/* hosts: a directory of such files, or a host list (node[01-16]) that is asked over ssh, each
 * host for timeout seconds. Those that do not answer are left out. */
int vh_plan_hosts_load(struct vh_hosts_query *q, const char *hosts, const char *timeout, struct vh_plan_hosts *ret,
		       struct vh_err *err);

/* --- as JSON (docs/formats/vm.md): how one host tells another of itself */

#define VH_HOST_SCHEMA "vhpc.vm.host/1"

/* NULL without memory. */
json_t *vh_host_to_json(const struct vh_left *left);
/* doc is untrusted, name stands for it in errors. What is not free comes back as taken (CPUs)
 * and held (devices), or is gone from free memory and pages. Refused. */
int vh_host_from_json(const char *name, const char *doc, size_t len, struct vh_host **ret, struct vh_taken *ret_taken,
		      struct vh_err *err);

/* --- what running domains hold, whoever made them: added to taken, and to host's held devices */

/* Those of the daemon that is named or found. None is started for it; where one that was not named
 * cannot be asked, the query's notes say so. */
int vh_taken_add_running(struct vh_taken *taken, struct vh_hosts_query *q, struct vh_host *host, struct vh_err *err);
/* One domain by its live XML, of whose memory that many bytes are resident: CPUs that its vCPUs
 * are pinned to (of ours: that it leases), memory that it may still touch, PCI devices. */
int vh_taken_add_domain(struct vh_taken *taken, struct vh_host *host, const char *xml, uint64_t resident,
			struct vh_err *err);

#endif
