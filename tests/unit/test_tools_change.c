// SPDX-License-Identifier: Apache-2.0
/* A cluster that exists and is to have other nodes: who stays, who comes, who leaves, and what each is told. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images/guest/identity_parse.h"
#include "images/images.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/compare/compare.h"
#include "tools/cluster/plan/cluster.h"
#include "tools/cluster/roll/roll.h"
#include "tools/cluster/snapshot/snapshot.h"
#include "tools/cluster/ssh/ssh.h"
#include "tools/cluster/steps/identity.h"
#include "tools/cluster/steps/keys.h"
#include "vmm/hosts/hosts.h"

static const char host[] = "tests/fixtures/infiniband-vfs.json";

#define HEAD "name: c\ndefaults: {image: mpi, vcpus: 1, memory: 1G}\ngroups:\n"
#define LOGIN "- {name: login, role: head, count: 1}\n"
static const char two_groups[] = HEAD LOGIN "- {name: work, count: 2}\n- {name: big, count: 2, vcpus: 2}\n";

struct fixture { char *state; struct vh_store *store; struct cluster c; };

static void fixture_clear(struct fixture *f)
{
	cluster_clear(&f->c);
	vh_store_close(f->store);
	free(f->state);
}
#define autofixture vh_cleanup(fixture_clear) struct fixture

/* Images that exist by name alone. Without a cluster it is made, with one it is changed. */
static int turn_into(struct fixture *f, const char *text, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_image image = { .digest = (char *)"0123", .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" },
				  .user = (char *)"hpc", .mpi = (char *)"openmpi", .mpi_version = (char *)"5.0.7", .nfs_server = true,
				  .slurmctld = !strstr(text, "no-slurm"), .slurmd = !strstr(text, "no-slurm") };
	struct vh_image *images[] = { &image, &image, &image, &image };
	vh_cleanup(cluster_clear) struct cluster old = f->c;
	struct vh_hosts_query q = { .state = f->state };
	int r = manifest_parse("m.yaml", text, strlen(text), &m, err);
	size_t n;
	const struct pool *pools = manifest_pools(&m, &n);

	f->c = (struct cluster){ 0 };
	for (size_t i = 0; r == 0 && old.name && i < n; i++)
		images[i] = cluster_pool_named(&old, pools[i].name) ? NULL : &image;
	if (r == 0 && old.name)
		r = cluster_can_become(&old, &m, err);
	if (r == 0)
		r = old.name ? cluster_change(&m, images, &q, host, f->store, &old, &f->c, err)
			     : cluster_plan(&m, images, &q, host, f->store, &f->c, err);
	vh_strv_free(q.notes);
	return r;
}

static size_t count_new(const struct cluster *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_nodes; i++)
		n += c->nodes[i].is_new;
	return n;
}

static void give_uuids(struct cluster *c)
{
	static int made;

	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].is_new && !c->nodes[i].uuid)
			c->nodes[i].uuid = vh_strf("0000-%d", made++);
}

/* As apply does: new nodes get UUIDs; and back from its record. */
static void record(struct fixture *f)
{
	vh_autojson doc = NULL;
	vh_autoerr err = VH_ERR_NONE;

	give_uuids(&f->c);
	doc = cluster_to_json(&f->c);
	cluster_clear(&f->c);
	ck_assert_msg(cluster_from_json(doc, f->state, &f->c, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(count_new(&f->c), 0);
}

static void changed(struct fixture *f, const char *text)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(turn_into(f, text, &err) == 0, "%s", err.text);
}

/* Planned, and in no record yet. */
static void planned_anew(struct fixture *f, const char *text)
{
	vh_autoerr err = VH_ERR_NONE;

	*f = (struct fixture){ .state = unit_tmpdir() };
	ck_assert_int_eq(vh_store_open(&f->store, f->state, VH_STORE_WRITE, &err), 0);
	changed(f, text);
}

static void planned(struct fixture *f, const char *text)
{
	planned_anew(f, text);
	record(f);
}

/* "NAME SLOT ADDRESS MAC TAP UUID", a line a node. */
static char *nodes_of(const struct cluster *c)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct node *n = &c->nodes[i];

		fprintf(f, "%s %zu %s %s %s %s\n", n->name, n->slot, n->nics[0].address, n->nics[0].mac, n->nics[0].tap, n->uuid ? n->uuid : "new");
	}
	fclose(f);
	return text;
}

static char *names_of(const struct node *nodes, size_t n)
{
	char *text = strdup("");

	for (size_t i = 0; i < n; i++) {
		char *more = vh_strf("%s%s%s", text, i ? " " : "", nodes[i].name);

		free(text);
		text = more;
	}
	return text;
}

/* "c-work-2", those of a slot. */
static const struct node *node_at(const struct cluster *c, size_t slot)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (c->nodes[i].slot == slot)
			return &c->nodes[i];
	ck_abort_msg("no node has slot %zu", slot);
	return NULL;
}

START_TEST(the_same_manifest_changes_nothing)
{
	autofixture f;
	vh_autojson was = NULL;
	vh_autojson is = NULL;

	planned(&f, two_groups);
	was = cluster_to_json(&f.c);
	changed(&f, two_groups);
	is = cluster_to_json(&f.c);
	ck_assert(json_equal(was, is));
	ck_assert_uint_eq(count_new(&f.c) + f.c.n_leaving, 0);
}
END_TEST

