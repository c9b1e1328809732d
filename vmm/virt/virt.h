// SPDX-License-Identifier: Apache-2.0
/* libvirt: the connection, the private daemon, and domains from define to undefine. */
#ifndef VH_VMM_VIRT_H
#define VH_VMM_VIRT_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct _virDomain;
struct vh_domain_lease;
struct vh_virt;

/* connect given: that URI, or "private" for the private daemon. NULL: a running system
 * daemon of this network namespace (another could not see our taps), else the private
 * daemon under STATE/libvirt (with start it is started where it does not run: libvirtd
 * in a mount namespace of its own, with our hook as qemu.d/vhpc; without start only when
 * it has domains). -ENOTCONN (no error text): no daemon runs, and none was started. */
int vh_virt_open(struct vh_virt **ret, const char *connect, const char *state, bool start,
		 struct vh_err *err);
void vh_virt_close(struct vh_virt *v);
static inline void vh_virt_closep(struct vh_virt **v) { vh_virt_close(*v); }
const char *vh_virt_uri(const struct vh_virt *v);
/* "libvirt 9.0.0, QEMU 7.2.22" as the daemon reports them, into buf. */
int vh_virt_version(struct vh_virt *v, char *buf, size_t len, struct vh_err *err);

/* Whether a domain's QEMU may be anybody: as a user of its own it must get past libvirt's directory. */
bool vh_virt_any_user(const struct vh_virt *v);
/* What is to be said where root's domains cannot each have a user, and what helps; static, NULL: they can, or
 * it is not root's daemon. */
const char *vh_virt_one_user(const struct vh_virt *v);

/* Whether the private daemon has domains but does not run, so that opening it would start it. */
bool vh_virt_is_asleep(const char *state);
/* Ends the private daemon when it is ours and has no domain left; 0 also when there is none. */
int vh_virt_stop_private(const char *state, struct vh_err *err);

/* define: same name and UUID is redefined; a domain of that name and another UUID that is not ours is
 * -EEXIST, refused. Thread-safe on one vh_virt. */
int vh_virt_define(struct vh_virt *v, const char *xml, struct vh_err *err);
/* Or lets it go on. 0 also when it already runs. */
int vh_virt_start(struct vh_virt *v, const char *name, struct vh_err *err);
/* ACPI shutdown, waited for; at the deadline destroyed when force, else -ETIMEDOUT. 0 when it is off. */
int vh_virt_stop(struct vh_virt *v, const char *name, int deadline_ms, bool force, struct vh_err *err);
/* As by the button: what the guest has not written is lost, and it boots anew, with the devices that it has. */
int vh_virt_reset(struct vh_virt *v, const char *name, struct vh_err *err);
/* Halts one that runs, with all that it holds; vh_virt_start lets it go on. 0 also when it is halted; refused when it is off. */
int vh_virt_suspend(struct vh_virt *v, const char *name, struct vh_err *err);
/* At once what vh_virt_state says and whose it is, malloc'd; owner NULL: there is none, or not one of ours. */
int vh_virt_look(struct vh_virt *v, const char *name, const char **ret_state, char **ret_owner, struct vh_err *err);
/* What one of ours holds while it runs, by its definition. */
int vh_virt_lease(struct vh_virt *v, const char *name, struct vh_domain_lease *ret, struct vh_err *err);
/* Destroys and undefines that of owner; 0 when there is none, or another of ours has the name. One that somebody else made is only
 * released. */
int vh_virt_remove(struct vh_virt *v, const char *name, const char *owner, struct vh_err *err);
/* The domain as libvirt has it: one of ours, malloc'd. */
int vh_virt_xml(struct vh_virt *v, const char *name, char **ret, struct vh_err *err);
/* --- one of ours, found once: what follows is asked of that one, and not by its name again */

/* Refused where there is none. Its state is static as of vh_virt_state; vh_virt_put frees it. */
int vh_virt_take(struct vh_virt *v, const char *name, struct _virDomain **ret, const char **ret_state,
		 struct vh_domain_lease *ret_lease, struct vh_err *err);
void vh_virt_put(struct _virDomain **domain);
/* vh_virt_start of one in that state; *ret_started: it was off. */
int vh_virt_start_taken(struct _virDomain *domain, const char *state, bool *ret_started, struct vh_err *err);
/* NULL: it is gone. */
int vh_virt_state_taken(struct _virDomain *domain, const char **ret, struct vh_err *err);

/* --- what there is */

