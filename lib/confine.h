// SPDX-License-Identifier: Apache-2.0
/* Readers of foreign data, without rights: what goes wrong in them stays in them. */
#ifndef VH_CONFINE_H
#define VH_CONFINE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "lib/err.h"

/* Whom root becomes: an id that neither Debian nor systemd gives to anybody. */
enum { VH_CONFINE_ID = 65533 };

/* Gives up all rights of this process, for good and for what it starts: another user and no groups where
 * it was root, no capabilities, no new ones by execve, no core dump. file_max: bytes of the largest
 * file it may write, 0: any. Between fork and exec too. -errno. */
int vh_confine_self(uint64_t file_max);

/* Closes all descriptors of this process but these two, which may be the same. */
void vh_confine_close_but(int a, int b);

/* Gives up all rights for a program about to be executed (struct vh_spawn's confined does it): no network, and no
 * more memory than such programs need, either. uid: whom root becomes, whose files it may have; 0: nobody. */
int vh_confine_program(uid_t uid, gid_t gid, uint64_t file_max);

/* A file that such a program is to write: its own, until it is taken back as ours with that mode. The program
 * opens it as /proc/self/fd/N (struct vh_spawn's keep), wherever it lies. -errno. */
int vh_confine_lend(int fd);
int vh_confine_take(int fd, unsigned mode);

/* Runs read(fd, out) in a child without rights that can neither open files nor make sockets: seccomp
 * leaves it little more than its memory, fd and out, and it has no other descriptor. deadline_ms: how long it may
 * be silent. read returns 0 and what it writes to out becomes *ret (malloc'd, NUL-terminated, at most
 * max bytes), or a positive errno, and out holds why. One that crashes is -EBADMSG, one too slow -ETIMEDOUT. */
int vh_confine_read(int fd, int (*read)(int fd, FILE *out), int deadline_ms, size_t max, char **ret, size_t *ret_len,
		    struct vh_err *err);
/* Starts such a child, whose words are read from *ret_from as they come, to their end; then it is waited for with
 * vh_child_wait. */
int vh_confine_start(int fd, int (*read)(int fd, FILE *out), int *ret_from, pid_t *ret_pid, struct vh_err *err);

#endif
