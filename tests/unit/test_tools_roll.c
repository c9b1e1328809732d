// SPDX-License-Identifier: Apache-2.0
/* Nodes that are replaced in their places: the order, killed and failing anywhere; and what a cluster knows of it. */
#include <errno.h>
#include <string.h>

#include "images/images.h"
#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/roll/roll.h"
#include "vmm/hosts/hosts.h"

/* --- the order, over nodes that are not there */

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

/* --- what a cluster knows of it */

static const char text[] = "name: c\ndefaults: {image: mpi, vcpus: 1, memory: 1G}\ngroups:\n"
			   "- {name: login, role: head, count: 1}\n- {name: work, count: 2}\n";

static struct vh_image image_of(const char *digest)
{
	return (struct vh_image){ .digest = (char *)digest, .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" }, .user = (char *)"hpc",
				  .mpi = (char *)"openmpi", .mpi_version = (char *)"5.0.7" };
}

struct fixture { char *state; struct vh_store *store; struct cluster c; };

static void fixture_clear(struct fixture *f)
{
	cluster_clear(&f->c);
	vh_store_close(f->store);
	free(f->state);
}
#define autofixture vh_cleanup(fixture_clear) struct fixture

/* There and back again, as the record has it. */
static void record(struct fixture *f)
{
	vh_autojson doc = cluster_to_json(&f->c);
	vh_autoerr err = VH_ERR_NONE;

	cluster_clear(&f->c);
	ck_assert_msg(cluster_from_json(doc, f->state, &f->c, &err) == 0, "%s", err.text);
}

static void planned(struct fixture *f)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_image image = image_of("0123");
	struct vh_image *images[] = { &image, &image };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_hosts_query q = { 0 };

	*f = (struct fixture){ .state = unit_tmpdir() };
	q.state = f->state;
	ck_assert_int_eq(vh_store_open(&f->store, f->state, VH_STORE_WRITE, &err), 0);
	ck_assert_int_eq(manifest_parse("m.yaml", text, strlen(text), &m, &err), 0);
	ck_assert_msg(cluster_plan(&m, images, &q, "tests/fixtures/infiniband-vfs.json", f->store, &f->c, &err) == 0, "%s", err.text);
	vh_strv_free(q.notes);
	for (size_t i = 0; i < f->c.n_nodes; i++)
		f->c.nodes[i].uuid = vh_strf("0000-%zu", i);
	record(f);
}

/* The second group's image is another by now. */
static int renew(struct fixture *f, const struct vh_image *image, struct vh_err *err)
{
	struct vh_image copy = *image;
	struct vh_image *images[] = { NULL, &copy };

	return cluster_renew(&f->c, images, err);
}

START_TEST(nodes_are_of_what_they_were_until_they_are_replaced)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	const struct vh_image newer = image_of("4567");
	struct node *n;

	planned(&f);
	ck_assert_int_eq(renew(&f, &newer, &err), 0);
	record(&f);
	n = &f.c.nodes[1];
	ck_assert_uint_eq(f.c.n_formers, 1);
	ck_assert_str_eq(cluster_pool_of(&f.c, n)->image.digest, "4567");
	ck_assert_str_eq(cluster_made_of(&f.c, n)->image.digest, "0123");
	ck_assert_uint_eq(cluster_pool_of(&f.c, n)->generation, 1);
	ck_assert_str_eq(cluster_made_of(&f.c, &f.c.nodes[0])->image.digest, "0123");
	ck_assert_uint_eq(cluster_pool_of(&f.c, n)->vcpus, 1);
	ck_assert_uint_eq(cluster_made_of(&f.c, n)->vcpus, 1);

	/* In the middle of it, also by the record; and back. */
	node_renew(n);
	record(&f);
	n = &f.c.nodes[1];
	ck_assert_str_eq(cluster_made_of(&f.c, n)->image.digest, "4567");
	ck_assert_uint_ne(n->was, n->former);
	node_revert(n);
	ck_assert_str_eq(cluster_made_of(&f.c, n)->image.digest, "0123");
	node_renew(n);
	node_keep(n);
	ck_assert_ptr_null(cluster_unused(&f.c));

	/* The other one as well: then nobody is of what was. */
	node_renew(&f.c.nodes[2]);
	ck_assert_ptr_null(cluster_unused(&f.c));
	node_keep(&f.c.nodes[2]);
	ck_assert_ptr_eq(cluster_unused(&f.c), &f.c.formers[0]);
	cluster_drop_former(&f.c, &f.c.formers[0]);
	record(&f);
	ck_assert_uint_eq(f.c.n_formers, 0);
	ck_assert_uint_eq(f.c.pools[1].generation, 1);
}
END_TEST

