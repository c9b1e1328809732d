// SPDX-License-Identifier: Apache-2.0
/* Nodes that are replaced in their places: the order, killed and failing anywhere. What a cluster knows of it is in tools_change. */
#include <errno.h>

#include "tests/unit/unit.h"
#include "tools/cluster/roll/roll.h"

enum { NODES = 3 };
enum kind { NONE, OLD, NEW };

struct fake {
	enum kind disk, aside, made, was, vm;	/* vm: that runs */
	bool row, healthy, drained;
};

struct world {
	struct fake nodes[NODES];
	long calls_left;		/* until the run is killed; below 0: it is not */
	bool dead;
	int fails;			/* enum roll_act; below 0: none */
	size_t fails_at;		/* of that part */
	size_t told[4];
};

/* Between any two effects the run may end, and then has none any more. */
static bool dies(struct world *w)
{
	if (w->calls_left == 0)
		w->dead = true;
	else if (w->calls_left > 0)
		w->calls_left--;
	return w->dead;
}

/* What holds at any time. */
static void check(const struct world *w)
{
	for (size_t i = 0; i < NODES; i++) {
		const struct fake *f = &w->nodes[i];

		ck_assert_msg(f->disk == OLD || f->aside == OLD || f->healthy, "node %zu has lost what it was", i);
		ck_assert_msg(f->vm == NONE || f->vm == f->disk, "node %zu runs on another disk", i);
	}
}

static void build(struct world *w, struct fake *f)
{
	if (f->disk == NONE)
		f->disk = f->made;
	if (dies(w))
		return;
	ck_assert_int_eq(f->disk, f->made);
	f->vm = f->made;
	f->healthy = f->vm == NEW;
}

static void put_aside(struct world *w, struct fake *f)
{
	f->row = true;
	if (dies(w))
		return;
	f->vm = NONE;
	if (dies(w))
		return;
	ck_assert(f->disk == OLD && f->aside == NONE);
	f->aside = f->disk;
	f->disk = NONE;
}

static void restore(struct world *w, struct fake *f)
{
	if (f->aside) {
		ck_assert(f->vm == NONE && f->made == OLD);
		f->disk = f->aside;
		f->aside = NONE;
	}
	if (!dies(w))
		f->row = false;
}

static void keep(struct world *w, struct fake *f)
{
	f->aside = NONE;
	if (dies(w))
		return;
	f->was = f->made;
	f->row = false;
}

static void act_on(struct world *w, enum roll_act act, struct fake *f)
{
	switch (act) {
	case ROLL_DRAIN:
	case ROLL_RESUME:
		f->drained = act == ROLL_DRAIN;
		break;
	case ROLL_STOP:
	case ROLL_REMOVE:
		f->vm = NONE;
		break;
	case ROLL_ASIDE:
		put_aside(w, f);
		break;
	case ROLL_RENEW:
		f->was = f->made;
		f->made = NEW;
		break;
	case ROLL_KEEP:
		keep(w, f);
		break;
	case ROLL_REVERT:
		f->made = f->was;
		break;
	case ROLL_RESTORE:
		restore(w, f);
		break;
	case ROLL_BUILD:
	case ROLL_REBUILD:
		build(w, f);
	}
}

static int act(void *arg, enum roll_act act, size_t first, size_t n, struct vh_err *err)
{
	struct world *w = arg;

	for (size_t i = first; i < first + n && !dies(w); i++) {
		act_on(w, act, &w->nodes[i]);
		check(w);
	}
	if (w->dead)
		return vh_err_set(err, EPIPE, "killed");
	return (int)act == w->fails && first == w->fails_at ? vh_err_set(err, EIO, "fails") : 0;
}

static void tell(void *arg, enum roll_state state, size_t first, size_t n, const struct vh_err *why)
{
	struct world *w = arg;

	(void)first;
	(void)why;
	w->told[state] += n;
}

static const struct roll_ops ops = { act, tell };

static struct world begin(long calls)
{
	struct world w = { .calls_left = calls, .fails = -1 };

	for (size_t i = 0; i < NODES; i++)
		w.nodes[i] = (struct fake){ .disk = OLD, .made = OLD, .was = OLD, .vm = OLD };
	return w;
}

/* As the next run does. */
static void settle(struct world *w, long calls)
{
	w->calls_left = calls;
	w->dead = false;
	for (size_t i = 0; i < NODES && !w->dead; i++) {
		vh_autoerr err = VH_ERR_NONE;
		struct fake *f = &w->nodes[i];

		if (f->aside || f->was != f->made)
			roll_settle_one(f->aside, &ops, w, i, &err);
		if (!w->dead)
			act_on(w, ROLL_REBUILD, f);
	}
	check(w);
}

static void check_whole(const struct world *w, size_t i, enum kind is)
{
	const struct fake *f = &w->nodes[i];

	ck_assert_msg(f->aside == NONE && f->was == f->made, "node %zu is half replaced", i);
	ck_assert_msg(f->disk == f->made && f->vm == f->made, "node %zu does not run", i);
	if (is)
		ck_assert_msg(f->made == is, "node %zu is the other one", i);
}

START_TEST(a_replacement_killed_anywhere_is_finished_or_undone)
{
	for (size_t at_once = 1; at_once <= 2; at_once++)
		for (long calls = 0, again = 0; ; calls = again > 12 ? calls + 1 : calls, again = again > 12 ? 0 : again + 1) {
			struct world w = begin(calls);
			vh_autoerr err = VH_ERR_NONE;
			size_t done;
			bool killed;

			roll_run(NODES, at_once, &ops, &w, &done, &err);
			killed = w.dead;
			settle(&w, again);
			settle(&w, -1);
			for (size_t i = 0; i < NODES; i++)
				check_whole(&w, i, killed ? NONE : NEW);
			if (!killed)
				break;
			ck_assert_int_lt(calls, 1000);
		}
}
END_TEST

START_TEST(what_fails_goes_back_and_stops_it)
{
	for (int fails = ROLL_DRAIN; fails < ROLL_KEEP; fails++)
		for (size_t at = 0; at < NODES; at++) {
			struct world w = begin(-1);
			vh_autoerr err = VH_ERR_NONE;
			size_t done;

			w.fails = fails;
			w.fails_at = at;
			/* Going back resumes too, which fails by the same cause then. */
			ck_assert_int_eq(roll_run(NODES, 1, &ops, &w, &done, &err), -EIO);
			ck_assert_uint_eq(done, at);
			ck_assert_int_eq(err.exit, at || fails == ROLL_RESUME ? VH_EXIT_PARTIAL : VH_EXIT_FAILED);
			for (size_t i = 0; i < NODES; i++)
				check_whole(&w, i, i < at ? NEW : OLD);
			ck_assert_uint_eq(w.told[ROLL_DONE], at);
			ck_assert_uint_eq(w.told[ROLL_BACK], fails != ROLL_RESUME);
		}
}
END_TEST

START_TEST(what_is_final_does_not_go_back)
{
	struct world w = begin(-1);
	vh_autoerr err = VH_ERR_NONE;
	size_t done;

	w.fails = ROLL_KEEP;
	ck_assert_int_eq(roll_run(NODES, 2, &ops, &w, &done, &err), -EIO);
	ck_assert_int_eq(err.exit, VH_EXIT_PARTIAL);
	settle(&w, -1);
	for (size_t i = 0; i < NODES; i++)
		check_whole(&w, i, i < 2 ? NEW : OLD);
}
END_TEST

UNIT_SUITE(tools_roll, a_replacement_killed_anywhere_is_finished_or_undone, what_fails_goes_back_and_stops_it, what_is_final_does_not_go_back)
