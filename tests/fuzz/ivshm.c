// SPDX-License-Identifier: Apache-2.0
/* All that a process reads from the region that VMs share: its tables, and channels both
 * ways, over and over with the input's bytes in them. */
#include <sys/mman.h>
#include "mpirun-wrap/ivshm/core/core.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE = 2 << 20, CHANNEL = IVSHM_CHUNK };

static bool is_alive(pid_t pid, uint64_t started)
{
	return (pid ^ (pid_t)started) & 1;
}

static void try_region(uint8_t *memory, const uint8_t *data, size_t size)
{
	const struct ivshm_self me = { .machine = data[0], .started = 7, .job = data[1], .pid = data[2], .alive = is_alive };
	struct ivshm_address peer = { .size = SIZE };
	struct ivshm_region r;
	struct ivshm_run run;
	uint32_t generation;

	if (ivshm_open(&r, memory, SIZE, false) < 0 || ivshm_join(&r, &me) < 0)
		return;
	memcpy(&peer.slot, data, 4);
	ivshm_find(&r, &peer);
	memcpy(&r.pairs[(uint64_t)r.mine.slot * r.n_slots], data, size < 512 ? size : 512);
	for (uint32_t i = 0; i < r.n_slots; i++)
		if (ivshm_slot_is_peer(&r, i, &generation) && ivshm_settled(&r, i, generation, &run))
			FUZZ_ASSERT(ivshm_run_at(&r, run) + (size_t)run.n * IVSHM_CHUNK <= memory + SIZE);
	if (ivshm_claim(&r, 1 + data[3] % 8, &run) == 0)
		FUZZ_ASSERT(ivshm_run_at(&r, run) + (size_t)run.n * IVSHM_CHUNK <= memory + SIZE);
	ivshm_leave(&r);
}

static void try_channel(uint8_t *memory, const uint8_t *data, size_t size)
{
	struct ivshm_channel *c = (void *)memory;
	struct ivshm_message m;
	struct ivshm_tx tx;
	struct ivshm_rx rx;
	uint8_t *to;

	ivshm_tx_open(&tx, memory, CHANNEL, 1, false);
	FUZZ_ASSERT(ivshm_rx_open(&rx, memory, CHANNEL, 1, false));
	for (; size >= 16; data += 16, size -= 16) {
		struct ivshm_cell *cell = &c->cells[rx.next % IVSHM_CELLS];

		memcpy(cell, data, 12);
		if (data[14] & 1)
			memcpy(&cell->ready, &(uint32_t){ rx.next + 1 }, 4);
		memcpy(&c->consumed, data + 12, 2);
		if (ivshm_rx_peek(&rx, &m) > 0) {
			FUZZ_ASSERT((const uint8_t *)m.data >= memory && (const uint8_t *)m.data + m.len <= memory + CHANNEL);
			ivshm_rx_done(&rx);
		}
		to = ivshm_tx_reserve(&tx, data[15] * 64u);
		if (to) {
			FUZZ_ASSERT(to >= memory && to + data[15] * 64u <= memory + CHANNEL);
			ivshm_tx_commit(&tx, data[15] * 64u, data[14]);
		}
	}
}

static void copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

/* A peer's asks and pieces, often with the numbers that are right. */
static void try_stream(uint8_t *memory, const uint8_t *data, size_t size)
{
	static uint8_t offered[4096], wanted[1000];
	struct ivshm_window window = { offered, sizeof(offered) };
	struct ivshm_pull pull = { .peer = memory, .to = wanted, .len = sizeof(wanted) };
	struct ivshm_table windows = { 0 }, pulls = { 0 };
	const uint64_t w = ivshm_table_add(&windows, &window), p = ivshm_table_add(&pulls, &pull);
	struct ivshm_message m = { .data = memory };
	struct ivshm_feed feed;
	struct ivshm_tx tx;

	for (; size >= 40; data += 40, size -= 40) {
		struct ivshm_ask ask;
		struct ivshm_piece_head head = { 0 };

		ivshm_tx_open(&tx, memory + CHANNEL, CHANNEL, 1, false);
		memcpy(&ask, data, sizeof(ask));
		ask.window ^= data[32] & 1 ? 0 : ask.window ^ w;
		ask.address += data[32] & 2 ? 0 : (uintptr_t)offered;
		memcpy(memory, &ask, sizeof(ask));
		m.len = data[32] & 4 ? data[33] : sizeof(ask);
		if (ivshm_feed_open(&windows, &m, &feed)) {
			FUZZ_ASSERT(feed.at <= sizeof(offered) && feed.len <= sizeof(offered) - feed.at);
			ivshm_feed_send(&feed, &windows, &tx, copy, data[34] * 16u);
		}
		memcpy(&head, data, 16);
		head.pull = data[32] & 8 ? head.pull : p;
		head.at = data[32] & 16 ? head.at : pull.got;
		memcpy(memory, &head, sizeof(head));
		m.len = data[35] * (data[32] & 32 ? 64u : 1u);
		ivshm_pull_take(&pulls, memory, &m, copy);
		FUZZ_ASSERT(pull.got <= pull.len);
	}
	ivshm_table_clear(&windows);
	ivshm_table_clear(&pulls);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *memory;

	if (!memory)
		memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || size < 16)
		return 0;
	memset(memory, 0, 256 << 10);
	memcpy(memory + 4096, data, size);
	try_region(memory, data, size);
	try_channel(memory, data, size);
	try_stream(memory, data, size);
	return 0;
}
