// SPDX-License-Identifier: Apache-2.0
#ifndef VH_VMM_DAEMON_DIR_H
#define VH_VMM_DAEMON_DIR_H

#include "lib/err.h"

/* Keeps consoles' logs within bounds; where it is not installed QEMU writes them itself, without any. */
#define VH_VIRTLOGD "/usr/sbin/virtlogd"

/* Refuses a state directory that QEMU, running as libvirt-qemu, could not get to. */
int vh_daemon_check(const char *state, struct vh_err *err);
/* Makes or brings up to date everything under dir (STATE/libvirt). */
int vh_daemon_dir_write(const char *dir, const char *state, struct vh_err *err);
/* Tells the hook which state directory it is: etc/vhpc.state below dir. */
int vh_daemon_dir_link(const char *dir, const char *state, struct vh_err *err);
/* What is to be mounted (strv) over what, in the daemon's mount namespace. */
int vh_daemon_dir_mounts(const char *dir, char ***sources, char ***targets, struct vh_err *err);

/* The last line of a file that says something, in a fresh string; NULL: none. */
char *vh_last_line(const char *path);

#endif
