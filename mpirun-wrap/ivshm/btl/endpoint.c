// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/btl/btl.h"

#include <errno.h>
#include <stdlib.h>

#include <opal/util/output.h>

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

static void receive_from(struct mca_btl_base_endpoint_t *e, struct ivshm_run pair)
{
	struct ivshm_region *r = &IVSHM.region;
	struct ivshm_run run = ivshm_half(r, e->slot, pair, false);

	if (e->receives || e->failed)
		return;
	if (!ivshm_rx_open(&e->rx, ivshm_run_at(r, run), (size_t)run.n * IVSHM_CHUNK,
			   sign(e->slot, e->generation, r->mine.slot, r->mine.generation), r->fenced)) {
		ivshm_endpoint_fail(e, "offered a channel that is none");
		return;
	}
	e->receives = true;
	IVSHM.receiving[IVSHM.n_receiving++] = e;
}

static void open_half(struct ivshm_tx *tx, uint32_t from, uint32_t from_generation, uint32_t to, uint32_t to_generation,
		      struct ivshm_run run)
{
	const struct ivshm_region *r = &IVSHM.region;

	ivshm_tx_open(tx, ivshm_run_at(r, run), (size_t)run.n * IVSHM_CHUNK, sign(from, from_generation, to, to_generation),
		      r->fenced);
}

/* Both channels are made before the peer learns of them: it may read at once. */
static struct ivshm_run propose(const struct mca_btl_base_endpoint_t *e)
{
	struct ivshm_region *r = &IVSHM.region;
	struct ivshm_run run = { 0 };
	struct ivshm_tx tx;
	int err;

	if (!IVSHM.channel_chunks)
		IVSHM.channel_chunks = channel_chunks();
	err = ivshm_claim(r, 2 * IVSHM.channel_chunks, &run);
	if (err == -ENOSPC && IVSHM.channel_chunks > 1)
		err = ivshm_claim(r, 2, &run);
	if (err < 0)
		return (struct ivshm_run){ 0 };
	open_half(&tx, r->mine.slot, r->mine.generation, e->slot, e->generation, ivshm_half(r, e->slot, run, true));
	open_half(&tx, e->slot, e->generation, r->mine.slot, r->mine.generation, ivshm_half(r, e->slot, run, false));
	return run;
}

int ivshm_endpoint_open(struct mca_btl_base_endpoint_t *e)
{
	struct ivshm_region *r = &IVSHM.region;
	struct ivshm_run run;

	if (e->sends)
		return 0;
	if (!ivshm_settled(r, e->slot, e->generation, &run)) {
		run = propose(e);
		ivshm_settle(r, e->slot, e->generation, &run);
	}
	if (run.n == 0)
		return -ENOSPC;
	open_half(&e->tx, r->mine.slot, r->mine.generation, e->slot, e->generation, ivshm_half(r, e->slot, run, true));
	e->sends = true;
	receive_from(e, run);
	return 0;
}

void ivshm_endpoints_knocked(void)
{
	const struct ivshm_region *r = &IVSHM.region;
	uint32_t generation;
	struct ivshm_run run;

	for (uint32_t i = 0; i < r->n_slots; i++) {
		struct mca_btl_base_endpoint_t *e = NULL;

		if (i != r->mine.slot && ivshm_slot_is_peer(r, i, &generation) && ivshm_settled(r, i, generation, &run) && run.n)
			e = ivshm_endpoint(i, generation);
		if (e)
			receive_from(e, run);
	}
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
