// SPDX-License-Identifier: Apache-2.0
/* Progress of long work on stderr: a line that rewrites itself on a terminal, plain
 * lines with the elapsed time elsewhere, nothing with --quiet. Thread-safe. */
#ifndef VH_PROGRESS_H
#define VH_PROGRESS_H

#include <stdbool.h>

struct vh_progress;

/* title: "cluster two-node". NULL without memory, which every call below accepts. */
struct vh_progress *vh_progress_start(const char *title, bool quiet);
/* A stage that lasts: "waiting for ssh (1 of 2)". */
void vh_progress_step(struct vh_progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line that stays: something finished, or must be said once. */
void vh_progress_note(struct vh_progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends it (frees p); the closing line stays, fmt NULL: none. */
void vh_progress_end(struct vh_progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