START_TEST(nodes_that_stay_keep_what_they_have)
{
	static const char more[] = HEAD LOGIN "- {name: work, count: 4}\n- {name: big, count: 2, vcpus: 2}\n";
	autofixture f;
	vh_autofree char *was = NULL, *is = NULL, *names = NULL;

	planned(&f, two_groups);
	was = nodes_of(&f.c);
	changed(&f, more);
	is = nodes_of(&f.c);
	names = names_of(f.c.nodes, f.c.n_nodes);
	ck_assert_str_eq(names, "c-login-1 c-work-1 c-work-2 c-work-3 c-work-4 c-big-1 c-big-2");
	ck_assert_uint_eq(count_new(&f.c), 2);
	ck_assert_uint_eq(f.c.n_leaving, 0);
	/* Each line of before is there; the new ones come behind all slots. */
	for (char *line = strtok(was, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_msg(strstr(is, line) != NULL, "%s is not in %s", line, is);
	ck_assert_str_eq(node_at(&f.c, 5)->name, "c-work-3");
	ck_assert_str_eq(node_at(&f.c, 6)->name, "c-work-4");
}
END_TEST

START_TEST(a_slot_is_given_again_when_its_node_is_gone)
{
	static const char fewer[] = HEAD LOGIN "- {name: work, count: 1}\n- {name: big, count: 2, vcpus: 2}\n";
	static const char other[] = HEAD LOGIN "- {name: work, count: 1}\n- {name: big, count: 3, vcpus: 2}\n";
	autofixture f;
	vh_autofree char *names = NULL;
	vh_autojson doc = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	planned(&f, two_groups);
	changed(&f, fewer);
	record(&f);
	names = names_of(&f.c.nodes[f.c.n_nodes], f.c.n_leaving);
	ck_assert_str_eq(names, "c-work-2");
	ck_assert_uint_eq(f.c.n_leaving_pools, 0);
	/* While it is there, its address is. */
	changed(&f, other);
	ck_assert_str_eq(node_at(&f.c, 5)->name, "c-big-3");
	ck_assert_uint_eq(f.c.n_leaving, 1);
	changed(&f, fewer);
	cluster_drop_leaving(&f.c);
	changed(&f, other);
	ck_assert_str_eq(node_at(&f.c, 2)->name, "c-big-3");
	/* And the leases of who leaves are given back, those alone. */
	changed(&f, HEAD LOGIN "- {name: work, count: 1}\n");
	ck_assert_uint_eq(f.c.n_leaving, 3);
	ck_assert_int_eq(vh_lease_take(f.store, "cpu", "0", "vm/c-big-1", 0, &err), 0);
	ck_assert_int_eq(vh_lease_take(f.store, "cpu", "1", "vm/c-work-1", 0, &err), 0);
	for (size_t i = 0; i < f.c.n_leaving; i++)
		if (!f.c.nodes[f.c.n_nodes + i].uuid)
			f.c.nodes[f.c.n_nodes + i].uuid = strdup("0000");
	ck_assert_msg(record_leave(f.store, &f.c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_lease_list(f.store, "cpu", NULL, &leases, &n, &err), 0);
	ck_assert(n == 1 && !strcmp(leases[0].key, "1"));
	vh_lease_free(leases, n);
	doc = cluster_to_json(&f.c);
	ck_assert_ptr_null(json_object_get(doc, "leaving"));
	ck_assert_ptr_null(json_object_get(doc, "leaving_groups"));
}
END_TEST

/* A run that was killed, and the manifest of before again. */
START_TEST(who_was_to_leave_comes_back)
{
	static const char without[] = HEAD LOGIN "- {name: new, count: 2}\n- {name: work, count: 1}\n";
	autofixture f;
	vh_cleanup(manifest_clear) struct manifest before = { 0 };
	struct vh_hosts_query q = { 0 };
	vh_cleanup(cluster_clear) struct cluster old = { 0 };
	vh_autofree char *was = NULL, *is = NULL, *left = NULL;
	vh_autoerr err = VH_ERR_NONE;

	planned(&f, two_groups);
	was = nodes_of(&f.c);
	ck_assert_int_eq(cluster_manifest(&f.c, &before, &err), 0);
	changed(&f, without);
	record(&f);
	left = names_of(&f.c.nodes[f.c.n_nodes], f.c.n_leaving);
	ck_assert_str_eq(left, "c-work-2 c-big-1 c-big-2");
	ck_assert_uint_eq(f.c.n_leaving_pools, 1);
	ck_assert_str_eq(f.c.pools[f.c.n_pools].wanted.name, "big");
	/* No image is needed for that, and nothing of the host. */
	old = f.c;
	f.c = (struct cluster){ 0 };
	q.state = f.state;
	ck_assert_msg(cluster_change(&before, NULL, &q, "/nowhere", f.store, &old, &f.c, &err) == 0, "%s", err.text);
	is = nodes_of(&f.c);
	ck_assert_str_eq(is, was);
	ck_assert_uint_eq(f.c.n_leaving, 2);
	ck_assert_str_eq(f.c.pools[f.c.n_pools].wanted.name, "new");
}
END_TEST

START_TEST(shared_memory_stays_as_nodes_have_it)
{
	autofixture f;
	struct region was;
	vh_autofree char *first = NULL;

	planned(&f, HEAD LOGIN "- {name: work, count: 2}\n");
	was = cluster_region(&f.c);
	/* The first node's UUID names it, and so many ranks would need more. */
	changed(&f, HEAD "- {name: work, count: 12, }\n");
	record(&f);
	ck_assert_str_eq(cluster_region(&f.c).name, was.name);
	ck_assert_uint_eq(cluster_region(&f.c).size, was.size);
	/* A cluster of one node has none, so that it can be as large as the others need it. */
	fixture_clear(&f);
	planned(&f, HEAD "- {name: work, count: 1}\n");
	first = vh_strf("vhpc-%s", f.c.nodes[0].uuid);
	changed(&f, HEAD "- {name: work, count: 12}\n");
	record(&f);
	was = cluster_region(&f.c);
	ck_assert_str_eq(was.name, first);
	ck_assert_uint_gt(was.size, 16 << 20);
	changed(&f, HEAD "- {name: work, count: 2}\n");
	ck_assert_uint_eq(cluster_region(&f.c).size, was.size);
}
END_TEST

static unsigned vcpus_of(const json_t *node, const char *layout)
{
	const json_t *cells = json_object_get(json_object_get(node, layout), "cells"), *cell;
	unsigned n = 0;
	size_t i;

	json_array_foreach(cells, i, cell)
		n += (unsigned)json_array_size(json_object_get(cell, "vcpus"));
	return n;
}

/* "is mpi 1, behind mpi 1->3": of which image each was made, its vCPUs, and those that it is to have. */
static char *shapes_of(const struct cluster *c)
{
	vh_autojson doc = cluster_to_json(c);
	char *all = NULL;
	size_t len;
	FILE *f = open_memstream(&all, &len);

	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct node *n = &c->nodes[i];
		const json_t *j = json_array_get(json_object_get(doc, "nodes"), i);

		fprintf(f, "%s%s %s %u", i ? ", " : "", cluster_is_behind(c, n) ? "behind" : "is", cluster_made_of(c, n)->wanted.image, vcpus_of(j, "layout"));
		if (n->other)
			fprintf(f, "->%u", vcpus_of(j, "other_layout"));
	}
	fclose(f);
	return all;
}

static void check_shapes(const struct cluster *c, const char *text)
{
	vh_autofree char *is = shapes_of(c);

	ck_assert_str_eq(is, text);
}

#define SMALL(VCPUS, MEMORY) "name: c\ndefaults: {image: mpi, vcpus: " VCPUS ", memory: " MEMORY "}\ngroups:\n- {name: work, count: 1}\n"
#define WORK(MORE) HEAD LOGIN "- {name: work, count: 2" MORE "}\n"

START_TEST(nodes_are_to_be_other_ones_and_come_back)
{
	autofixture f;

	planned(&f, WORK(""));
	check_shapes(&f.c, "is mpi 1, is mpi 1, is mpi 1");
	changed(&f, WORK(", vcpus: 3"));
	record(&f);
	check_shapes(&f.c, "is mpi 1, behind mpi 1->3, behind mpi 1->3");
	ck_assert(!cluster_is_remade(&f.c, &f.c.nodes[1]));
	ck_assert_uint_eq(f.c.pools[1].generation, 0);
	/* One is that by now, then one that is new comes, and then all that again as it was. */
	node_renew(&f.c.nodes[1]);
	check_shapes(&f.c, "is mpi 1, is mpi 3->1, behind mpi 1->3");
	node_revert(&f.c.nodes[1]);
	check_shapes(&f.c, "is mpi 1, behind mpi 1->3, behind mpi 1->3");
	node_renew(&f.c.nodes[1]);
	node_keep(&f.c.nodes[1]);
	record(&f);
	check_shapes(&f.c, "is mpi 1, is mpi 3, behind mpi 1->3");
	changed(&f, HEAD LOGIN "- {name: work, count: 3, vcpus: 3}\n");
	check_shapes(&f.c, "is mpi 1, is mpi 3, behind mpi 1->3, is mpi 3");
	changed(&f, WORK(""));
	check_shapes(&f.c, "is mpi 1, behind mpi 3->1, is mpi 1");
	node_renew(&f.c.nodes[1]);
	node_keep(&f.c.nodes[1]);
	/* The third is still of it, until it is gone. */
	ck_assert_ptr_null(cluster_unused(&f.c));
	cluster_drop_leaving(&f.c);
	ck_assert_ptr_eq(cluster_unused(&f.c), &f.c.formers[0]);
	ck_assert(cluster_shares_boot(&f.c, &f.c.formers[0]));
}
END_TEST

/* A run that was killed, and the number of nodes of before again: that node was never made anew. */
START_TEST(one_that_leaves_comes_back_as_it_was)
{
	autofixture f;

	planned(&f, WORK(""));
	changed(&f, HEAD LOGIN "- {name: work, count: 1, vcpus: 3}\n");
	record(&f);
	check_shapes(&f.c, "is mpi 1, behind mpi 1->3");
	changed(&f, WORK(", vcpus: 3"));
	check_shapes(&f.c, "is mpi 1, behind mpi 1->3, behind mpi 1->3");
	/* And as all were, while one leaves again. */
	changed(&f, HEAD LOGIN "- {name: work, count: 1, vcpus: 3}\n");
	record(&f);
	changed(&f, HEAD LOGIN "- {name: work, count: 1}\n");
	record(&f);
	changed(&f, WORK(""));
	check_shapes(&f.c, "is mpi 1, is mpi 1, is mpi 1");
	ck_assert_ptr_eq(cluster_unused(&f.c), &f.c.formers[0]);
}
END_TEST

/* "1 CPUs, 256 MiB" that the node holds. */
static char *held_by(const struct fixture *f, const char *holder)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n, cpus = 0;
	uint64_t bytes = 0;

	ck_assert_int_eq(vh_lease_list(f->store, NULL, holder, &leases, &n, &err), 0);
	for (size_t i = 0; i < n; i++) {
		cpus += !strcmp(leases[i].kind, "cpu");
		bytes += leases[i].amount;
	}
	vh_lease_free(leases, n);
	return vh_strf("%zu CPUs, %" PRIu64 " MiB", cpus, bytes >> 20);
}

static void check_held(const struct fixture *f, const char *holder, const char *text)
{
	vh_autofree char *is = held_by(f, holder);

	ck_assert_str_eq(is, text);
}

/* As apply does it, with its leases. */
static void leased(struct fixture *f)
{
	vh_autoerr err = VH_ERR_NONE;

	give_uuids(&f->c);
	ck_assert_msg(record_create(f->store, &f->c, &err) == 0, "%s", err.text);
	record(f);
}

START_TEST(what_a_node_was_to_have_is_given_back)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	planned_anew(&f, SMALL("1", "256M"));
	leased(&f);
	check_held(&f, "vm/c-work-1", "1 CPUs, 256 MiB");
	/* Both, while it runs. */
	changed(&f, SMALL("3", "512M"));
	leased(&f);
	check_held(&f, "vm/c-work-1", "3 CPUs, 512 MiB");
	/* A change that is taken back. */
	changed(&f, SMALL("1", "256M"));
	leased(&f);
	check_held(&f, "vm/c-work-1", "1 CPUs, 256 MiB");
	/* One of which nothing came. */
	changed(&f, SMALL("3", "512M"));
	leased(&f);
	ck_assert_int_eq(record_settle(f.store, &f.c, &err), 0);
	check_held(&f, "vm/c-work-1", "3 CPUs, 512 MiB");
	cluster_unrenew(&f.c);
	ck_assert_int_eq(record_settle(f.store, &f.c, &err), 0);
	check_held(&f, "vm/c-work-1", "1 CPUs, 256 MiB");
	/* One that is off holds nothing, and takes nothing. */
	ck_assert_int_eq(vh_lease_drop(f.store, "vm/c-work-1", NULL, NULL, &err), 0);
	ck_assert_int_eq(record_settle(f.store, &f.c, &err), 0);
	check_held(&f, "vm/c-work-1", "0 CPUs, 0 MiB");
}
END_TEST

