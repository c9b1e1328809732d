// SPDX-License-Identifier: Apache-2.0
/* The region shared between VMs: parts, channels, and neighbours that die or lie. Run
 * under ThreadSanitizer too (make tsan). */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/cleanup.h"
#include "lib/region.h"
#include "mpirun-wrap/ivshm/core/core.h"
#include "tests/unit/unit.h"

enum { SIZE = 8 << 20, CHANNEL = 3 * IVSHM_CHUNK };

static pid_t the_dead[8];

struct memory { void *at; size_t size; };

static void memory_clear(struct memory *m)
{
	munmap(m->at, m->size);
}

static struct memory shared(size_t size)
{
	struct memory m = { mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), size };

	ck_assert(m.at != MAP_FAILED);
	memset(the_dead, 0, sizeof(the_dead));
	return m;
}
#define autoshared vh_cleanup(memory_clear) struct memory

/* --- processes of the tests: pids from 1000 on, those in the list are dead */

static bool is_alive(pid_t pid, uint64_t started)
{
	(void)started;
	for (size_t i = 0; i < vh_array_len(the_dead); i++)
		if (the_dead[i] == pid)
			return false;
	return true;
}

static struct ivshm_self self(uint64_t machine, uint64_t job, pid_t pid)
{
	return (struct ivshm_self){ .machine = machine, .started = 7, .job = job, .rank = (uint32_t)pid - 1000,
				    .pid = pid, .alive = is_alive };
}

static void join(struct ivshm_region *r, const struct memory *m, uint64_t machine, uint64_t job, pid_t pid)
{
	const struct ivshm_self me = self(machine, job, pid);

	ck_assert_int_eq(ivshm_open(r, m->at, m->size, false), 0);
	ck_assert_int_eq(ivshm_join(r, &me), 0);
}

START_TEST(takes_no_memory_of_another_layout)
{
	autoshared m = shared(SIZE);
	struct ivshm_region r;
	uint64_t *words = m.at;

	ck_assert_int_eq(ivshm_open(&r, m.at, 4096, false), -EINVAL);
	ck_assert_int_eq(ivshm_open(&r, m.at, SIZE, false), 0);
	ck_assert_int_eq(ivshm_open(&r, m.at, SIZE / 2, false), -EBADMSG);
	words[0] ^= 1;
	ck_assert_int_eq(ivshm_open(&r, m.at, SIZE, false), -EBADMSG);
}
END_TEST

START_TEST(sizes_by_ranks)
{
	static const struct { uint64_t ranks, size; } sizes[] = {
		{ 0, 16 << 20 }, { 1, 16 << 20 }, { 2, 16 << 20 }, { 6, 16 << 20 }, { 7, 32 << 20 }, { 16, 128 << 20 },
		{ 23, 256 << 20 }, { 24, 512 << 20 }, { 64, 2ull << 30 }, { 65, 4ull << 30 }, { 1000000, 4ull << 30 },
	};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		ck_assert_uint_eq(vh_region_size(sizes[i].ranks), sizes[i].size);
}
END_TEST

/* Beside its tables, for all pairs of two jobs: also where the size has nothing to spare. */
START_TEST(sizes_hold_the_channels_of_two_jobs)
{
	for (uint64_t ranks = 2; ranks <= 32; ranks++) {
		autoshared m = shared(vh_region_size(ranks));
		struct ivshm_region r;

		ck_assert_int_eq(ivshm_open(&r, m.at, m.size, false), 0);
		ck_assert_uint_ge((uint64_t)r.n_chunks * IVSHM_CHUNK / (2 * ranks * (ranks - 1)), VH_REGION_CHANNEL);
		ck_assert_uint_ge(r.n_slots, 2 * ranks);
	}
}
END_TEST