START_TEST(what_no_node_was_made_of_is_as_before)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	const struct vh_image newer = image_of("4567"), newest = image_of("89ab");
	vh_autojson was = NULL;
	vh_autojson is = NULL;

	planned(&f);
	was = cluster_to_json(&f.c);
	ck_assert_int_eq(renew(&f, &newer, &err), 0);
	ck_assert(cluster_is_unmade(&f.c, 1) && !cluster_is_unmade(&f.c, 0));
	cluster_unrenew(&f.c);
	cluster_drop_former(&f.c, cluster_unused(&f.c));
	is = cluster_to_json(&f.c);
	ck_assert(json_equal(was, is));

	/* One is of it: it stays, beside a third one. */
	ck_assert_int_eq(renew(&f, &newer, &err), 0);
	node_renew(&f.c.nodes[2]);
	node_keep(&f.c.nodes[2]);
	ck_assert_int_eq(renew(&f, &newest, &err), 0);
	ck_assert_uint_eq(f.c.pools[1].generation, 2);
	ck_assert_str_eq(cluster_made_of(&f.c, &f.c.nodes[1])->image.digest, "0123");
	ck_assert_str_eq(cluster_made_of(&f.c, &f.c.nodes[2])->image.digest, "4567");
	record(&f);
	ck_assert_uint_eq(f.c.n_formers, 2);
	/* The same build again is no change. */
	ck_assert_int_eq(renew(&f, &newest, &err), 0);
	ck_assert_uint_eq(f.c.n_formers, 2);
}
END_TEST

START_TEST(all_nodes_need_one_user_and_one_mpi)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_image other = image_of("4567");

	planned(&f);
	other.mpi_version = (char *)"4.1.4";
	ck_assert_int_eq(renew(&f, &other, &err), -EINVAL);
	ck_assert_str_eq(err.text, "image mpi: has openmpi 4.1.4, and the cluster's nodes have openmpi 5.0.7");
	vh_err_clear(&err);
	other = image_of("4567");
	other.user = (char *)"root";
	ck_assert_int_eq(renew(&f, &other, &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_str_eq(err.text, "image mpi: its user is root, and the cluster's is hpc");
	ck_assert_uint_eq(f.c.n_formers, 0);
}
END_TEST

static void write_disk(const struct cluster *c, const struct node *n, const char *what)
{
	vh_autofree char *dir = vh_strf("%s/%s", c->dir, n->name), *path = vh_strf("%s/disk.qcow2", dir);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_mkdirs(dir, 0700, &err), 0);
	ck_assert_int_eq(vh_write_file(path, what, strlen(what), 0600, &err), 0);
}

START_TEST(a_disk_is_kept_beside_and_put_back)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;
	const struct node *n;
	struct roll roll;
	bool unsettled;

	planned(&f);
	n = &f.c.nodes[1];
	roll = (struct roll){ .cluster = &f.c, .store = f.store, .n = f.c.n_nodes };
	ck_assert_int_eq(disk_put_aside(&f.c, n, &err), -ENODATA);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	write_disk(&f.c, n, "old");
	ck_assert_int_eq(roll_look(&roll, &unsettled, &err), 0);
	ck_assert(!unsettled);
	ck_assert_int_eq(disk_put_aside(&f.c, n, &err), 0);
	ck_assert(disk_is_aside(&f.c, n));
	ck_assert_int_eq(roll_look(&roll, &unsettled, &err), 0);
	ck_assert(unsettled);
	write_disk(&f.c, n, "new one");
	ck_assert_int_eq(disk_put_back(&f.c, n, &err), 0);
	ck_assert(!disk_is_aside(&f.c, n));
	ck_assert_int_eq(disk_put_back(&f.c, n, &err), 0);
	ck_assert_int_eq(disk_put_aside(&f.c, n, &err), 0);
	ck_assert_int_eq(disk_drop_aside(&f.c, n, &err), 0);
	ck_assert(!disk_is_aside(&f.c, n));
}
END_TEST

UNIT_SUITE(tools_roll, a_replacement_killed_anywhere_is_finished_or_undone, what_fails_goes_back_and_stops_it, what_is_final_does_not_go_back,
	   nodes_are_of_what_they_were_until_they_are_replaced, what_no_node_was_made_of_is_as_before, all_nodes_need_one_user_and_one_mpi,
	   a_disk_is_kept_beside_and_put_back)
