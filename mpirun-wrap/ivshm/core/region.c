// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/region.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/region.h"

static const uint64_t magic = 0x7668706d70690002;	/* the last bytes are the layout's version */

/* --- a slot's owner word: 2 bits state, 14 generation, 24 machine, 24 pid */

enum state { FREE, CLAIMED, LIVE, DEAD };

static uint64_t word(enum state state, uint32_t generation, uint64_t machine, pid_t pid)
{
	return (uint64_t)state << 62 | (uint64_t)(generation & 0x3fff) << 48 | (machine & 0xffffff) << 24 |
	       ((uint64_t)pid & 0xffffff);
}

static enum state word_state(uint64_t w)
{
	return w >> 62;
}

static uint32_t word_generation(uint64_t w)
{
	return w >> 48 & 0x3fff;
}

static uint64_t with_state(uint64_t w, enum state state)
{
	return (w & ~(3ull << 62)) | (uint64_t)state << 62;
}

/* A chunk's owner: slot and generation, never 0. */
static uint64_t chunk_owner(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | (slot + 1);
}

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static bool swap(uint64_t *p, uint64_t from, uint64_t to)
{
	return __atomic_compare_exchange_n(p, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* --- layout */

/* For four times the ranks that the size is for: their jobs may overlap, and dead ones be left. */
static uint32_t slots_for(uint64_t size)
{
	uint64_t n = IVSHM_MIN_SLOTS;

	while (n < IVSHM_MAX_SLOTS && n / 4 * (n / 4) * 2 * VH_REGION_CHANNEL < size)
		n *= 2;
	return (uint32_t)n;
}

static uint64_t align(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

int ivshm_open(struct ivshm_region *r, void *base, uint64_t size, bool fenced)
{
	struct ivshm_header *h = base;
	uint32_t slots = slots_for(size);
	uint64_t at_pairs = align(sizeof(*h), 4096) + slots * sizeof(struct ivshm_slot);
	uint64_t at_owners = at_pairs + (uint64_t)slots * slots * sizeof(uint64_t), at_chunks;

	if (size < IVSHM_MIN_SIZE || size > 1ull << 40)
		return -EINVAL;
	at_chunks = align(at_owners + size / IVSHM_CHUNK * sizeof(uint64_t), IVSHM_CHUNK);
	if (at_chunks + IVSHM_CHUNK > size)
		return -EINVAL;
	swap(&h->size, 0, size);
	swap(&h->magic, 0, magic);
	if (load(&h->magic) != magic || load(&h->size) != size)
		return -EBADMSG;
	*r = (struct ivshm_region){
		.base = base, .size = size, .n_slots = slots, .fenced = fenced,
		.slots = (struct ivshm_slot *)((uint8_t *)base + align(sizeof(*h), 4096)),
		.pairs = (uint64_t *)((uint8_t *)base + at_pairs),
		.owners = (uint64_t *)((uint8_t *)base + at_owners),
		.chunks = (uint8_t *)base + at_chunks,
		.n_chunks = (uint32_t)((size - at_chunks) / IVSHM_CHUNK),
		.mine = { .size = size, .slot = UINT32_MAX },
	};
	return 0;
}

/* --- taking away what a job left */

static bool is_dead(const struct ivshm_region *r, uint64_t w, const struct ivshm_slot *s)
{
	enum state state = word_state(w);

	if ((state != LIVE && state != CLAIMED) || (w >> 24 & 0xffffff) != (r->self.machine & 0xffffff))
		return false;
	/* Without the rest of its claim only the word tells whose it is. */
	if (state == LIVE && load(&s->machine) != r->self.machine)
		return false;
	return !r->self.alive((pid_t)(w & 0xffffff), state == LIVE ? load(&s->started) : 0);
}

static bool job_lives(const struct ivshm_region *r, uint64_t job)
{
	for (uint32_t i = 0; i < r->n_slots; i++) {
		uint64_t w = load(&r->slots[i].owner);

		if (word_state(w) == LIVE && load(&r->slots[i].job) == job)
			return true;
	}
	return false;
}

static void free_chunks_of(struct ivshm_region *r, uint32_t slot, uint32_t generation)
{
	uint64_t owner = chunk_owner(slot, generation);

	for (uint32_t i = 0; i < r->n_chunks; i++)
		if (load(&r->owners[i]) == owner)
			swap(&r->owners[i], owner, 0);
}

/* Frees the slots of jobs of which nobody lives, and what they held. Several may do it
 * at once. */
static void sweep(struct ivshm_region *r)
{
	for (uint32_t i = 0; i < r->n_slots; i++) {
		struct ivshm_slot *s = &r->slots[i];
		uint64_t w = load(&s->owner);

		if (word_state(w) != DEAD || job_lives(r, load(&s->job)))
			continue;
		free_chunks_of(r, i, word_generation(w));
		swap(&s->owner, w, with_state(w, FREE));
	}
}

static void bury_dead(struct ivshm_region *r)
{
	for (uint32_t i = 0; i < r->n_slots; i++) {
		struct ivshm_slot *s = &r->slots[i];
		uint64_t w = load(&s->owner);

		if (is_dead(r, w, s))
			swap(&s->owner, w, with_state(w, word_state(w) == LIVE ? DEAD : FREE));
	}
	sweep(r);
}

/* --- joining and leaving */

static void fill_slot(struct ivshm_region *r, uint32_t i, uint32_t generation)
{
	struct ivshm_slot *s = &r->slots[i];
	struct ivshm_address *a = &r->mine;

	*a = (struct ivshm_address){ .size = r->size, .job = r->self.job, .slot = i, .generation = generation };
	if (getrandom(a->nonce, sizeof(a->nonce), 0) != sizeof(a->nonce))
		memcpy(a->nonce, (uint64_t[]){ r->self.started, (uint64_t)r->self.pid }, sizeof(a->nonce));
	__atomic_store_n(&s->machine, r->self.machine, __ATOMIC_RELAXED);
	__atomic_store_n(&s->started, r->self.started, __ATOMIC_RELAXED);
	__atomic_store_n(&s->job, r->self.job, __ATOMIC_RELAXED);
	__atomic_store_n(&s->nonce[0], a->nonce[0], __ATOMIC_RELAXED);
	__atomic_store_n(&s->nonce[1], a->nonce[1], __ATOMIC_RELAXED);
	__atomic_store_n(&s->rank, r->self.rank, __ATOMIC_RELAXED);
}

int ivshm_join(struct ivshm_region *r, const struct ivshm_self *self)
{
	r->self = *self;
	bury_dead(r);
	for (uint32_t i = 0; i < r->n_slots; i++) {
		uint64_t w = load(&r->slots[i].owner);
		uint32_t generation = word_generation(w) + 1;
		uint64_t claim = word(CLAIMED, generation, self->machine, self->pid);

		if (word_state(w) != FREE || !swap(&r->slots[i].owner, w, claim))
			continue;
		fill_slot(r, i, generation & 0x3fff);
		/* Someone else wrote over the claim: leave the slot to him. */
		if (swap(&r->slots[i].owner, claim, with_state(claim, LIVE)))
			return 0;
	}
	r->mine.slot = UINT32_MAX;
	return -EUSERS;
}

void ivshm_leave(struct ivshm_region *r)
{
	const struct ivshm_self *self = &r->self;
	uint64_t w;

	if (r->mine.slot >= r->n_slots)
		return;
	w = word(LIVE, r->mine.generation, self->machine, self->pid);
	swap(&r->slots[r->mine.slot].owner, w, with_state(w, DEAD));
	r->mine.slot = UINT32_MAX;
	sweep(r);
}

/* --- peers */

int ivshm_find(const struct ivshm_region *r, const struct ivshm_address *peer)
{
	const struct ivshm_slot *s;
	uint64_t w;

	if (peer->size != r->size)
		return -EXDEV;
	if (peer->slot >= r->n_slots)
		return -EINVAL;
	s = &r->slots[peer->slot];
	w = load(&s->owner);
	if (load(&s->nonce[0]) != peer->nonce[0] || load(&s->nonce[1]) != peer->nonce[1] ||
	    word_state(w) != LIVE || word_generation(w) != peer->generation)
		return -EXDEV;
	return peer->job == r->self.job ? 0 : -EACCES;
}

bool ivshm_slot_is_peer(const struct ivshm_region *r, uint32_t slot, uint32_t *ret_generation)
{
	uint64_t w = slot < r->n_slots ? load(&r->slots[slot].owner) : 0;

	if ((word_state(w) != LIVE && word_state(w) != DEAD) || load(&r->slots[slot].job) != r->self.job)
		return false;
	*ret_generation = word_generation(w);
	return true;
}

/* --- chunks */

static uint32_t take_chunks(struct ivshm_region *r, uint32_t first, uint32_t n, uint64_t owner)
{
	uint32_t got = 0;

	while (got < n && load(&r->owners[first + got]) == 0 && swap(&r->owners[first + got], 0, owner))
		got++;
	return got;
}

static void give_back(struct ivshm_region *r, uint32_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		swap(&r->owners[first + i], chunk_owner(r->mine.slot, r->mine.generation), 0);
}

int ivshm_claim(struct ivshm_region *r, uint32_t n, struct ivshm_run *ret)
{
	uint64_t owner = chunk_owner(r->mine.slot, r->mine.generation);

	if (n == 0 || n > IVSHM_MAX_RUN || r->mine.slot >= r->n_slots)
		return -EINVAL;
	for (uint32_t first = 0; first + n <= r->n_chunks; ) {
		uint32_t got = take_chunks(r, first, n, owner);

		if (got == n) {
			*ret = (struct ivshm_run){ first, n };
			return 0;
		}
		give_back(r, first, got);
		first += got + 1;
	}
	return -ENOSPC;
}

uint32_t ivshm_free_chunks(const struct ivshm_region *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_chunks; i++)
		n += load(&r->owners[i]) == 0;
	return n;
}

uint32_t ivshm_used_slots(const struct ivshm_region *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_slots; i++)
		n += word_state(load(&r->slots[i].owner)) != FREE;
	return n;
}

/* --- pairs: 28 bits first chunk, 8 their number, 14 the lower slot's generation, 14 the higher one's */

enum { GENERATIONS = 28 };

static uint64_t *pair(const struct ivshm_region *r, uint32_t peer)
{
	uint32_t me = r->mine.slot, low = me < peer ? me : peer, high = me < peer ? peer : me;

	return &r->pairs[(uint64_t)low * r->n_slots + high];
}

static uint64_t generations(const struct ivshm_region *r, uint32_t peer, uint32_t generation)
{
	uint64_t mine = r->mine.generation & 0x3fff;

	generation &= 0x3fff;
	return r->mine.slot < peer ? mine << 14 | generation : (uint64_t)generation << 14 | mine;
}

/* A word that says what cannot be is as one that says that there is no memory. */
static struct ivshm_run run_of(const struct ivshm_region *r, uint64_t w)
{
	struct ivshm_run run = { .first = w >> 36, .n = w >> GENERATIONS & 0xff };

	if (run.first >= r->n_chunks || run.n > r->n_chunks - run.first || run.n % 2)
		run = (struct ivshm_run){ 0 };
	return run;
}

static bool says(uint64_t w, uint64_t of)
{
	return (w & ((1ull << GENERATIONS) - 1)) == of;
}

bool ivshm_settled(const struct ivshm_region *r, uint32_t peer, uint32_t generation, struct ivshm_run *ret)
{
	uint64_t w = load(pair(r, peer));

	if (!says(w, generations(r, peer, generation)))
		return false;
	*ret = run_of(r, w);
	return true;
}

void ivshm_settle(struct ivshm_region *r, uint32_t peer, uint32_t generation, struct ivshm_run *run)
{
	uint64_t of = generations(r, peer, generation), w = (uint64_t)run->first << 36 | (uint64_t)run->n << GENERATIONS | of;
	uint64_t *p = pair(r, peer), old = load(p);

	/* What stands there is of earlier owners of the slots, or has come meanwhile. */
	while (!says(old, of) && !swap(p, old, w))
		old = load(p);
	if (!says(old, of)) {
		__atomic_fetch_add(&r->slots[peer].knocks, 1, __ATOMIC_SEQ_CST);
		return;
	}
	give_back(r, run->first, run->n);
	*run = run_of(r, old);
}

struct ivshm_run ivshm_half(const struct ivshm_region *r, uint32_t peer, struct ivshm_run pair, bool mine)
{
	struct ivshm_run half = { pair.first, pair.n / 2 };

	if ((r->mine.slot < peer) != mine)
		half.first += half.n;
	return half;
}

uint32_t ivshm_knocks(const struct ivshm_region *r)
{
	return __atomic_load_n(&r->slots[r->mine.slot].knocks, __ATOMIC_ACQUIRE);
}