START_TEST(finds_those_in_the_same_memory)
{
	autoshared m = shared(SIZE), other_memory = shared(SIZE);
	struct ivshm_region a, b, elsewhere, other_job;
	struct ivshm_address address;

	join(&a, &m, 1, 5, 1001);
	join(&b, &m, 2, 5, 1002);
	join(&other_job, &m, 2, 6, 1003);
	join(&elsewhere, &other_memory, 2, 5, 1004);
	ck_assert_int_eq(ivshm_find(&a, &b.mine), 0);
	ck_assert_int_eq(ivshm_find(&b, &a.mine), 0);
	ck_assert_int_eq(ivshm_find(&a, &elsewhere.mine), -EXDEV);
	ck_assert_int_eq(ivshm_find(&a, &other_job.mine), -EACCES);
	address = b.mine;
	address.slot = 1 << 30;
	ck_assert_int_eq(ivshm_find(&a, &address), -EINVAL);
	address = b.mine;
	address.size *= 2;
	ck_assert_int_eq(ivshm_find(&a, &address), -EXDEV);
	address = b.mine;
	ivshm_leave(&b);
	ck_assert_int_eq(ivshm_find(&a, &address), -EXDEV);
}
END_TEST

START_TEST(settles_a_pair_once)
{
	autoshared m = shared(SIZE);
	struct ivshm_region a, b;
	struct ivshm_run run, got, late;
	uint32_t generation, knocks, free_before;

	join(&a, &m, 1, 5, 1001);
	join(&b, &m, 2, 5, 1002);
	knocks = ivshm_knocks(&b);
	free_before = ivshm_free_chunks(&b);
	ck_assert_int_eq(ivshm_claim(&a, 4, &run), 0);
	ck_assert(!ivshm_settled(&b, a.mine.slot, a.mine.generation, &got));
	ivshm_settle(&a, b.mine.slot, b.mine.generation, &run);
	ck_assert_uint_ne(ivshm_knocks(&b), knocks);
	ck_assert(ivshm_slot_is_peer(&b, a.mine.slot, &generation));
	ck_assert(ivshm_settled(&b, a.mine.slot, generation, &got));
	ck_assert(got.first == run.first && got.n == 4);
	ck_assert(!ivshm_settled(&b, a.mine.slot, generation + 1, &got));
	ck_assert(!ivshm_slot_is_peer(&b, UINT32_MAX, &generation));
	/* Who comes second gets the first one's, and keeps nothing. */
	ck_assert_int_eq(ivshm_claim(&b, 2, &late), 0);
	ivshm_settle(&b, a.mine.slot, a.mine.generation, &late);
	ck_assert(late.first == run.first && late.n == 4);
	ck_assert_uint_eq(ivshm_free_chunks(&b), free_before - 4);
	/* The one's own half is the other's of the peer. */
	got = ivshm_half(&a, b.mine.slot, run, true);
	late = ivshm_half(&b, a.mine.slot, run, false);
	ck_assert(got.first == late.first && got.n == 2 && late.n == 2);
	ck_assert_uint_ne(ivshm_half(&b, a.mine.slot, run, true).first, got.first);
	/* What another wrote there leads out of the region. */
	b.pairs[(uint64_t)a.mine.slot * b.n_slots + b.mine.slot] |= 0xfffffffull << 36;
	ck_assert(ivshm_settled(&b, a.mine.slot, a.mine.generation, &got));
	ck_assert_uint_eq(got.n, 0);
}
END_TEST

START_TEST(settles_that_there_is_no_room)
{
	autoshared m = shared(SIZE);
	struct ivshm_region a, b;
	struct ivshm_run none = { 0 }, run;

	join(&a, &m, 1, 5, 1001);
	join(&b, &m, 2, 5, 1002);
	ivshm_settle(&b, a.mine.slot, a.mine.generation, &none);
	ck_assert_int_eq(ivshm_claim(&a, 4, &run), 0);
	ivshm_settle(&a, b.mine.slot, b.mine.generation, &run);
	ck_assert_uint_eq(run.n, 0);
	ck_assert_uint_eq(ivshm_free_chunks(&a), a.n_chunks);
}
END_TEST

struct settler { struct ivshm_region r; uint32_t peer, generation; struct ivshm_run run; };

static void *settle_now(void *arg)
{
	struct settler *s = arg;

	if (ivshm_claim(&s->r, 2, &s->run) == 0)
		ivshm_settle(&s->r, s->peer, s->generation, &s->run);
	return NULL;
}