/* Where others were promised too much, what is given back is not kept for it. */
START_TEST(what_is_given_back_needs_no_room)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	planned_anew(&f, SMALL("1", "256M"));
	leased(&f);
	changed(&f, SMALL("3", "512M"));
	leased(&f);
	for (int i = 0; i < 4; i++) {
		vh_autofree char *key = vh_strf("%d:vm/other", i);

		ck_assert_int_eq(vh_lease_take(f.store, "memory", key, "vm/other", INT64_MAX, &err), 0);
	}
	cluster_unrenew(&f.c);
	ck_assert_msg(record_settle(f.store, &f.c, &err) == 0, "%s", err.text);
	check_held(&f, "vm/c-work-1", "1 CPUs, 256 MiB");
}
END_TEST

START_TEST(another_image_comes_and_goes)
{
	autofixture f;

	planned(&f, WORK(""));
	changed(&f, WORK(", image: dev"));
	record(&f);
	check_shapes(&f.c, "is mpi 1, behind mpi 1, behind mpi 1");
	/* Images of the tests are all one build, by another name. */
	ck_assert_str_eq(f.c.pools[1].wanted.image, "dev");
	changed(&f, WORK(""));
	check_shapes(&f.c, "is mpi 1, is mpi 1, is mpi 1");
	ck_assert_str_eq(f.c.pools[1].wanted.image, "mpi");
}
END_TEST

/* --- nodes that are replaced */

static struct vh_image image_of(const char *digest)
{
	return (struct vh_image){ .digest = (char *)digest, .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" }, .user = (char *)"hpc",
				  .mpi = (char *)"openmpi", .mpi_version = (char *)"5.0.7" };
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

	planned(&f, WORK(""));
	ck_assert_int_eq(renew(&f, &newer, &err), 0);
	record(&f);
	n = &f.c.nodes[1];
	ck_assert_uint_eq(f.c.n_formers, 1);
	ck_assert_str_eq(cluster_pool_of(&f.c, n)->image.digest, "4567");
	ck_assert_str_eq(cluster_made_of(&f.c, n)->image.digest, "0123");
	ck_assert_uint_eq(cluster_pool_of(&f.c, n)->generation, 1);
	ck_assert(cluster_is_remade(&f.c, n) && !cluster_is_behind(&f.c, n));
	ck_assert(!cluster_shares_boot(&f.c, &f.c.formers[0]));
	ck_assert_str_eq(cluster_made_of(&f.c, &f.c.nodes[0])->image.digest, "0123");

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

	planned(&f, WORK(""));
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

	planned(&f, WORK(""));
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

