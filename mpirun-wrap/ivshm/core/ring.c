// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/ring.h"

#include <string.h>

static uint32_t bytes_in(size_t len)
{
	size_t room = len - sizeof(struct ivshm_channel);

	return room > IVSHM_MAX_MESSAGE ? IVSHM_MAX_MESSAGE / 64 * 64 : (uint32_t)(room / 64 * 64);
}

void ivshm_tx_open(struct ivshm_tx *tx, void *memory, size_t len, uint64_t sign, bool fenced)
{
	struct ivshm_channel *c = memory;

	for (unsigned i = 0; i < IVSHM_CELLS; i++)
		__atomic_store_n(&c->cells[i].ready, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&c->consumed, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&c->sign, sign, __ATOMIC_RELEASE);
	ivshm_fence(fenced);
	*tx = (struct ivshm_tx){ .c = c, .size = bytes_in(len), .fenced = fenced };
}

bool ivshm_rx_open(struct ivshm_rx *rx, void *memory, size_t len, uint64_t sign, bool fenced)
{
	struct ivshm_channel *c = memory;

	if (len < sizeof(*c) || __atomic_load_n(&c->sign, __ATOMIC_ACQUIRE) != sign)
		return false;
	*rx = (struct ivshm_rx){ .c = c, .size = bytes_in(len), .fenced = fenced };
	return true;
}

bool ivshm_tx_refresh(struct ivshm_tx *tx)
{
	uint32_t consumed = __atomic_load_n(&tx->c->consumed, __ATOMIC_ACQUIRE);

	if (tx->broken || consumed - tx->consumed > tx->sent - tx->consumed) {
		tx->broken = true;
		return false;
	}
	if (consumed != tx->consumed)
		tx->tail = tx->ends[(consumed - 1) % IVSHM_CELLS];
	tx->consumed = consumed;
	return true;
}