START_TEST(settles_the_same_for_both)
{
	autoshared m = shared(SIZE);
	static struct settler s[2];
	pthread_t t[2];

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 2; i++)
			join(&s[i].r, &m, (uint64_t)i, 5, 1001 + i);
		for (int i = 0; i < 2; i++) {
			s[i].peer = s[!i].r.mine.slot;
			s[i].generation = s[!i].r.mine.generation;
			ck_assert_int_eq(pthread_create(&t[i], NULL, settle_now, &s[i]), 0);
		}
		for (int i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		ck_assert(s[0].run.first == s[1].run.first && s[0].run.n == 2 && s[1].run.n == 2);
		ck_assert_uint_eq(ivshm_free_chunks(&s[0].r), s[0].r.n_chunks - 2);
		for (int i = 0; i < 2; i++)
			ivshm_leave(&s[i].r);
		ck_assert_uint_eq(ivshm_free_chunks(&s[0].r), s[0].r.n_chunks);
	}
}
END_TEST

START_TEST(frees_a_job_only_after_its_last_process)
{
	autoshared m = shared(SIZE);
	struct ivshm_region a, b, c;
	struct ivshm_run run;
	uint32_t free_before;

	join(&a, &m, 1, 5, 1001);
	join(&b, &m, 1, 5, 1002);
	free_before = ivshm_free_chunks(&a);
	ck_assert_int_eq(ivshm_claim(&a, 4, &run), 0);
	ck_assert_int_eq(ivshm_claim(&b, 4, &run), 0);
	the_dead[0] = 1001;
	join(&c, &m, 1, 6, 1003);	/* looks after the dead; b still may write to a */
	ck_assert_uint_eq(ivshm_free_chunks(&c), free_before - 8);
	ivshm_leave(&b);
	ck_assert_uint_eq(ivshm_free_chunks(&c), free_before);
	ivshm_leave(&c);
}
END_TEST

START_TEST(judges_no_process_of_another_machine)
{
	autoshared m = shared(SIZE);
	struct ivshm_region a, b;
	struct ivshm_run run;
	uint32_t free_before;

	join(&a, &m, 1, 5, 1001);
	free_before = ivshm_free_chunks(&a);
	ck_assert_int_eq(ivshm_claim(&a, 4, &run), 0);
	the_dead[0] = 1001;
	join(&b, &m, 2, 6, 1002);
	ck_assert_uint_eq(ivshm_free_chunks(&b), free_before - 4);
	join(&b, &m, 1, 6, 1003);
	ck_assert_uint_eq(ivshm_free_chunks(&b), free_before);
}
END_TEST

START_TEST(is_full_and_says_so)
{
	autoshared m = shared(SIZE);
	struct ivshm_region r, first;
	struct ivshm_self me = self(1, 5, 1001);
	struct ivshm_run run;
	uint32_t n = 0;

	join(&first, &m, 1, 5, 1000);
	while (ivshm_claim(&first, 5, &run) == 0)
		n++;
	ck_assert_uint_eq(n, first.n_chunks / 5);
	ck_assert_int_eq(ivshm_claim(&first, 0, &run), -EINVAL);
	ck_assert_int_eq(ivshm_open(&r, m.at, SIZE, false), 0);
	for (uint32_t i = 1; i < r.n_slots; i++)
		ck_assert_int_eq(ivshm_join(&r, &me), 0);
	ck_assert_int_eq(ivshm_join(&r, &me), -EUSERS);
}
END_TEST

struct claimer { struct ivshm_region r; struct ivshm_run runs[64]; unsigned n; };

static void *claim_all(void *arg)
{
	struct claimer *c = arg;

	while (c->n < 64 && ivshm_claim(&c->r, 3, &c->runs[c->n]) == 0)
		c->n++;
	return NULL;
}

START_TEST(gives_no_chunk_twice)
{
	autoshared m = shared(SIZE);
	static struct claimer c[4];
	unsigned owners[SIZE / IVSHM_CHUNK] = { 0 };
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		join(&c[i].r, &m, 1, (uint64_t)i, 1000 + i);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, claim_all, &c[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		for (unsigned k = 0; k < c[i].n; k++)
			for (uint32_t chunk = 0; chunk < 3; chunk++)
				ck_assert_uint_eq(owners[c[i].runs[k].first + chunk]++, 0);
	for (int i = 0; i < 4; i++)
		ivshm_leave(&c[i].r);
	ck_assert_uint_eq(ivshm_free_chunks(&c[0].r), c[0].r.n_chunks);
}
END_TEST

/* Threads join and leave at the same time as others bury the dead. */
static void *join_and_leave(void *arg)
{
	const struct memory *m = arg;

	for (int i = 0; i < 50; i++) {
		const struct ivshm_self me = self(1, (uint64_t)i % 3, 1000);
		struct ivshm_region r;
		struct ivshm_run run;

		if (ivshm_open(&r, m->at, m->size, false) == 0 && ivshm_join(&r, &me) == 0) {
			ivshm_claim(&r, 2, &run);
			ivshm_leave(&r);
		}
	}
	return NULL;
}

START_TEST(comes_and_goes_at_the_same_time)
{
	autoshared m = shared(SIZE);
	struct ivshm_region r;
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, join_and_leave, &m), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	join(&r, &m, 1, 9, 1001);
	ck_assert_uint_eq(ivshm_free_chunks(&r), r.n_chunks);
}
END_TEST

