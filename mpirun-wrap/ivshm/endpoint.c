// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/btl.h"

#include <errno.h>
#include <stdlib.h>

#include <opal/util/output.h>

#define IVSHM mca_btl_ivshm_component

struct mca_btl_base_endpoint_t *ivshm_endpoint(uint32_t slot, uint32_t generation)
{
	struct mca_btl_base_endpoint_t *e = IVSHM.by_slot[slot];

	if (e && e->generation == generation)
		return e;
	if (IVSHM.n_all == IVSHM.region.n_slots * 2)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	OBJ_CONSTRUCT(&e->pending, opal_list_t);
	OBJ_CONSTRUCT(&e->feeds, opal_list_t);
	e->slot = slot;
	e->generation = generation;
	e->rank = __atomic_load_n(&IVSHM.region.slots[slot].rank, __ATOMIC_RELAXED);
	IVSHM.by_slot[slot] = e;
	IVSHM.all[IVSHM.n_all++] = e;
	return e;
}

/* A channel's sign: who sends to whom, each with its generation. */
static uint64_t sign(uint32_t from, uint32_t from_generation, uint32_t to, uint32_t to_generation)
{
	return (uint64_t)from << 48 | (uint64_t)from_generation << 32 | (uint64_t)to << 16 | to_generation | 1ull << 63;
}

/* Half the region for this job, the rest for those beside it. */
static uint32_t channel_chunks(void)
{
	const struct ivshm_region *r = &IVSHM.region;
	uint32_t ranks = 0, generation, n;

	for (uint32_t i = 0; i < r->n_slots; i++)
		ranks += ivshm_slot_is_peer(r, i, &generation);
	n = ranks > 1 ? (uint32_t)(r->n_chunks / 2 / ((uint64_t)ranks * (ranks - 1))) : MAX_CHANNEL_CHUNKS;
	return n < 1 ? 1 : n > MAX_CHANNEL_CHUNKS ? MAX_CHANNEL_CHUNKS : n;
}

int ivshm_endpoint_open(struct mca_btl_base_endpoint_t *e)
{
	struct ivshm_region *r = &IVSHM.region;
	struct ivshm_run run;
	int err;

	if (e->sends)
		return 0;
	if (!IVSHM.channel_chunks)
		IVSHM.channel_chunks = channel_chunks();
	err = ivshm_claim(r, IVSHM.channel_chunks, &run);
	if (err == -ENOSPC && IVSHM.channel_chunks > 1)
		err = ivshm_claim(r, 1, &run);
	if (err < 0)
		return err;
	ivshm_tx_open(&e->tx, ivshm_run_at(r, run), (size_t)run.n * IVSHM_CHUNK,
		      sign(r->mine.slot, r->mine.generation, e->slot, e->generation), r->fenced);
	ivshm_announce(r, e->slot, e->generation, run);
	e->sends = true;
	return 0;
}

static void receive_from(uint32_t slot, uint32_t generation, struct ivshm_run run)
{
	struct ivshm_region *r = &IVSHM.region;
	struct mca_btl_base_endpoint_t *e = ivshm_endpoint(slot, generation);

	if (!e || e->receives || e->failed)
		return;
	if (!ivshm_rx_open(&e->rx, ivshm_run_at(r, run), (size_t)run.n * IVSHM_CHUNK,
			   sign(slot, generation, r->mine.slot, r->mine.generation), r->fenced)) {
		ivshm_endpoint_fail(e, "announced a channel that is none");
		return;
	}
	e->receives = true;
	IVSHM.receiving[IVSHM.n_receiving++] = e;
}

void ivshm_endpoints_knocked(void)
{
	const struct ivshm_region *r = &IVSHM.region;
	uint32_t generation;
	struct ivshm_run run;

	for (uint32_t i = 0; i < r->n_slots; i++)
		if (i != r->mine.slot && ivshm_slot_is_peer(r, i, &generation) &&
		    ivshm_announced(r, i, generation, &run))
			receive_from(i, generation, run);
}

void ivshm_endpoint_fail(struct mca_btl_base_endpoint_t *e, const char *what)
{
	if (e->failed)
		return;
	e->failed = true;
	opal_output(0, "btl ivshm: rank %u (slot %u of the shared region) %s; the job cannot go on", e->rank, e->slot,
		    what);
	if (mca_btl_ivshm.on_error)
		mca_btl_ivshm.on_error(&mca_btl_ivshm.super, MCA_BTL_ERROR_FLAGS_FATAL, e->proc,
				       (char *)"shared memory between VMs");
}

void ivshm_endpoints_free(void)
{
	for (uint32_t i = 0; i < IVSHM.n_all; i++) {
		OBJ_DESTRUCT(&IVSHM.all[i]->pending);
		OPAL_LIST_DESTRUCT(&IVSHM.all[i]->feeds);
		free(IVSHM.all[i]);
	}
	ivshm_table_clear(&IVSHM.windows);
	ivshm_table_clear(&IVSHM.pulls);
	free(IVSHM.all);
	free(IVSHM.by_slot);
	free(IVSHM.receiving);
	IVSHM.all = IVSHM.by_slot = IVSHM.receiving = NULL;
	IVSHM.n_all = IVSHM.n_receiving = 0;
}