/* "running", "shut off", "paused", ... static; NULL: no such domain. */
int vh_virt_state(struct vh_virt *v, const char *name, const char **ret, struct vh_err *err);
/* Whether such a word is that of a VM without a process. */
bool vh_virt_is_off(const char *state);
/* Copies the console to out_fd until the guest ends, in_fd says Ctrl-] or *stop becomes
 * true; in_fd -1 or its end: only listens. A terminal on in_fd is put into raw mode meanwhile. */
int vh_virt_console(struct vh_virt *v, const char *name, int in_fd, int out_fd,
		    const volatile sig_atomic_t *stop, struct vh_err *err);
/* Rows: name, state, vcpus, memory (bytes), cpus ("0-1" pinned, as libvirt reports it back),
 * nodes, owner (null when not ours), uuid. */
int vh_virt_list(struct vh_virt *v, json_t **ret, struct vh_err *err);

/* --- mount.c: file systems of this machine as the daemon, and what it starts, sees them */

/* Refused where the daemon is not this machine's own or a private one: then nothing is ever mounted for it. */
int vh_virt_can_mount(struct vh_virt *v, struct vh_err *err);
/* Mounts the image of an ext4 file system, or finds something mounted there; what lies in it is no program, device or
 * other user's right here. Refused where vh_virt_can_mount is. */
int vh_virt_mount(struct vh_virt *v, const char *image, const char *dir, bool *ret_changed, struct vh_err *err);
/* 0 also when nothing is. */
int vh_virt_unmount(struct vh_virt *v, const char *dir, struct vh_err *err);
int vh_virt_mounted(struct vh_virt *v, const char *dir, bool *ret, struct vh_err *err);

/* --- domains that somebody else made */

/* Refused where there is none, or it is not defined and thus gone when it ends. */
int vh_virt_check_defined(struct vh_virt *v, const char *name, struct vh_err *err);
/* Makes it one of ours, by that lease in its metadata, whether it runs or not; refused where there is none of that name and
 * the lease's UUID, or none that is defined. */
int vh_virt_adopt(struct vh_virt *v, const char *name, const struct vh_domain_lease *lease, struct vh_err *err);
/* Takes that back, and leaves the domain alone otherwise; 0 when there is none, or it is not of owner. One that has got another
 * name is known by its UUID. */
int vh_virt_release(struct vh_virt *v, const char *name, const char *uuid, const char *owner, struct vh_err *err);

/* --- events.c: domains that end */

enum vh_virt_end {
	VH_VIRT_RUNS,		/* or is halted, with all that it holds */
	VH_VIRT_MISSING,	/* no such domain */
	VH_VIRT_UNKNOWN,	/* off since before libvirt looked: its host was down, or libvirt was */
	VH_VIRT_SHUT_DOWN,	/* in order, from within or asked to */
	VH_VIRT_DESTROYED,	/* switched off, or gone elsewhere */
	VH_VIRT_FAILED,		/* QEMU ended by itself, or could not be started */
};
int vh_virt_ended(struct vh_virt *v, const char *name, enum vh_virt_end *ret, struct vh_err *err);
/* Once, before the first connection of those that listen is opened; a thread serves them to the end of the process. */
int vh_virt_events_begin(struct vh_err *err);
/* From now on fd, an eventfd that stays open, is written to when a domain starts, ends, is halted or goes on there, and
 * when the connection is lost. To be ended before the connection is closed. */
int vh_virt_listen(struct vh_virt *v, int fd, struct vh_err *err);
void vh_virt_deafen(struct vh_virt *v);
bool vh_virt_is_alive(const struct vh_virt *v);

/* --- domains that run, whoever made them. They may end at any time. */

/* Their names, a strv; NULL: none runs. */
int vh_virt_running(struct vh_virt *v, char ***ret, struct vh_err *err);
bool vh_virt_is_running(struct vh_virt *v, const char *name);
/* As it runs or, defined, as it would start again; malloc'd. NULL: no such domain. */
int vh_virt_any_xml(struct vh_virt *v, const char *name, bool defined, char **ret, struct vh_err *err);
/* Bytes of host memory that it has now; 0: not known. */
uint64_t vh_virt_resident(struct vh_virt *v, const char *name);

enum vh_virt_thread { VH_VIRT_VCPU, VH_VIRT_EMULATOR, VH_VIRT_IOTHREAD };
/* Has a thread of it run on these CPUs (at least one, ascending) from now on; id: of a vCPU from 0, of an I/O
 * thread from 1. 0 where there is no such domain any more. */
int vh_virt_pin(struct vh_virt *v, const char *name, enum vh_virt_thread thread, unsigned id, const unsigned *cpus,
		size_t n, struct vh_err *err);

#endif
