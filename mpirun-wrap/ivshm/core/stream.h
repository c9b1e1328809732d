// SPDX-License-Identifier: Apache-2.0
/* Long messages: the receiver asks for them, and the sender streams them through the
 * channel in pieces, so that one copies in while the other copies out. No Open MPI here.
 *
 * A sender opens its message's memory as a window, whose number it sends along; who names
 * a window gets no more than what lies in it. A receiver writes only what it asked for, to
 * where it wanted it, in order: the pieces name its pull by number, and no address. */
#ifndef VH_IVSHM_STREAM_H
#define VH_IVSHM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpirun-wrap/ivshm/core/copy.h"
#include "mpirun-wrap/ivshm/core/ring.h"
#include "mpirun-wrap/ivshm/core/table.h"

enum {
	IVSHM_TAG_ASK = 254,		/* Open MPI's own tags end before */
	IVSHM_TAG_PIECE = 255,
	IVSHM_IN_FLIGHT = 8,		/* pieces; beyond, the channel is left to others */
};

struct ivshm_window { const uint8_t *base; size_t len; };

/* As it stands in a message; answered by pieces. The address is one of the window's side. */
struct ivshm_ask { uint64_t window, address, len, pull; };

/* What stands before a piece's bytes: a cache line, so that they are aligned. */
struct ivshm_piece_head { uint64_t pull, at; uint8_t pad[48]; };

/* What is being received. */
struct ivshm_pull { const void *peer; uint8_t *to; size_t len, got; };

/* What is being sent; at and sent are offsets in the window and in what was asked for. */
struct ivshm_feed { uint64_t window, pull; size_t at, sent, len; };

/* The feed that a peer's message asks for, or false: it asks for what was not offered. */
bool ivshm_feed_open(const struct ivshm_table *windows, const struct ivshm_message *m, struct ivshm_feed *ret);
/* Sends pieces of so many bytes while there is room: 1 all sent, 0 no room now, -1 the
 * window was closed before the end. */
int ivshm_feed_send(struct ivshm_feed *f, const struct ivshm_table *windows, struct ivshm_tx *tx, ivshm_copy_fn *copy,
		    uint32_t piece);

/* Takes a piece in: the pull that it completes or continues, or NULL: nobody asked this
 * peer for it. */
struct ivshm_pull *ivshm_pull_take(const struct ivshm_table *pulls, const void *peer, const struct ivshm_message *m,
				   ivshm_copy_fn *copy);

#endif