/* --- channels */

static uint8_t byte_of(uint32_t message, uint32_t i)
{
	return (uint8_t)(message * 31 + i * 7 + (i >> 8));
}

static uint32_t length_of(uint32_t message)
{
	static const uint32_t lengths[] = { 1, 64, 240, 241, 1000, 4096, 20000, 32768, 3, 100 };

	return lengths[message * 7 % 10] + message % 3;
}

static bool send_one(struct ivshm_tx *tx, uint32_t message)
{
	uint32_t len = length_of(message);
	uint8_t *to = ivshm_tx_reserve(tx, len);

	for (uint32_t i = 0; to && i < len; i++)
		to[i] = byte_of(message, i);
	if (to)
		ivshm_tx_commit(tx, len, (uint8_t)message);
	return to;
}

static bool receive_one(struct ivshm_rx *rx, uint32_t message)
{
	struct ivshm_message m = { 0 };
	int r = ivshm_rx_peek(rx, &m);
	uint32_t wrong = 0;

	ck_assert_int_ge(r, 0);
	if (r == 0)
		return false;
	ck_assert_uint_eq(m.len, length_of(message));
	ck_assert_uint_eq(m.tag, (uint8_t)message);
	for (uint32_t i = 0; i < m.len; i++)
		wrong += ((const uint8_t *)m.data)[i] != byte_of(message, i);
	ck_assert_uint_eq(wrong, 0);
	ivshm_rx_done(rx);
	return true;
}

enum { MESSAGES = 3000 };

static void *send_all(void *arg)
{
	for (uint32_t i = 0; i < MESSAGES; )
		if (send_one(arg, i))
			i++;
		else
			sched_yield();
	return NULL;
}

START_TEST(brings_every_message_whole_and_in_order)
{
	autoshared m = shared(CHANNEL);
	struct ivshm_tx tx;
	struct ivshm_rx rx;
	pthread_t t;

	memset(m.at, 0xff, CHANNEL);	/* left by the last owner */
	ivshm_tx_open(&tx, m.at, CHANNEL, 42, true);
	ck_assert(!ivshm_rx_open(&rx, m.at, CHANNEL, 43, true));
	ck_assert(ivshm_rx_open(&rx, m.at, CHANNEL, 42, true));
	ck_assert_int_eq(pthread_create(&t, NULL, send_all, &tx), 0);
	for (uint32_t i = 0; i < MESSAGES; )
		if (receive_one(&rx, i))
			i++;
		else
			sched_yield();
	pthread_join(t, NULL);
	ck_assert(!tx.broken);
}
END_TEST

START_TEST(waits_when_full)
{
	autoshared m = shared(IVSHM_CHUNK);
	struct ivshm_tx tx;
	struct ivshm_rx rx;
	uint32_t sent = 0;

	ivshm_tx_open(&tx, m.at, m.size, 42, false);
	ck_assert(ivshm_rx_open(&rx, m.at, m.size, 42, false));
	ck_assert_ptr_null(ivshm_tx_reserve(&tx, IVSHM_MAX_MESSAGE));
	while (send_one(&tx, sent))
		sent++;
	ck_assert_uint_lt(sent, IVSHM_CELLS);
	for (uint32_t i = 0; i < sent; i++)
		ck_assert(receive_one(&rx, i));
	ck_assert(!receive_one(&rx, sent));
	ck_assert(send_one(&tx, sent));
}
END_TEST