	planned(&f, WORK(""));
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

START_TEST(what_cannot_be_changed_is_refused)
{
	static const struct { const char *text, *says; } shapes[] = {
		{ HEAD LOGIN "- {name: work, count: 3, iothreads: 2}\n", "group work: iothreads is 0, the manifest says 2" },
		{ HEAD LOGIN "- {name: work, count: 2, boot: uefi}\n", "group work: boot is direct, the manifest says uefi" },
		{ HEAD LOGIN "- {name: work, count: 2, numa: 2, vcpus: 2}\n", "group work: numa is " },
		{ "name: c\nimage: mpi\nnodes: 3\nvcpus: 1\nmemory: 1G\n", "groups is login, work, big, the manifest says none" },
		{ HEAD LOGIN "network: {cidr: 10.1.0.0/24}\n", "network.cidr is 10.119.0.0/24, the manifest says 10.1.0.0/24" },
	};

	for (size_t i = 0; i < vh_array_len(shapes); i++) {
		autofixture f;
		vh_autoerr err = VH_ERR_NONE;

		planned(&f, two_groups);
		ck_assert_int_lt(turn_into(&f, shapes[i].text, &err), 0);
		ck_assert_msg(strstr(err.text, shapes[i].says) != NULL, "%s", err.text);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_ptr_nonnull(strstr(err.hint, "destroy c first"));
	}
}
END_TEST

/* A bridge has both until the new ones are up. */
START_TEST(nodes_that_come_and_those_that_leave_have_a_port_each)
{
	static const char before[] = HEAD "- {name: work, count: 2}\nnetwork: {cidr: 10.7.0.0/20}\n";
	static const char after[] = HEAD "- {name: other, count: 1022}\nnetwork: {cidr: 10.7.0.0/20}\n";
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	planned(&f, before);
	ck_assert_int_lt(turn_into(&f, after, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster c: 1022 nodes, and 2 that leave once these are up: at most 1023 are taken at once",
			"apply a manifest without those that leave first");
}
END_TEST

START_TEST(a_network_has_no_more_nodes_than_addresses)
{
	static const char small[] = HEAD "- {name: work, count: 2}\nnetwork: {cidr: 10.7.7.0/29}\n";
	static const char full[] = HEAD "- {name: work, count: 5}\nnetwork: {cidr: 10.7.7.0/29}\n";
	static const char over[] = HEAD "- {name: work, count: 6}\nnetwork: {cidr: 10.7.7.0/29}\n";
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	planned(&f, small);
	changed(&f, full);
	ck_assert_str_eq(f.c.nodes[4].nics[0].address, "10.7.7.6");
	record(&f);
	ck_assert_int_lt(turn_into(&f, over, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster c: network 10.7.7.0/29: has no address left for node c-work-6", NULL);
}
END_TEST

START_TEST(drift_that_apply_changes_says_so)
{
	static const struct { const char *text, *says; } drift[] = {
		{ HEAD LOGIN "- {name: work, count: 3}\n- {name: big, count: 2, vcpus: 2}\n", "group work: count is 2, the manifest says 3" },
		{ HEAD "- {name: login, count: 1}\n- {name: work, count: 2}\n- {name: big, count: 2, vcpus: 2}\n", "group login: role is head" },
		{ HEAD LOGIN "- {name: work, count: 2}\n", "groups is login, work, big, the manifest says login, work" },
	};
	autofixture f;

	planned(&f, two_groups);
	for (size_t i = 0; i < vh_array_len(drift); i++) {
		vh_cleanup(manifest_clear) struct manifest m = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(manifest_parse("m", drift[i].text, strlen(drift[i].text), &m, &err) == 0, "%s", err.text);
		ck_assert_int_eq(cluster_can_become(&f.c, &m, &err), 0);
		ck_assert_int_lt(cluster_matches(&f.c, &m, &err), 0);
		ck_assert_msg(strstr(err.text, drift[i].says) != NULL, "%s", err.text);
		ck_assert_str_eq(err.hint, "apply changes it, vhpc cluster plan says how");
	}
}
END_TEST

#define SHARED "volumes: [{name: home, mount: /home, kind: shared, size: 1G}]\n"

START_TEST(what_is_shared_stays_on_its_node)
{
	autofixture f;
	vh_autoerr err = VH_ERR_NONE;

	planned(&f, HEAD LOGIN "- {name: work, count: 2}\n" SHARED);
	changed(&f, HEAD "- {name: work, count: 3}\n" LOGIN SHARED);
	record(&f);
	ck_assert_int_lt(turn_into(&f, HEAD "- {name: work, count: 3}\n- {name: login, count: 1}\n" SHARED, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster c: volumes: what is shared is on c-login-1, and would be on c-work-1", NULL);
}
END_TEST

START_TEST(a_role_changes_in_place)
{
	autofixture f;

	planned(&f, two_groups);
	changed(&f, HEAD "- {name: login, count: 1}\n- {name: work, count: 2}\n- {name: big, role: data, count: 2, vcpus: 2}\n");
	ck_assert_uint_eq(count_new(&f.c) + f.c.n_leaving, 0);
	ck_assert_int_eq(f.c.pools[0].wanted.role, POOL_COMPUTE);
	ck_assert_int_eq(f.c.pools[2].wanted.role, POOL_DATA);
}
END_TEST

START_TEST(a_damaged_record_of_leaving_nodes_is_refused)
{
	static const struct { const char *key, *value; } damage[] = {
		{ "missing", "[1]" }, { "missing", "[{\"name\": \"c-work-2\"}]" },
		{ "missing", "[{\"name\": \"c-other-2\", \"group\": \"other\", \"why\": \"is gone\"}]" },
		{ "leaving", "[1]" }, { "leaving", "[{\"name\": \"x\"}]" }, { "leaving_groups", "[{\"name\": \"big\"}]" },
		{ "region_id", "\"../x\"" }, { "region_id", "\"\"" }, { "region_size", "-1" },
	};
	autofixture f;
	vh_autojson doc = NULL;
	vh_autoerr why = VH_ERR_NONE;

	planned(&f, two_groups);
	changed(&f, HEAD LOGIN "- {name: work, count: 1}\n");
	doc = cluster_to_json(&f.c);
	for (size_t i = 0; i < vh_array_len(damage); i++) {
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autojson bad = json_copy(doc);
		vh_autoerr err = VH_ERR_NONE;

		json_object_set_new(bad, damage[i].key, json_loads(damage[i].value, JSON_DECODE_ANY, NULL));
		ck_assert_msg(cluster_from_json(bad, "/s", &c, &err) < 0, "%s: %s", damage[i].key, damage[i].value);
		ck_assert_ptr_nonnull(err.text);
	}
	/* An address that the network has not is nobody's slot. */
	json_object_set_new(json_array_get(json_object_get(doc, "nodes"), 0), "address", json_string("10.119.1.2"));
	ck_assert_int_lt(cluster_from_json(doc, "/s", &f.c, &why), 0);
}
END_TEST

/* --- nodes that it goes on without */

#define READY HEAD LOGIN "- {name: work, count: 3}\nready: 3\n"

/* The node of that slot has failed by that. */
static void lose(struct fixture *f, size_t slot, const char *why)
{
	char *lost[8] = { NULL };
	vh_autoerr err = VH_ERR_NONE;

	lost[node_at(&f->c, slot) - f->c.nodes] = (char *)why;
	ck_assert_msg(cluster_go_without(&f->c, lost, &err) == 0, "%s", err.text);
}

static void assert_names(const struct node *nodes, size_t n, const char *want)
{
	vh_autofree char *names = names_of(nodes, n);

	ck_assert_str_eq(names, want);
}

/* Made, but for the second of the group. */
static void planned_without_one(struct fixture *f)
{
	planned_anew(f, READY);
	give_uuids(&f->c);
	lose(f, 2, "c-work-2: its console ended with: \033\377");
}

START_TEST(a_cluster_goes_on_without_nodes_that_fail)
{
	autofixture f;
	vh_autofree char *names = NULL;
	struct region was;
	const struct missing *m;

	planned_without_one(&f);
	was = cluster_region(&f.c);
	assert_names(f.c.nodes, f.c.n_nodes, "c-login-1 c-work-1 c-work-3");
	assert_names(&f.c.nodes[f.c.n_nodes], f.c.n_leaving, "c-work-2");
	ck_assert_msg(!f.c.nodes[f.c.n_nodes].is_new, "it leaves as any other");
	record(&f);
	assert_names(&f.c.nodes[f.c.n_nodes], f.c.n_leaving, "c-work-2");
	m = f.c.missing.items;
	names = missing_names(&f.c.missing);
	ck_assert_str_eq(names, "c-work-2");
	ck_assert_str_eq(m->why, "c-work-2: its console ended with: ??");
	ck_assert_str_eq(m->group, "work");
	/* The manifest still asks for it, and those that run share what they were started with. */
	ck_assert_uint_eq(f.c.pools[1].wanted.count, 3);
	ck_assert_uint_eq(ready_least(f.c.ready, f.c.n_nodes + f.c.missing.n), 3);
	ck_assert_str_eq(cluster_region(&f.c).name, was.name);
	ck_assert_uint_eq(cluster_region(&f.c).size, was.size);
	cluster_drop_leaving(&f.c);
	record(&f);
	/* The next apply makes it where it was. */
	changed(&f, READY);
	assert_names(f.c.nodes, f.c.n_nodes, "c-login-1 c-work-1 c-work-2 c-work-3");
	ck_assert_uint_eq(count_new(&f.c), 1);
	ck_assert_str_eq(node_at(&f.c, 2)->name, "c-work-2");
	ck_assert_uint_eq(f.c.missing.n + f.c.n_leaving, 0);
}
END_TEST

/* Nothing is undone that anybody has worked on. */
START_TEST(what_was_never_ready_can_be_spared)
{
	autofixture f;

	planned(&f, READY);
	for (size_t slot = 0; slot < 4; slot++)
		ck_assert(!cluster_can_spare(&f.c, node_at(&f.c, slot)));
	fixture_clear(&f);
	planned_without_one(&f);
	ck_assert(!cluster_can_spare(&f.c, node_at(&f.c, 0)) && cluster_can_spare(&f.c, node_at(&f.c, 1)));
	/* A run that was killed before it was removed. */
	record(&f);
	changed(&f, READY);
	ck_assert_uint_eq(count_new(&f.c) + f.c.missing.n + f.c.n_leaving, 0);
	for (size_t slot = 0; slot < 4; slot++)
		ck_assert_int_eq(cluster_can_spare(&f.c, node_at(&f.c, slot)), slot == 2);
	/* What the others mount is on the first of a group. */
	fixture_clear(&f);
	planned_anew(&f, HEAD LOGIN "- {name: work, count: 2}\nready: 1\n"
		     "volumes: [{name: home, mount: /home, kind: shared, size: 1G, on: work}]\n");
	ck_assert(!cluster_can_spare(&f.c, node_at(&f.c, 1)) && cluster_can_spare(&f.c, node_at(&f.c, 2)));
}
END_TEST

/* A change that fails is taken back to what was there, and to nothing else. */
START_TEST(what_is_missing_is_missing_after_a_change_back)
{
	autofixture f;
	vh_cleanup(manifest_clear) struct manifest before = { 0 };
	vh_cleanup(cluster_clear) struct cluster old = { 0 };
	struct vh_hosts_query q = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	planned_without_one(&f);
	cluster_drop_leaving(&f.c);
	record(&f);
	ck_assert_int_eq(cluster_manifest(&f.c, &before, &err), 0);
	changed(&f, HEAD LOGIN "- {name: work, count: 4}\nready: all\n");
	record(&f);
	old = f.c;
	f.c = (struct cluster){ 0 };
	q.state = f.state;
	ck_assert_msg(cluster_change(&before, NULL, &q, "/nowhere", f.store, &old, &f.c, &err) == 0, "%s", err.text);
	assert_names(f.c.nodes, f.c.n_nodes, "c-login-1 c-work-1 c-work-3");
	assert_names(&f.c.nodes[f.c.n_nodes], f.c.n_leaving, "c-work-2 c-work-4");
	ck_assert(missing_has(&f.c.missing, "c-work-2") && !missing_has(&f.c.missing, "c-work-4"));
	ck_assert_str_eq(f.c.ready, "3");
}
END_TEST

/* --- what nodes are told */

static char *text_of(const struct cluster *c, const char *node, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s/%s", c->dir, node, name);
	vh_autoerr err = VH_ERR_NONE;
	char *text = NULL;
	size_t len;

	ck_assert_msg(vh_host_file(path, &text, &len, &err) == 0, "%s", err.text);
	return text;
}

static bool is_there(const struct cluster *c, const char *node, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s/%s", c->dir, node, name);

	return access(path, F_OK) == 0;
}

static void forget(const struct cluster *c, const char *node, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s/%s", c->dir, node, name);

	ck_assert_int_eq(unlink(path), 0);
}

/* A cluster's directory with real keys. */
static void make_directory(struct fixture *f)
{
	vh_autofree char *key = vh_strf("%s/key", f->c.dir);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_mkdirs(f->c.dir, 0711, &err), 0);
	ck_assert_msg(ssh_make_key(key, "c", &err) == 0, "%s", err.text);
	ck_assert_msg(identities_make(f->c.dir, &f->c, &err) == 0, "%s", err.text);
}

static void mended(const struct cluster *c, bool want)
{
	vh_autoerr err = VH_ERR_NONE;
	bool is;

	ck_assert_msg(identities_mend(c, &is, &err) == 0, "%s", err.text);
	ck_assert_int_eq(is, want);
}

static void assert_same(const char *a, const char *b, enum lines kind)
{
	vh_autofree char *of_a = lines_of(a, kind), *of_b = lines_of(b, kind);

	ck_assert(*of_a);
	ck_assert_str_eq(of_a, of_b);
}

static void assert_readable(const char *text)
{
	struct vh_identity id;
	char why[128];

	ck_assert_msg(vh_identity_parse(text, strlen(text), &id, why, sizeof(why)) == 0, "%s", why);
	vh_identity_clear(&id);
}

START_TEST(all_nodes_are_told_of_a_new_one)
{
	autofixture f;
	vh_autofree char *was = NULL, *one = NULL, *three = NULL, *key = NULL;

	planned(&f, HEAD "- {name: work, count: 2}\n");
	make_directory(&f);
	ck_assert(identities_tell_all(&f.c) && !keys_are_lost(&f.c));
	mended(&f.c, false);
	was = text_of(&f.c, "c-work-1", "identity");
	key = text_of(&f.c, "c-work-1", "hostkey.pub");
	changed(&f, HEAD "- {name: work, count: 3}\n");
	record(&f);
	ck_assert(!identities_tell_all(&f.c) && !keys_are_lost(&f.c) && keys_lack(&f.c, &f.c.nodes[2]));
	mended(&f.c, true);
	one = text_of(&f.c, "c-work-1", "identity");
	three = text_of(&f.c, "c-work-3", "identity");
	/* Its own keys stay, and so do the users'; it knows of the new one, which has all of that but its own. */
	assert_same(was, one, LINES_OWN);
	assert_same(was, one, LINES_KEPT);
	assert_same(one, three, LINES_NODES);
	assert_same(one, three, LINES_KEPT);
	ck_assert_ptr_nonnull(strstr(one, "host 10.119.0.4 c-work-3\n"));
	ck_assert_ptr_nonnull(strstr(one, "known c-work-3 "));
	ck_assert_ptr_nonnull(strstr(three, "hostname c-work-3\n"));
	ck_assert_ptr_nonnull(strstr(three, key));
	assert_readable(one);
	assert_readable(three);
	/* Who runs is marked to be told, the new one to be started with it; until then not all is told. */
	ck_assert(node_is_untold(f.c.dir, f.c.nodes[0].name) && node_is_untold(f.c.dir, f.c.nodes[1].name) && !node_is_untold(f.c.dir, f.c.nodes[2].name));
	ck_assert(is_there(&f.c, "c-work-3", RESTART_MARK) && !is_there(&f.c, "c-work-1", RESTART_MARK));
	ck_assert(!identities_tell_all(&f.c));
	mended(&f.c, false);
	forget(&f.c, "c-work-1", UNTOLD_MARK);
	forget(&f.c, "c-work-2", UNTOLD_MARK);
	ck_assert(identities_tell_all(&f.c));
	/* And of one that goes. */
	changed(&f, HEAD "- {name: work, count: 1}\n");
	record(&f);
	ck_assert(!identities_tell_all(&f.c));
	mended(&f.c, true);
	free(one);
	one = text_of(&f.c, "c-work-1", "identity");
	ck_assert_ptr_null(strstr(one, "c-work-3"));
	assert_readable(one);
}
END_TEST

#define SLURM "slurm: yes\n"

/* The text of slurm.conf in a node's identity, "" where it is told none; roles: what it does. */
static char *slurm_conf_of(const struct cluster *c, const char *node, bool *ret_controls, bool *ret_computes)
{
	vh_autofree char *text = text_of(c, node, "identity");
	struct vh_identity id;
	char why[128], *conf;

	ck_assert_msg(vh_identity_parse(text, strlen(text), &id, why, sizeof(why)) == 0, "%s", why);
	*ret_controls = id.slurm.controller;
	*ret_computes = id.slurm.compute;
	conf = strdup(id.slurm.files[0] ? id.slurm.files[0] : "");
	vh_identity_clear(&id);
	return conf;
}

static void assert_slurm(const struct cluster *c, const char *node, const char *roles, const char *nodes)
{
	bool controls, computes;
	vh_autofree char *conf = slurm_conf_of(c, node, &controls, &computes), *line = vh_strf("\nPartitionName=compute Nodes=%s Default", nodes);

	ck_assert_int_eq(controls, strchr(roles, 'h') != NULL);
	ck_assert_int_eq(computes, strchr(roles, 'c') != NULL);
	ck_assert_msg(!*roles == !*conf, "%s: %s", node, conf);
	ck_assert_msg(!*roles || strstr(conf, line), "%s: %s", node, conf);
}

/* Slurm's files are told anew, with the key that there is; and no other keys are made. */
START_TEST(nodes_of_slurm_are_told_its_files)
{
	static const char store[] = "- {name: store, role: data, count: 1}\n";
	autofixture f;
	vh_autofree char *was = NULL, *is = NULL, *text = vh_strf("%s%s%s", HEAD LOGIN "- {name: work, count: 1}\n", store, SLURM);
	vh_autofree char *more = vh_strf("%s%s%s", HEAD LOGIN "- {name: work, count: 3}\n", store, SLURM);

	planned(&f, text);
	make_directory(&f);
	assert_slurm(&f.c, "c-login-1", "h", "c-work-1");
	was = text_of(&f.c, "c-work-1", "identity");
	changed(&f, more);
	record(&f);
	ck_assert(!keys_are_lost(&f.c) && !identities_tell_all(&f.c));
	mended(&f.c, true);
	assert_slurm(&f.c, "c-login-1", "h", "c-work-[1-3]");
	assert_slurm(&f.c, "c-work-1", "c", "c-work-[1-3]");
	assert_slurm(&f.c, "c-work-3", "c", "c-work-[1-3]");
	assert_slurm(&f.c, "c-store-1", "", "");
	is = text_of(&f.c, "c-work-1", "identity");
	assert_same(was, is, LINES_OWN);
	assert_same(was, is, LINES_KEPT);
	ck_assert_ptr_nonnull(strstr(is, "\nslurm.key "));
	ck_assert_int_eq(strncmp(strstr(is, "\nslurm.key "), strstr(was, "\nslurm.key "), 100), 0);
	/* One that lost what it was told has it again, and the others keep their keys. */
	forget(&f.c, "c-work-2", "identity");
	ck_assert(!keys_are_lost(&f.c) && keys_lack(&f.c, &f.c.nodes[2]));
	mended(&f.c, true);
	assert_slurm(&f.c, "c-work-2", "c", "c-work-[1-3]");
	changed(&f, text);
	record(&f);
	mended(&f.c, true);
	assert_slurm(&f.c, "c-login-1", "h", "c-work-1");
	free(is);
	is = text_of(&f.c, "c-work-1", "identity");
	assert_same(was, is, LINES_SLURM);
}
END_TEST

START_TEST(what_slurm_cannot_change_is_refused)
{
	static const char work[] = "- {name: work, count: 2}\n";
	static const struct { const char *groups, *says, *hint; } shapes[] = {
		{ "- {name: work, count: 2}\n", "cluster c: slurm: is controlled by c-login-1, and would be by c-work-1", "leave that node" },
		{ "- {name: work, count: 2}\n- {name: login, role: data, count: 1}\n",
		  "cluster c: slurm: is controlled by c-login-1, and would be by c-work-1", "leave that node" },
		{ LOGIN "- {name: work, role: data, count: 2}\n- {name: other, count: 1}\n",
		  "cluster c exists with another shape: group work: role is compute, the manifest says data", "give another one that role" },
		{ LOGIN "- {name: work, count: 2}\n- {name: other, count: 1, image: no-slurm}\n", "cluster c: slurm: image no-slurm has no slurmd",
		  "mpi-slurm" },
	};

	for (size_t i = 0; i < vh_array_len(shapes); i++) {
		autofixture f;
		vh_autofree char *was = vh_strf(HEAD LOGIN "%s" SLURM, work), *text = vh_strf(HEAD "%s" SLURM, shapes[i].groups);
		vh_autoerr err = VH_ERR_NONE;

		planned(&f, was);
		ck_assert_int_lt(turn_into(&f, text, &err), 0);
		ck_assert_msg(err.hint && strstr(err.hint, shapes[i].hint), "%s", err.text);
		unit_assert_err(&err, VH_EXIT_REFUSED, shapes[i].says, NULL);
	}
}
END_TEST

#define SINFO "c-work-1:c-work-1:idle:none\nc-work-2:c-work-2:idle:none\n"

/* An ssh to a head whose Slurm has two nodes and a third, until it is restarted and has the two and that; what it is told stands in
 * "asked". */
static void fake_ssh(const char *dir, const char *third, const char *then)
{
	vh_autofree char *nodes = vh_strf(SINFO "%s", third), *conf = vh_strf(SINFO "%s", then);
	vh_autofree char *path = NULL, *program = unit_file(dir, "ssh",
		"#!/bin/sh\ncd \"${0%/*}\" || exit\nfor last; do :; done\necho \"$last\" >>asked\n"
		"case $last in\nsinfo*) cat nodes ;;\n"
		"*'restart slurmctld'*) cp conf nodes ;;\n*identity*) cat >/dev/null ;;\nesac\n");

	free(unit_file(dir, "nodes", nodes));
	free(unit_file(dir, "conf", conf));
	ck_assert_int_eq(chmod(program, 0755), 0);
	path = vh_strf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
}

/* The head is told of its files before it is restarted with them. */
START_TEST(slurm_goes_from_three_nodes_to_two)
{
	autofixture f;
	vh_autofree char *path = strdup(getenv("PATH")), *asked = NULL, *log = NULL;
	const char *told, *restart;
	vh_autoerr err = VH_ERR_NONE;
	struct look look = { 0 };
	struct vh_virt *none = NULL;
	const struct context ctx = { .cluster = &f.c, .virts = &none, .ready_ms = 60000 };
	const struct spot at = { 0 };
	bool any;
	size_t len;

	planned(&f, HEAD LOGIN "- {name: work, count: 3}\n" SLURM);
	make_directory(&f);
	changed(&f, HEAD LOGIN "- {name: work, count: 2}\n" SLURM);
	record(&f);
	mended(&f.c, true);
	fake_ssh(f.state, "c-work-3:c-work-3:idle:none\n", "");
	ck_assert_int_eq(step_vacate.look(&ctx, &at, &look, &err), 0);
	ck_assert_int_eq(look.is, LOOK_SAME);
	ck_assert_int_eq(step_slurm.look(&ctx, &at, &look, &err), 0);
	ck_assert_int_eq(look.is, LOOK_NOTHING);
	ck_assert_msg(step_vacate.apply(&ctx, &at, &any, &err) == 0, "%s", err.text);
	ck_assert_msg(step_slurm.apply(&ctx, &at, &any, &err) == 0, "%s", err.text);
	ck_assert(any);
	ck_assert_int_eq(step_slurm.apply(&ctx, &at, &any, &err), 0);
	ck_assert(!any);
	slurm_give_up(&ctx);
	setenv("PATH", path, 1);
	log = vh_strf("%s/asked", f.state);
	ck_assert_int_eq(vh_host_file(log, &asked, &len, &err), 0);
	ck_assert_ptr_nonnull(strstr(asked, "scontrol update 'NodeName=c-work-3' State=DRAIN 'Reason=vhpc: leaves the cluster'\n"));
	told = strstr(asked, "/usr/lib/vhpc/identity");
	restart = told ? strstr(told, "systemctl restart slurmctld\n") : NULL;
	ck_assert_msg(restart != NULL, "%s", asked);
	/* It has forgotten the third by then. */
	ck_assert_ptr_null(strstr(restart, "State=DOWN"));
}
END_TEST

/* What its controller is told of it; and whether it is restarted with that. */
static void assert_third(const struct fixture *f, const char *is, bool restarts)
{
	const struct context ctx = { .cluster = &f->c, .ready_ms = 60000 };
	bool controls, computes, any;
	vh_autofree char *conf = slurm_conf_of(&f->c, "c-login-1", &controls, &computes), *log = vh_strf("%s/asked", f->state);
	vh_autofree char *asked = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len;

	ck_assert_msg(strstr(conf, is) != NULL, "%s", conf);
	ck_assert_msg(step_slurm.apply(&ctx, &(struct spot){ 0 }, &any, &err) == 0, "%s", err.text);
	ck_assert_int_eq(any, restarts);
	ck_assert_int_eq(vh_host_file(log, &asked, &len, &err), 0);
	ck_assert_msg(!strstr(asked, "restart slurmctld\n") == !restarts, "%s", asked);
	ck_assert_msg(!strstr(asked, "scontrol"), "%s", asked);
	ck_assert_int_eq(unlink(log), 0);
}

/* It is down, not forgotten, and nobody waits for jobs there; and there is no more to it when it has come. */
START_TEST(slurm_goes_on_without_a_node_that_fails)
{
	static const char text[] = HEAD LOGIN "- {name: work, count: 3}\nready: 3\n" SLURM;
	static const char is[] = " CPUs=1 Sockets=1 CoresPerSocket=1 ThreadsPerCore=1 RealMemory=896 State=";
	autofixture f;
	vh_autofree char *path = strdup(getenv("PATH")), *down = vh_strf("\nNodeName=c-work-3 NodeAddr=192.0.2.1%sDOWN Reason=\"vhpc: not started\"\n", is);
	vh_autofree char *up = vh_strf("\nNodeName=c-work-[1-3]%sUNKNOWN\n", is);

	planned(&f, text);
	make_directory(&f);
	lose(&f, 3, "c-work-3: does not answer");
	record(&f);
	mended(&f.c, true);
	assert_slurm(&f.c, "c-work-1", "c", "c-work-[1-3]");
	ck_assert(!step_is_at(&step_vacate, &f.c, &(struct spot){ 0 }));
	fake_ssh(f.state, "c-work-3:c-work-3:unknown*:none\n", "c-work-3:192.0.2.1:down:vhpc: not started\n");
	assert_third(&f, down, true);
	assert_third(&f, down, false);
	slurm_give_up(&(struct context){ .cluster = &f.c });
	cluster_drop_leaving(&f.c);
	record(&f);
	assert_third(&f, down, false);
	changed(&f, text);
	record(&f);
	mended(&f.c, true);
	setenv("PATH", path, 1);
	fake_ssh(f.state, "c-work-3:192.0.2.1:idle:none\n", "c-work-3:c-work-3:idle:none\n");
	assert_third(&f, up, true);
	assert_third(&f, up, false);
	setenv("PATH", path, 1);
}
END_TEST

/* Killed anywhere: the first node's identity is the last that is written. */
START_TEST(a_killed_run_leaves_identities_to_be_finished)
{
	autofixture f;
	vh_autofree char *half = NULL, *two = NULL, *one = NULL;

	planned(&f, HEAD "- {name: work, count: 2}\n");
	make_directory(&f);
	changed(&f, HEAD "- {name: work, count: 3}\n");
	record(&f);
	mended(&f.c, true);
	/* The host key of one is there, and its identity is not yet. */
	forget(&f.c, "c-work-3", "identity");
	ck_assert(!identities_tell_all(&f.c) && !keys_are_lost(&f.c));
	mended(&f.c, true);
	two = text_of(&f.c, "c-work-2", "identity");
	half = text_of(&f.c, "c-work-3", "identity");
	assert_same(two, half, LINES_NODES);
	/* None is left to make others of. */
	forget(&f.c, "c-work-1", "identity");
	forget(&f.c, "c-work-2", "identity");
	ck_assert(!keys_are_lost(&f.c));
	mended(&f.c, true);
	one = text_of(&f.c, "c-work-1", "identity");
	assert_same(half, one, LINES_KEPT);
	for (size_t i = 0; i < 3; i++)
		forget(&f.c, f.c.nodes[i].name, "identity");
	ck_assert(keys_are_lost(&f.c));
}
END_TEST

/* --- users */

#define PAIR HEAD "- {name: work, count: 2}\n"
#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static void put(FILE *f, char *const *names)
{
	for (size_t i = 0; names && names[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", names[i]);
}

/* "carol/ada/bob": who is still to come, change and go. */
static void assert_users_differ(const struct cluster *c, const char *want)
{
	vh_cleanup(users_diff_clear) struct users_diff d = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *is = NULL;
	size_t len;
	FILE *f = open_memstream(&is, &len);

	ck_assert_int_eq(identities_diff(c, &d, &err), 0);
	put(f, d.come);
	putc('/', f);
	put(f, d.change);
	putc('/', f);
	put(f, d.go);
	fclose(f);
	ck_assert_str_eq(is, want);
	ck_assert_int_eq(users_differ(&d), strcmp(want, "//") != 0);
}

static void told(const struct cluster *c)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (node_is_untold(c->dir, c->nodes[i].name))
			forget(c, c->nodes[i].name, UNTOLD_MARK);
}

START_TEST(users_come_change_and_go)
{
	autofixture f;
	vh_autofree char *was = NULL, *one = NULL, *two = NULL, *ada = NULL;

	planned(&f, PAIR "users: [{name: ada, uid: 2001, groups: [lab]}, {name: bob, uid: 2002, groups: [lab, night]}]\n");
	make_directory(&f);
	assert_users_differ(&f.c, "//");
	was = text_of(&f.c, "c-work-1", "identity");
	changed(&f, PAIR "users: [{name: carol, uid: 2003, groups: [day, night, bob]}, {name: ada, uid: 2001, keys: ['" KEY "']}]\n");
	record(&f);
	ck_assert_uint_eq(count_new(&f.c), 0);
	assert_users_differ(&f.c, "carol/ada/bob");
	ck_assert(!identities_tell_all(&f.c) && !keys_are_lost(&f.c));
	mended(&f.c, true);
	assert_users_differ(&f.c, "//");
	ck_assert(!identities_tell_all(&f.c));
	told(&f.c);
	ck_assert(identities_tell_all(&f.c));
	one = text_of(&f.c, "c-work-1", "identity");
	two = text_of(&f.c, "c-work-2", "identity");
	assert_readable(one);
	assert_same(was, one, LINES_KEPT);
	assert_same(was, one, LINES_OWN);
	assert_same(one, two, LINES_USERS);
	assert_same(one, two, LINES_KEYS);
	/* Who stays has his key for the nodes, and groups have their numbers; that of who left is his group's. */
	ada = vh_strf("%.*s", (int)strcspn(strstr(was, "user.key ada "), "\n"), strstr(was, "user.key ada "));
	ck_assert_ptr_nonnull(strstr(one, ada));
	ck_assert_ptr_nonnull(strstr(one, "user.key carol "));
	ck_assert_ptr_nonnull(strstr(one, "group night 50001\ngroup day 50002\ngroup bob 2002\nuser carol 2003 day,night,bob\nuser ada 2001\n"));
	ck_assert_ptr_null(strstr(one, " bob ssh-"));
	ck_assert(is_there(&f.c, "users", "carol.pub") && is_there(&f.c, "users", "ada.pub") && !is_there(&f.c, "users", "bob.pub"));
	/* He may come back, as who he was. */
	changed(&f, PAIR "users: [{name: bob, uid: 2002, groups: [lab]}, {name: ada, uid: 2001}]\n");
	record(&f);
	assert_users_differ(&f.c, "bob/ada/carol");
	mended(&f.c, true);
	free(one);
	one = text_of(&f.c, "c-work-1", "identity");
	ck_assert_ptr_nonnull(strstr(one, "group lab 50000\nuser bob 2002 lab\n"));
}
END_TEST

/* Killed before the first node's identity is written: the next run finds all to do still, and all nodes have one key then. */
START_TEST(a_killed_change_of_users_is_finished)
{
	autofixture f;
	vh_autofree char *first = NULL, *path = NULL, *one = NULL, *two = NULL;
	vh_autoerr err = VH_ERR_NONE;

	planned(&f, PAIR "users: [{name: ada, uid: 2001}]\n");
	make_directory(&f);
	first = text_of(&f.c, "c-work-1", "identity");
	path = vh_strf("%s/c-work-1/identity", f.c.dir);
	changed(&f, PAIR "users: [{name: bob, uid: 2002}]\n");
	record(&f);
	mended(&f.c, true);
	ck_assert_int_eq(vh_write_file(path, first, strlen(first), 0600, &err), 0);
	assert_users_differ(&f.c, "bob//ada");
	mended(&f.c, true);
	one = text_of(&f.c, "c-work-1", "identity");
	two = text_of(&f.c, "c-work-2", "identity");
	assert_same(one, two, LINES_KEYS);
	assert_users_differ(&f.c, "//");
	mended(&f.c, false);
}
END_TEST

START_TEST(names_and_numbers_of_users_stay_theirs)
{
	static const struct { const char *users, *says; } bad[] = {
		{ "[{name: ada, uid: 2004}]", "cluster c: user ada has uid 2001, the manifest says 2004" },
		{ "[{name: dan, uid: 2001}]", "cluster c: user dan is to have uid 2001, which is that of ada" },
		{ "[{name: dan, uid: 2002}]", "cluster c: user dan is to have uid 2002, which is that of one who left, bob" },
		{ "[{name: bob, uid: 2004}]", "cluster c: user bob has uid 2002, the manifest says 2004" },
		{ "[{name: dan, uid: 50000}]", "cluster c: user dan is to have uid 50000, which is that of the group lab" },
		{ "[{name: lab, uid: 2004}]", "cluster c: user lab is called as a group of its users is, or was" },
		{ "[{name: day, uid: 2004}]", "cluster c: user day is called as a group of its users is, or was" },
		{ "[{name: hpc, uid: 2004}]", "cluster c: users: hpc is the own user of image mpi" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		autofixture f;
		vh_autofree char *text = vh_strf(PAIR "users: %s\n", bad[i].users);
		vh_autoerr err = VH_ERR_NONE;

		planned(&f, PAIR "users: [{name: ada, uid: 2001}, {name: bob, uid: 2002, groups: [lab]}]\n");
		changed(&f, PAIR "users: [{name: ada, uid: 2001, groups: [day]}]\n");
		record(&f);
		ck_assert_int_lt(turn_into(&f, text, &err), 0);
		unit_assert_err(&err, VH_EXIT_REFUSED, bad[i].says, NULL);
	}
}
END_TEST

/* --- what apply finds to do */

static size_t row_of(json_t *rows, const char *step, const char *node, const char *change)
{
	json_t *row;
	size_t i, n = 0;

	json_array_foreach(rows, i, row) {
		const char *is = json_string_value(json_object_get(row, "node"));

		n += !strcmp(json_string_value(json_object_get(row, "step")), step) && (!node || (is && !strcmp(is, node))) &&
		     !strcmp(json_string_value(json_object_get(row, "change")), change);
	}
	return n;
}

START_TEST(a_plan_names_who_comes_and_who_goes)
{
	autofixture f;
	vh_cleanup(sights_clear) struct sights all = { 0 };
	vh_autojson rows = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_virt *none = NULL;
	struct context ctx = { .virts = &none };
	vh_autofree char *disk = NULL;

	planned(&f, HEAD LOGIN "- {name: work, count: 2}\n");
	make_directory(&f);
	disk = unit_file(f.c.dir, "c-work-2/disk.qcow2", "");
	changed(&f, HEAD LOGIN "- {name: work, count: 1}\n- {name: big, count: 1}\n");
	ctx.cluster = &f.c;
	ctx.state = f.state;
	ck_assert_msg(sights_look(&ctx, false, &all, &err) == 0, "%s", err.text);
	rows = changes_rows(&f.c, &all, true);
	ck_assert_uint_eq(row_of(rows, "files", NULL, "change"), 1);
	ck_assert_uint_eq(row_of(rows, "disk", "c-work-2", "remove"), 1);
	ck_assert_uint_eq(row_of(rows, "domain", "c-work-2", "remove"), 0);
	ck_assert_uint_eq(row_of(rows, "domain", "c-big-1", "create"), 1);
	ck_assert_uint_eq(row_of(rows, "ready", "c-big-1", "create"), 1);
	ck_assert_uint_eq(changes_of(&all, LOOK_LEAVING), 1);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].look.is == LOOK_LEAVING)
			ck_assert_str_eq(change_loses(all.v[i].step), "what was written on it");
}
END_TEST

/* Its counts, "1 2", after these words; the refusal where they are refused. */
static char *scaled(const char *text, char *const *words, int n)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	char *counts = strdup("");
	size_t n_pools;
	const struct pool *pools;

	ck_assert_msg(manifest_parse("m.yaml", text, strlen(text), &m, &err) == 0, "%s", err.text);
	if (manifest_scale(&m, words, n, &err) < 0) {
		free(counts);
		return vh_strf("%d: %s%s%s", err.exit, err.text, err.hint ? "; " : "", err.hint ? err.hint : "");
	}
	pools = manifest_pools(&m, &n_pools);
	for (size_t i = 0; i < n_pools; i++) {
		char *more = vh_strf("%s%s%" PRIu64, counts, i ? " " : "", pools[i].count);

		free(counts);
		counts = more;
	}
	return counts;
}

START_TEST(counts_are_scaled_by_words)
{
#define MOST "each has a port of the cluster's bridge, of which Linux gives one 1023"
	static const char alike[] = "name: c\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 1G\n";
	static const char one_group[] = HEAD "- {name: work, count: 2}\n";
	static const char slurm[] = HEAD LOGIN "- {name: work, count: 2}\nslurm: yes\n";
	static const struct { const char *manifest; const char *words[3]; const char *is; } cases[] = {
		{ alike, { "3" }, "3" },
		{ alike, { "work=3" }, "3: cluster c has no groups, so no 'work'; say the number of its nodes alone: 2 now" },
		{ alike, { "0" }, "3: cluster c: 0 nodes; from 1 to 1023 are taken; vhpc cluster destroy c removes all of it" },
		{ alike, { "1024" }, "3: cluster c: 1024 nodes; from 1 to 1023 are taken; " MOST },
		{ alike, { "+1" }, "2: '+1' is neither N nor GROUP=N, a number of nodes" },
		{ alike, { "-1" }, "2: '-1' is neither N nor GROUP=N, a number of nodes" },
		{ alike, { "" }, "2: '' is neither N nor GROUP=N, a number of nodes" },
		{ alike, { "3", "4" }, "2: '4': the same nodes are counted twice" },
		{ one_group, { "3" }, "3" },
		{ two_groups, { "work=3" }, "1 3 2" },
		{ two_groups, { "work=1", "big=1022" }, "3: groups: 1024 nodes, at most 1023 are taken; " MOST },
		{ two_groups, { "work=1", "big=1021" }, "1 1 1021" },
		{ two_groups, { "big=4", "work=1" }, "1 1 4" },
		{ two_groups, { "work=1", "work=1" }, "2: 'work=1': the same nodes are counted twice" },
		{ two_groups, { "3" }, "3: cluster c has groups: login (1), work (2), big (2); say GROUP=N" },
		{ two_groups, { "none=3" }, "3: cluster c has no group 'none'; it has login (1), work (2), big (2)" },
		{ two_groups, { "=3" }, "3: cluster c has no group ''; it has login (1), work (2), big (2)" },
		{ two_groups, { "work=" }, "2: 'work=' is neither N nor GROUP=N, a number of nodes" },
		{ two_groups, { "work=0" },
		  "3: group work: 0 nodes; from 1 to 1023 are taken; a manifest without the group removes it when it is applied" },
		{ two_groups, { "login=2" }, "3: groups: 2 nodes of the role head, one at most is taken" },
		{ slurm, { "work=5" }, "1 5" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		int n = cases[i].words[1] ? 2 : 1;
		vh_autofree char *is = scaled(cases[i].manifest, (char *const *)cases[i].words, n);

		ck_assert_str_eq(is, cases[i].is);
	}
}
END_TEST

/* What scale wants of a cluster that exists is what a manifest with that count wants. */
START_TEST(a_cluster_is_scaled_by_its_own_manifest)
{
	autofixture f;
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_cleanup(manifest_clear) struct manifest wanted = { 0 };
	vh_autofree char *names = NULL, *leaving = NULL;
	vh_autoerr err = VH_ERR_NONE;
	const char *more = HEAD LOGIN "- {name: work, count: 4}\n- {name: big, count: 1, vcpus: 2}\n";

	planned(&f, two_groups);
	ck_assert_int_eq(cluster_manifest(&f.c, &m, &err), 0);
	ck_assert_int_eq(manifest_scale(&m, (char *[]){ "work=4", "big=1" }, 2, &err), 0);
	ck_assert_int_eq(manifest_parse("m.yaml", more, strlen(more), &wanted, &err), 0);
	ck_assert_int_lt(cluster_matches(&f.c, &m, &err), 0);
	vh_err_clear(&err);
	manifest_take_counts(&wanted, &m);
	ck_assert_uint_eq(manifest_nodes(&wanted), 6);
	changed(&f, more);
	ck_assert_msg(cluster_matches(&f.c, &m, &err) == 0, "%s", err.text);
	names = names_of(f.c.nodes, f.c.n_nodes);
	leaving = names_of(f.c.nodes + f.c.n_nodes, f.c.n_leaving);
	ck_assert_str_eq(names, "c-login-1 c-work-1 c-work-2 c-work-3 c-work-4 c-big-1");
	ck_assert_str_eq(leaving, "c-big-2");
}
END_TEST

/* Also of nodes that leave, and what a killed run left is settled where there are no disks any more. */
START_TEST(snapshots_are_of_the_disks_of_all_nodes)
{
	autofixture f;
	autodisks disks = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_virt *const virts[] = { NULL };
	vh_autofree char *text = strdup("");
	struct context ctx;
	bool settled;
	int64_t id;

	planned(&f, HEAD LOGIN "- {name: work, count: 2}\nvolumes:\n- {name: scratch, mount: /scratch, kind: node, size: 1G, groups: [work]}\n");
	changed(&f, HEAD LOGIN "- {name: work, count: 1}\nvolumes:\n- {name: scratch, mount: /scratch, kind: node, size: 1G, groups: [work]}\n");
	ck_assert_msg(disks_of(&f.c, &disks, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < disks.n; i++) {
		vh_autofree char *before = text;
		const struct snapshot_disk *d = &disks.v[i];

		text = vh_strf("%s%s %s %s\n", before, d->node, d->volume ? d->volume : "-", d->path + strlen(f.state) + 1);
	}
	ck_assert_str_eq(text, "c-login-1 - clusters/c/c-login-1/disk.qcow2\nc-work-1 - clusters/c/c-work-1/disk.qcow2\n"
			 "c-work-1 scratch volumes/c/c-work-1/scratch.qcow2\nc-work-2 - clusters/c/c-work-2/disk.qcow2\n"
			 "c-work-2 scratch volumes/c/c-work-2/scratch.qcow2\n");
	ctx = (struct context){ .cluster = &f.c, .virts = virts, .state = f.state };
	ck_assert_int_eq(vh_journal_begin(f.store, "cluster/c", "snapshot", "clean", &id, &err), 0);
	ck_assert_msg(disks_settle(&ctx, f.store, &err) == 0, "%s", err.text);
	ck_assert_int_eq(snapshots_are_settled("cluster/c", f.store, &settled, &err), 0);
	ck_assert(settled);
}
END_TEST

UNIT_SUITE(tools_change, snapshots_are_of_the_disks_of_all_nodes, the_same_manifest_changes_nothing, nodes_that_stay_keep_what_they_have, a_slot_is_given_again_when_its_node_is_gone,
	   who_was_to_leave_comes_back, shared_memory_stays_as_nodes_have_it, nodes_are_to_be_other_ones_and_come_back,
	   one_that_leaves_comes_back_as_it_was, what_a_node_was_to_have_is_given_back, what_is_given_back_needs_no_room, another_image_comes_and_goes,
	   nodes_are_of_what_they_were_until_they_are_replaced, what_no_node_was_made_of_is_as_before, all_nodes_need_one_user_and_one_mpi,
	   a_disk_is_kept_beside_and_put_back,
	   what_cannot_be_changed_is_refused,
	   a_network_has_no_more_nodes_than_addresses, nodes_that_come_and_those_that_leave_have_a_port_each, drift_that_apply_changes_says_so, a_role_changes_in_place, what_is_shared_stays_on_its_node,
	   a_damaged_record_of_leaving_nodes_is_refused, all_nodes_are_told_of_a_new_one, nodes_of_slurm_are_told_its_files,
	   what_slurm_cannot_change_is_refused, slurm_goes_from_three_nodes_to_two, slurm_goes_on_without_a_node_that_fails, a_killed_run_leaves_identities_to_be_finished,
	   users_come_change_and_go, a_killed_change_of_users_is_finished, names_and_numbers_of_users_stay_theirs,
	   a_plan_names_who_comes_and_who_goes, counts_are_scaled_by_words, a_cluster_is_scaled_by_its_own_manifest,
	   a_cluster_goes_on_without_nodes_that_fail, what_was_never_ready_can_be_spared, what_is_missing_is_missing_after_a_change_back)
