// SPDX-License-Identifier: Apache-2.0
/* What the files that speak to libvirt share. */
#ifndef VH_VMM_VIRT_PRIVATE_H
#define VH_VMM_VIRT_PRIVATE_H

#include <libvirt/libvirt.h>
#include "lib/cleanup.h"
#include "vmm/virt/virt.h"

struct vh_domain_lease;

struct vh_virt {
	virConnectPtr conn;
	char *uri;
	char *private_dir;	/* STATE/libvirt of the private daemon; NULL: another daemon */
	int in_use;		/* shared lock: while it is held nobody ends the private daemon */
	int listener;		/* the callback of vh_virt_listen */
};

static inline void vh_domain_putp(virDomainPtr *d) { if (*d) virDomainFree(*d); }
#define vh_autodomain vh_cleanup(vh_domain_putp) virDomainPtr

/* Makes an error of libvirt's last one of this thread: "what: its message". EAGAIN or EBUSY where its cause passes by
 * itself, EPERM and refused what a hook or polkit refused, else EIO. */
int vh_virt_err(struct vh_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "VM NAME: what: its message", in the same way: to ask a domain's name makes libvirt forget its error. */
int vh_virt_domain_err(struct vh_err *err, virDomainPtr domain, const char *what);
/* NULL in *ret and 0: no such domain. */
int vh_virt_find(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_err *err);
/* Its lease; -ENODATA (no error text): none of ours. */
int vh_virt_domain_lease(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err);
/* 0: ours, and its lease where ret is not NULL; -ENODATA (no error text): another's. */
int vh_virt_check_ours(virDomainPtr domain, struct vh_domain_lease *ret, struct vh_err *err);
/* Finds one of ours; -ENOENT and, for another's, -EPERM, both refused. ret_lease: NULL, or its lease. */
int vh_virt_find_ours(struct vh_virt *v, const char *name, virDomainPtr *ret, struct vh_domain_lease *ret_lease,
		      struct vh_err *err);

/* Tells domains and hook where a state directory is that has another name now. */
int vh_virt_settle_home(struct vh_virt *v, const char *state, struct vh_err *err);

/* virDomainGetState's state, and the word for it. */
int vh_virt_get_state(virDomainPtr domain, int *ret, struct vh_err *err);
const char *vh_virt_state_name(int state);

#endif