/* A message that was written over must not be waited for. */
START_TEST(knows_a_cell_that_is_none)
{
	autoshared m = shared(CHANNEL);
	struct ivshm_message message;
	struct ivshm_tx tx;
	struct ivshm_rx rx;

	ivshm_tx_open(&tx, m.at, CHANNEL, 42, false);
	ck_assert(ivshm_rx_open(&rx, m.at, CHANNEL, 42, false));
	for (uint32_t i = 0; i < 3 * IVSHM_CELLS; i++) {
		ck_assert_int_eq(ivshm_rx_peek(&rx, &message), 0);
		__atomic_store_n(&rx.c->cells[i % IVSHM_CELLS].ready, 0x123456789, __ATOMIC_RELEASE);
		ck_assert_int_eq(ivshm_rx_peek(&rx, &message), -1);
		ck_assert(send_one(&tx, i));
		ck_assert(receive_one(&rx, i));
	}
}
END_TEST

static uint64_t random_state = 88172645463325252;

static uint64_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	/* Often small, and often what would be right. */
	return random_state % 3 ? random_state : random_state >> 58;
}

/* What the receiver is handed stays in the channel, and a sender that is told nonsense
 * writes nowhere else: the pages beside it cannot be touched. */
START_TEST(outlives_a_hostile_peer)
{
	size_t guard = 1 << 20;
	uint8_t *all = mmap(NULL, CHANNEL + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at = all + guard;

	ck_assert(all != MAP_FAILED);
	ck_assert_int_eq(mprotect(at, CHANNEL, PROT_READ | PROT_WRITE), 0);
	for (unsigned round = 0; round < 300; round++) {
		struct ivshm_tx tx;
		struct ivshm_rx rx;

		ivshm_tx_open(&tx, at, CHANNEL, 42, false);
		ck_assert(ivshm_rx_open(&rx, at, CHANNEL, 42, false));
		for (unsigned i = 0; i < 200; i++) {
			struct ivshm_cell *cell = &rx.c->cells[rx.next % IVSHM_CELLS];
			struct ivshm_message m;

			__atomic_store_n(&tx.c->consumed, (uint32_t)random_word(), __ATOMIC_RELAXED);
			__atomic_store_n(&cell->at, (uint32_t)random_word(), __ATOMIC_RELAXED);
			__atomic_store_n(&cell->ready, random_word() << 32 | (rx.next + 1), __ATOMIC_RELAXED);
			if (ivshm_rx_peek(&rx, &m) > 0) {
				ck_assert((const uint8_t *)m.data >= at &&
					  (const uint8_t *)m.data + m.len <= at + CHANNEL);
				ivshm_rx_done(&rx);
			}
			send_one(&tx, i);
		}
	}
	munmap(all, CHANNEL + 2 * guard);
}
END_TEST

START_TEST(outlives_a_region_of_random_words)
{
	autoshared m = shared(IVSHM_MIN_SIZE * 2);
	uint64_t *words = m.at;

	for (unsigned round = 0; round < 200; round++) {
		struct ivshm_self me = self(round & 1 ? 1 : random_word(), random_word() & 3, 1000);
		struct ivshm_address address = { .size = m.size, .slot = (uint32_t)random_word(), .job = 1 };
		struct ivshm_region r;
		struct ivshm_run run;
		uint32_t generation;

		for (size_t i = 2; i < m.size / 8; i += 1 + (random_word() & 15))
			words[i] = random_word();
		if (ivshm_open(&r, m.at, m.size, false) < 0 || ivshm_join(&r, &me) < 0) {
			memset(m.at, 0, m.size);
			continue;
		}
		ivshm_find(&r, &address);
		for (uint32_t i = 0; i < r.n_slots; i++)
			if (ivshm_slot_is_peer(&r, i, &generation) && ivshm_settled(&r, i, generation, &run))
				ck_assert(ivshm_run_at(&r, run) + (size_t)run.n * IVSHM_CHUNK <= (uint8_t *)m.at + m.size);
		ivshm_claim(&r, 1 + (uint32_t)round % 4, &run);
		ivshm_leave(&r);
	}
}
END_TEST

/* --- long messages */

START_TEST(numbers_are_never_given_twice)
{
	struct ivshm_table t = { 0 };
	uint64_t numbers[100], again;
	int item[100];

	ck_assert_ptr_null(ivshm_table_get(&t, 0));
	for (int i = 0; i < 100; i++)
		ck_assert_uint_ne(numbers[i] = ivshm_table_add(&t, &item[i]), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_eq(ivshm_table_get(&t, numbers[i]), &item[i]);
	ivshm_table_drop(&t, numbers[7]);
	ivshm_table_drop(&t, numbers[7]);
	ck_assert_ptr_null(ivshm_table_get(&t, numbers[7]));
	again = ivshm_table_add(&t, &item[7]);
	ck_assert_uint_eq((uint32_t)again, (uint32_t)numbers[7]);
	ck_assert_uint_ne(again, numbers[7]);
	ck_assert_ptr_null(ivshm_table_get(&t, numbers[7]));
	ck_assert_ptr_null(ivshm_table_get(&t, UINT64_MAX));
	ivshm_table_clear(&t);
	ck_assert_ptr_null(ivshm_table_get(&t, again));
}
END_TEST

static void plain_copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

enum { LONG = 1 << 20 };

struct streamer { struct ivshm_table windows; struct ivshm_tx tx; struct ivshm_rx rx; bool ended_well; };

/* Answers one ask, as a sender does. */
static void *stream_out(void *arg)
{
	struct streamer *s = arg;
	struct ivshm_message m;
	struct ivshm_feed f;
	int r;

	while (ivshm_rx_peek(&s->rx, &m) == 0)
		sched_yield();
	if (m.tag != IVSHM_TAG_ASK || !ivshm_feed_open(&s->windows, &m, &f))
		return NULL;
	ivshm_rx_done(&s->rx);
	while ((r = ivshm_feed_send(&f, &s->windows, &s->tx, plain_copy, 16384)) == 0)
		sched_yield();
	s->ended_well = r > 0;
	return NULL;
}

static void say(struct ivshm_tx *tx, const void *what, uint32_t len, uint8_t tag)
{
	void *to = ivshm_tx_reserve(tx, len);

	ck_assert_ptr_nonnull(to);
	memcpy(to, what, len);
	ivshm_tx_commit(tx, len, tag);
}

START_TEST(streams_a_long_message)
{
	autoshared m = shared(2 * CHANNEL);
	uint8_t *there = (uint8_t *)m.at + CHANNEL, *from = malloc(LONG), *to = malloc(LONG + 1);
	static struct streamer s;
	struct ivshm_window w = { from, LONG };
	struct ivshm_pull pull = { .peer = &s, .to = to, .len = LONG - 77 }, *got = NULL;
	struct ivshm_table pulls = { 0 };
	struct ivshm_ask ask;
	struct ivshm_message message;
	struct ivshm_tx tx;
	struct ivshm_rx rx;
	pthread_t t;

	ck_assert(from && to);
	for (uint32_t i = 0; i < LONG; i++)
		from[i] = byte_of(3, i);
	to[LONG - 77] = 0x55;
	ivshm_tx_open(&tx, m.at, CHANNEL, 1, false);
	ivshm_tx_open(&s.tx, there, CHANNEL, 2, false);
	ck_assert(ivshm_rx_open(&s.rx, m.at, CHANNEL, 1, false) && ivshm_rx_open(&rx, there, CHANNEL, 2, false));
	ask = (struct ivshm_ask){ ivshm_table_add(&s.windows, &w), (uintptr_t)from + 77, LONG - 77,
				  ivshm_table_add(&pulls, &pull) };
	ck_assert_int_eq(pthread_create(&t, NULL, stream_out, &s), 0);
	say(&tx, &ask, sizeof(ask), IVSHM_TAG_ASK);
	while (pull.got < pull.len) {
		int r = ivshm_rx_peek(&rx, &message);

		ck_assert_int_ge(r, 0);
		if (r == 0) {
			sched_yield();
			continue;
		}
		got = ivshm_pull_take(&pulls, &s, &message, plain_copy);
		ck_assert_ptr_eq(got, &pull);
		ivshm_rx_done(&rx);
	}
	pthread_join(t, NULL);
	ck_assert(s.ended_well);
	ck_assert(!memcmp(to, from + 77, LONG - 77));
	ck_assert_uint_eq(to[LONG - 77], 0x55);
	ivshm_table_clear(&s.windows);
	ivshm_table_clear(&pulls);
	free(from);
	free(to);
}
END_TEST

START_TEST(gives_no_more_than_was_offered)
{
	uint8_t memory[1000] = { 0 };
	struct ivshm_window w = { memory, sizeof(memory) };
	struct ivshm_table windows = { 0 };
	const uint64_t at = (uintptr_t)memory, number = ivshm_table_add(&windows, &w);
	const struct { struct ivshm_ask ask; bool right; } cases[] = {
		{ { number, at, 1000, 1 }, true }, { { number, at + 999, 1, 1 }, true },
		{ { number, at, 1001, 1 }, false }, { { number, at - 1, 10, 1 }, false },
		{ { number, at + 1000, 1, 1 }, false }, { { number, at + 1, UINT64_MAX, 1 }, false },
		{ { number, at, 0, 1 }, false }, { { number + 1, at, 1, 1 }, false }, { { 0, at, 1, 1 }, false },
	};
	struct ivshm_feed f;

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		const struct ivshm_message m = { &cases[i].ask, sizeof(cases[i].ask), IVSHM_TAG_ASK };

		ck_assert_msg(ivshm_feed_open(&windows, &m, &f) == cases[i].right, "case %zu", i);
	}
	ck_assert(!ivshm_feed_open(&windows, &(struct ivshm_message){ &cases[0].ask, 8, IVSHM_TAG_ASK }, &f));
	ivshm_table_clear(&windows);
}
END_TEST

START_TEST(takes_no_piece_that_it_did_not_ask_for)
{
	struct { struct ivshm_piece_head head; uint8_t bytes[104]; } piece = { .bytes = "text" };
	uint8_t to[150] = { 0 };
	struct ivshm_pull pull = { .peer = to, .to = to, .len = 104 };
	struct ivshm_table pulls = { 0 };
	struct ivshm_message m = { &piece, sizeof(piece), IVSHM_TAG_PIECE };

	piece.head.pull = ivshm_table_add(&pulls, &pull);
	ck_assert_ptr_null(ivshm_pull_take(&pulls, &m, &m, plain_copy));		/* another peer's */
	piece.head.at = 1;
	ck_assert_ptr_null(ivshm_pull_take(&pulls, to, &m, plain_copy));		/* out of order */
	piece.head.at = 0;
	pull.len = 103;
	ck_assert_ptr_null(ivshm_pull_take(&pulls, to, &m, plain_copy));		/* too long */
	pull.len = 104;
	m.len = sizeof(piece.head);
	ck_assert_ptr_null(ivshm_pull_take(&pulls, to, &m, plain_copy));		/* of no bytes */
	m.len = 3;
	ck_assert_ptr_null(ivshm_pull_take(&pulls, to, &m, plain_copy));
	ck_assert(!*to);
	m.len = sizeof(piece);
	ck_assert_ptr_eq(ivshm_pull_take(&pulls, to, &m, plain_copy), &pull);
	ck_assert_str_eq((char *)to, "text");
	ck_assert_ptr_null(ivshm_pull_take(&pulls, to, &m, plain_copy));		/* once more */
	ivshm_table_clear(&pulls);
}
END_TEST

START_TEST(ends_a_stream_whose_window_was_closed)
{
	autoshared m = shared(CHANNEL);
	uint8_t memory[100000] = { 0 };
	struct ivshm_window w = { memory, sizeof(memory) };
	struct ivshm_table windows = { 0 };
	const struct ivshm_ask ask = { ivshm_table_add(&windows, &w), (uintptr_t)memory, sizeof(memory), 1 };
	struct ivshm_tx tx;
	struct ivshm_feed f;

	ivshm_tx_open(&tx, m.at, CHANNEL, 1, false);
	ck_assert(ivshm_feed_open(&windows, &(struct ivshm_message){ &ask, sizeof(ask), IVSHM_TAG_ASK }, &f));
	/* Room for a few pieces only: nobody reads. */
	ck_assert_int_eq(ivshm_feed_send(&f, &windows, &tx, plain_copy, 4096), 0);
	ck_assert_uint_eq(f.sent, IVSHM_IN_FLIGHT * 4096);
	__atomic_store_n(&tx.c->consumed, tx.sent, __ATOMIC_RELEASE);
	ivshm_table_drop(&windows, ask.window);
	ck_assert_int_eq(ivshm_feed_send(&f, &windows, &tx, plain_copy, 4096), -1);
	ivshm_table_clear(&windows);
}
END_TEST

/* --- copies, mapping, and who is alive */

START_TEST(copies_are_copies)
{
	uint8_t from[300], to[300];

	for (const struct ivshm_copy *c = ivshm_copies; c->name; c++)
		for (size_t len = 0; len <= 256; len++) {
			for (size_t i = 0; i < sizeof(from); i++)
				from[i] = byte_of((uint32_t)len, (uint32_t)i);
			memset(to, 0xaa, sizeof(to));
			c->copy(to + 8 + len % 8, from + len % 3, len);
			ck_assert_msg(!memcmp(to + 8 + len % 8, from + len % 3, len), "%s of %zu", c->name, len);
			ck_assert_uint_eq(to[8 + len % 8 + len], 0xaa);
			ck_assert_uint_eq(to[7 + len % 8], 0xaa);
		}
	ck_assert_ptr_nonnull(ivshm_copy_choose(to, sizeof(to)));
}
END_TEST

START_TEST(maps_a_file)
{
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "region", "");
	struct ivshm_mapping m;

	ck_assert_int_eq(ivshm_map(file, &m), -EINVAL);
	ck_assert_int_eq(truncate(file, 65536), 0);
	ck_assert_int_eq(ivshm_map(file, &m), 0);
	ck_assert_uint_eq(m.size, 65536);
	ck_assert_str_eq(m.by, "file");
	ivshm_unmap(&m);
	ck_assert_int_eq(ivshm_map("/nonexistent", &m), -ENOENT);
	/* A device's directory, with one of its two ways. */
	free(unit_file(dir, "resource2", ""));
	ck_assert_int_eq(ivshm_map(dir, &m), -EINVAL);
}
END_TEST

