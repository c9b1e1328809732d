// SPDX-License-Identifier: Apache-2.0
/* The private libvirt daemon of a state directory. */
#ifndef VH_VMM_DAEMON_H
#define VH_VMM_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>
#include "lib/err.h"

/* STATE/libvirt/run/libvirt-sock; refused when it is too long for a socket. */
int vh_daemon_socket(const char *state, char **ret, struct vh_err *err);
/* Connects to a daemon's socket for a look: its process (0: in another pid namespace)
 * and whether it lives in our network namespace. -errno: nobody answers. */
int vh_daemon_peer(const char *socket, pid_t *ret_pid, bool *ret_same_net);
/* The same of the system's own, monolithic or modular, when it can see what we make: *ret_pid; -ENOTCONN: there is none. */
int vh_daemon_system(pid_t *ret_pid);
/* Whether domains are defined in the private daemon, be it running or not. */
bool vh_daemon_has_domains(const char *state);
/* Starts the private daemon unless it runs. */
int vh_daemon_start(const char *state, struct vh_err *err);
/* Ends it, whatever runs in it; 0 also when it does not run. */
int vh_daemon_end(const char *state, struct vh_err *err);

#endif
