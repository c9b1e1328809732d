// SPDX-License-Identifier: Apache-2.0
/* One way of messages from one process to another, in shared memory: a ring of cells
 * that announce and, when they are short, hold the messages, and a ring of bytes for the
 * long ones. One sender, one receiver; loads, stores and, where the mapping is not
 * write-back, store fences. Whose turn a cell is says its sequence number, so that a
 * short message is one cache line to move; the only index read from the other side is
 * how many cells were consumed, and only when there seems to be no room. */
#ifndef VH_IVSHM_RING_H
#define VH_IVSHM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	IVSHM_CELLS = 64,
	IVSHM_CELL = 256,
	IVSHM_INLINE = IVSHM_CELL - 16,
	IVSHM_MAX_MESSAGE = (1 << 24) - 1,
	IVSHM_WARM = 32 << 10,	/* bytes of a ring that stay in a cache */
};

struct ivshm_cell {
	uint64_t ready;		/* 24 bits length, 8 tag, 32 sequence number */
	uint32_t at, reserved;	/* a long message's place in the ring of bytes */
	uint8_t payload[IVSHM_INLINE];
};

struct ivshm_channel {		/* in shared memory */
	uint64_t sign;		/* from and to whom; written before the pair is settled */
	uint8_t pad[56];
	uint32_t consumed;	/* the only word that the receiver writes */
	uint8_t pad2[60];
	struct ivshm_cell cells[IVSHM_CELLS];
	uint8_t bytes[];
};
_Static_assert(sizeof(struct ivshm_cell) == IVSHM_CELL, "cells are as long as they say");

struct ivshm_tx {
	struct ivshm_channel *c;
	uint32_t size;			/* of bytes[] */
	uint32_t sent, consumed;
	uint64_t head, tail;		/* of bytes[], never wrapped */
	uint32_t at;			/* where head is in bytes[]: a division is dear where a CPU is emulated */
	uint64_t reserved;		/* the head before the message that was reserved */
	uint32_t reserved_at;
	uint64_t ends[IVSHM_CELLS];	/* the head after each cell */
	bool fenced;
	bool broken;			/* the receiver claims what it was not sent */
};

struct ivshm_rx {
	struct ivshm_channel *c;
	uint32_t size;
	uint32_t next;
	bool fenced;
};

struct ivshm_message {
	const void *data;	/* in shared memory: may change under the reader's eyes */
	uint32_t len;
	uint8_t tag;
};

static inline void ivshm_fence(bool fenced)
{
	if (fenced)
		__asm__ volatile("sfence" ::: "memory");
}

/* Only write-back memory keeps loads in order. */
static inline void ivshm_load_fence(bool fenced)
{
	if (fenced)
		__asm__ volatile("lfence" ::: "memory");
}

/* len: of the channel's memory; what stands there from its last owner is cleared. */
void ivshm_tx_open(struct ivshm_tx *tx, void *memory, size_t len, uint64_t sign, bool fenced);
/* False when it is no channel of that sign. */
bool ivshm_rx_open(struct ivshm_rx *rx, void *memory, size_t len, uint64_t sign, bool fenced);

/* Reads how far the receiver is; false when it claims more than it was sent. */
bool ivshm_tx_refresh(struct ivshm_tx *tx);

static inline bool ivshm_tx_room(struct ivshm_tx *tx, uint32_t len)
{
	/* A message does not wrap: what is left before the end is skipped. */
	const bool wraps = len > tx->size - tx->at;
	const uint32_t skipped = wraps ? tx->size - tx->at : 0;

	if (tx->sent - tx->consumed >= IVSHM_CELLS)
		return false;
	if (len > IVSHM_INLINE && tx->head + skipped + len - tx->tail > tx->size)
		return false;
	tx->reserved = tx->head + skipped;
	tx->reserved_at = wraps ? 0 : tx->at;
	return true;
}

/* Where everything was read, long messages begin at the front again: memory that both
 * sides used just now is in their caches and translation buffers. To ask how much was read
 * costs a cache line's way, so not before every message. */
static inline void ivshm_tx_rewind(struct ivshm_tx *tx)
{
	if (ivshm_tx_refresh(tx) && tx->consumed == tx->sent)
		tx->head = tx->tail = tx->at = 0;
}

/* Where the next message's bytes go, or NULL: no room for it now (or ever: broken). */
static inline void *ivshm_tx_reserve(struct ivshm_tx *tx, uint32_t len)
{
	if (len > IVSHM_INLINE && tx->at + len > IVSHM_WARM)
		ivshm_tx_rewind(tx);
	if (!ivshm_tx_room(tx, len) && (!ivshm_tx_refresh(tx) || !ivshm_tx_room(tx, len)))
		return NULL;
	return len <= IVSHM_INLINE ? (void *)tx->c->cells[tx->sent % IVSHM_CELLS].payload
				   : (void *)(tx->c->bytes + tx->reserved_at);
}

/* Sends what was written there. */
static inline void ivshm_tx_commit(struct ivshm_tx *tx, uint32_t len, uint8_t tag)
{
	struct ivshm_cell *cell = &tx->c->cells[tx->sent % IVSHM_CELLS];

	if (len > IVSHM_INLINE) {
		const uint32_t room = (len + 63) / 64 * 64;

		__atomic_store_n(&cell->at, tx->reserved_at, __ATOMIC_RELAXED);
		tx->head = tx->reserved + room;
		tx->at = tx->reserved_at + room;
	}
	tx->ends[tx->sent % IVSHM_CELLS] = tx->head;
	tx->sent++;
	ivshm_fence(tx->fenced);
	__atomic_store_n(&cell->ready, (uint64_t)len << 40 | (uint64_t)tag << 32 | tx->sent, __ATOMIC_RELEASE);
	ivshm_fence(tx->fenced);
}

/* 1: the next message, 0: none yet, -1: what stands there is no message. */
static inline int ivshm_rx_peek(const struct ivshm_rx *rx, struct ivshm_message *m)
{
	struct ivshm_cell *cell = &rx->c->cells[rx->next % IVSHM_CELLS];
	uint64_t ready = __atomic_load_n(&cell->ready, __ATOMIC_ACQUIRE);
	uint32_t at;

	/* Else there stands the message of a round before, or nothing was there ever. */
	if ((uint32_t)ready != rx->next + 1)
		return (uint32_t)ready == rx->next + 1 - IVSHM_CELLS || (uint32_t)ready == 0 ? 0 : -1;
	ivshm_load_fence(rx->fenced);
	m->len = (uint32_t)(ready >> 40);
	m->tag = (uint8_t)(ready >> 32);
	m->data = cell->payload;
	if (m->len <= IVSHM_INLINE)
		return 1;
	at = __atomic_load_n(&cell->at, __ATOMIC_RELAXED);
	m->data = rx->c->bytes + at;
	return at > rx->size || m->len > rx->size - at ? -1 : 1;
}

/* The message that was peeked at is done with. */
static inline void ivshm_rx_done(struct ivshm_rx *rx)
{
	rx->next++;
	__atomic_store_n(&rx->c->consumed, rx->next, __ATOMIC_RELEASE);
	ivshm_fence(rx->fenced);
}

#endif