START_TEST(a_devdax_device_is_as_long_as_sysfs_says)
{
	static const struct { const char *name, *text; int r; } cases[] = {
		{ "dev/char/252:1/size", "1073741824\n", 0 }, { "dev/char/252:2/size", "0\n", -EINVAL },
		{ "dev/char/252:3/size", "-1\n", -EINVAL }, { "dev/char/252:4/size", "2M\n", -EINVAL },
		{ "dev/char/252:5/size", "\n", -EINVAL }, { "dev/char/252:6/size", "99999999999999999999\n", -EINVAL },
		{ "dev/char/252:7/other", "1\n", -ENODEV },
	};
	vh_autofree char *dir = unit_tmpdir();
	struct ivshm_mapping m;
	size_t size = 0;

	for (unsigned i = 0; i < vh_array_len(cases); i++) {
		free(unit_file(dir, cases[i].name, cases[i].text));
		ck_assert_msg(ivshm_dax_size(dir, 252, i + 1, &size) == cases[i].r, "%s: %s", cases[i].name, cases[i].text);
	}
	ck_assert_uint_eq(size, 1073741824);
	/* A character device that is none. */
	ck_assert_int_eq(ivshm_map("/dev/zero", &m), -ENODEV);
}
END_TEST

START_TEST(knows_who_is_alive)
{
	struct ivshm_self me;
	pid_t child;

	ivshm_self_here(&me, 1, 2);
	ck_assert(me.alive(getpid(), me.started));
	ck_assert(!me.alive(getpid(), me.started + 2));
	child = fork();
	if (child == 0)
		unit_exit(0);
	/* A child that has ended is dead before it is waited for. */
	for (int i = 0; i < 500 && me.alive(child, 0); i++)
		usleep(10000);
	ck_assert(!me.alive(child, 0));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!me.alive(child, 0));
}
END_TEST

UNIT_SUITE(mpirun_ivshm, takes_no_memory_of_another_layout, sizes_by_ranks, sizes_hold_the_channels_of_two_jobs,
	   finds_those_in_the_same_memory,
	   settles_a_pair_once, settles_that_there_is_no_room, settles_the_same_for_both, frees_a_job_only_after_its_last_process,
	   judges_no_process_of_another_machine, is_full_and_says_so, gives_no_chunk_twice,
	   comes_and_goes_at_the_same_time, brings_every_message_whole_and_in_order, waits_when_full,
	   knows_a_cell_that_is_none,
	   outlives_a_hostile_peer, outlives_a_region_of_random_words, numbers_are_never_given_twice,
	   streams_a_long_message, gives_no_more_than_was_offered, takes_no_piece_that_it_did_not_ask_for,
	   ends_a_stream_whose_window_was_closed, copies_are_copies, maps_a_file,
	   a_devdax_device_is_as_long_as_sysfs_says,
	   knows_who_is_alive)
