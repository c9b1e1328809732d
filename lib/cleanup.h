// SPDX-License-Identifier: Apache-2.0
/* Cleanup attributes for memory, descriptors and streams, and the hand-over that
 * empties them. A descriptor starts at -1, a pointer at NULL. */
#ifndef VH_CLEANUP_H
#define VH_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void vh_free_ptr(void *p) { free(*(void **)p); }
static inline void vh_close_fd(int *fd) { if (*fd >= 0) close(*fd); }
static inline void vh_close_file(FILE **f) { if (*f) fclose(*f); }

#define vh_cleanup(f) __attribute__((cleanup(f)))
#define vh_autofree vh_cleanup(vh_free_ptr)
#define vh_autoclose vh_cleanup(vh_close_fd)
#define vh_autofclose vh_cleanup(vh_close_file)

/* Hands over what a cleanup variable owns, leaving NULL or -1 behind. */
#define vh_steal(pp) ({ __auto_type vh_p_ = (pp); __auto_type vh_v_ = *vh_p_; *vh_p_ = NULL; vh_v_; })
static inline int vh_steal_fd(int *fd) { int v = *fd; *fd = -1; return v; }

#define vh_array_len(a) (sizeof(a) / sizeof((a)[0]))

#endif
