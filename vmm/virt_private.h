// SPDX-License-Identifier: Apache-2.0
/* What the files of vmm that speak to libvirt share. */
#ifndef VH_VMM_VIRT_PRIVATE_H
#define VH_VMM_VIRT_PRIVATE_H

#include <libvirt/libvirt.h>
#include "vmm/vmm.h"

struct vh_virt {
	virConnectPtr conn;
	char *uri;
	char *private_dir;	/* STATE/libvirt of the private daemon; NULL: another daemon */
	int in_use;		/* shared lock: while it is held nobody ends the private daemon */
};

static inline void vh_domain_putp(virDomainPtr *d) { if (*d) virDomainFree(*d); }
#define vh_autodomain vh_cleanup(vh_domain_putp) virDomainPtr

/* Makes an error of libvirt's last one of this thread: "what: its message". */
int vh_virt_err(struct vh_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* NULL in *ret and 0: no such domain. */
int vh_virt_find(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err);
/* Its lease; -ENODATA (no error text): none of ours. */
int vh_virt_lease(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err);
/* Finds one of ours; -ENOENT and, for another's, -EPERM, both refused. */
int vh_virt_find_ours(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err);

/* virDomainGetState's state. */
int vh_virt_get_state(virDomainPtr domain, int *ret, struct vh_err *err);

/* --- the private daemon (daemon.c) */

/* STATE/libvirt/run/libvirt-sock; refused when it is too long for a socket. */
int vh_daemon_socket(const char *state, char **ret, struct vh_err *err);
/* Connects to a daemon's socket for a look: its process (0: in another pid namespace)
 * and whether it lives in our network namespace. -errno: nobody answers. */
int vh_daemon_peer(const char *socket, pid_t *ret_pid, bool *ret_same_net);
/* Refuses a state directory that QEMU, running as libvirt-qemu, could not get to. */
int vh_daemon_check(const char *state, struct vh_err *err);
/* Whether domains are defined in the private daemon, be it running or not. */
bool vh_daemon_has_domains(const char *state);
/* Starts the private daemon unless it runs. */
int vh_daemon_start(const char *state, struct vh_err *err);
/* Ends it, whatever runs in it; 0 also when it does not run. */
int vh_daemon_end(const char *state, struct vh_err *err);

#endif
