// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "images/images.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/plan/pools.h"
#include "tools/cluster/steps/steps.h"
#include "tools/cluster/volume/volume.h"
#include "vmm/hosts/hosts.h"
#include "vmm/layout/layout.h"
#include "vmm/want/want.h"

static const char two_node[] = "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\n";

static const char with_users[] = "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\n"
	"users: [{name: ada, uid: 2001, groups: [lab, video]}, {name: bob, uid: 2002}]\n";

static int parse(const char *text, struct manifest *m, struct vh_err *err)
{
	*m = (struct manifest){ 0 };
	return manifest_parse("m.yaml", text, strlen(text), m, err);
}

/* A plan of this host, with an image that exists by name alone. */
static int make_of(const char *text, bool nfs_server, struct vh_store *store, const char *state, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_image image = { .name = "mpi", .digest = "0123", .suite = "bookworm", .cmdline = { "root=/dev/vda" },
				  .user = "hpc", .mpi = "openmpi", .mpi_version = "4.1.4", .nfs_server = nfs_server };
	struct vh_image *images[] = { &image, &image, &image };
	struct vh_hosts_query q = { .state = state };
	int r = parse(text, &m, err);

	if (r == 0)
		r = cluster_plan(&m, images, &q, NULL, store, ret, err);
	vh_strv_free(q.notes);
	return r;
}

static int make(const char *text, struct vh_store *store, const char *state, struct cluster *ret, struct vh_err *err)
{
	return make_of(text, false, store, state, ret, err);
}

START_TEST(region_that_a_killed_run_left_is_completed)
{
	char id[40];
	struct node nodes[2] = { { .uuid = id } };
	struct cluster_pool pool = { .vcpus = 1 };
	struct cluster c = { .name = (char *)"two", .pools = &pool, .nodes = nodes, .n_nodes = 2 };
	const struct context ctx = { .cluster = &c };
	vh_autoclose int fd = -1;
	vh_autoerr err = VH_ERR_NONE;
	bool changed;
	struct stat st;

	snprintf(id, sizeof(id), "unit-test-%d", getpid());
	fd = shm_open(cluster_region(&c).name, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(step_region.apply(&ctx, &(struct spot){ 0 }, &changed, &err), 0);
	ck_assert(changed);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, cluster_region(&c).size);
	ck_assert_int_eq(step_region.apply(&ctx, &(struct spot){ 0 }, &changed, &err), 0);
	ck_assert(!changed);
	/* One of nodes that run is never cut off. */
	ck_assert_int_eq(ftruncate(fd, 2 * st.st_size), 0);
	ck_assert_int_eq(step_region.apply(&ctx, &(struct spot){ 0 }, &changed, &err), 0);
	ck_assert(!changed && fstat(fd, &st) == 0 && (uint64_t)st.st_size == 2 * cluster_region(&c).size);
	ck_assert_int_eq(step_region.undo(&ctx, &(struct spot){ 0 }, &err), 0);
	ck_assert_int_eq(step_region.undo(&ctx, &(struct spot){ 0 }, &err), 0);
	ck_assert_int_lt(shm_open(cluster_region(&c).name, O_RDWR, 0), 0);
}
END_TEST

/* vCPUs need not follow their guest node's number. */
START_TEST(published_nodes_have_their_cells)
{
	unsigned cell[] = { 0, 1, 1, 0, 1 };
	struct nic nics[2] = { { .address = (char *)"10.0.0.2" }, { .address = (char *)"10.0.0.3" } };
	struct vh_layout layouts[2] = { { .vcpus = 5 }, { .vcpus = 5, .n_cells = 2, .cell = cell } };
	struct node nodes[2] = { { .name = (char *)"two-1", .nics = &nics[0], .n_nics = 1, .layout = &layouts[0] },
				 { .name = (char *)"two-2", .nics = &nics[1], .n_nics = 1, .layout = &layouts[1] } };
	struct cluster_pool pool = {
		.wanted = { .image = (char *)"mpi" },
		.image = { .user = (char *)"hpc", .suite = (char *)"bookworm", .mpi = (char *)"openmpi", .mpi_version = (char *)"4.1.4" },
	};
	const struct cluster c = { .name = (char *)"two", .pools = &pool, .n_pools = 1, .nodes = nodes, .n_nodes = 2 };
	vh_autojson doc = publish_doc(&c, "/s/ssh_config");
	json_t *all = json_object_get(doc, "nodes"), *cells = json_object_get(json_array_get(all, 1), "cells");

	ck_assert_uint_eq(json_array_size(all), 2);
	ck_assert_ptr_null(json_object_get(json_array_get(all, 0), "cells"));
	ck_assert_uint_eq(json_array_size(cells), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(cells, 0), "cpus")), "0,3");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(cells, 1), "cpus")), "1-2,4");
}
END_TEST

static enum look_is look_at(const struct step *s, const struct context *ctx, const struct node *n)
{
	struct look look = { .is = LOOK_NOTHING };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(s->look(ctx, &(struct spot){ .node = n }, &look, &err) == 0, "%s", err.text);
	ck_assert((look.is == LOOK_OTHER || look.is == LOOK_MISSING) == (look.cause != NULL));
	return look.is;
}

/* All that a cluster's directory has, by name. */
static void whole(const struct cluster *c)
{
	static const char *const own[] = { "key", "key.pub", "kernel", "initrd", "root.ext4" }, *const of_node[] = { "hostkey.pub", "identity" };

	for (size_t i = 0; i < vh_array_len(own); i++)
		free(unit_file(c->dir, own[i], ""));
	for (size_t i = 0; i < c->n_nodes * vh_array_len(of_node); i++) {
		vh_autofree char *name = vh_strf("%s/%s", c->nodes[i / 2].name, of_node[i % 2]);

		free(unit_file(c->dir, name, ""));
	}
}

START_TEST(looks_say_what_is_there)
{
	vh_autofree char *state = unit_tmpdir(), *dir = vh_strf("%s/two", state), *part = vh_strf("%s.part", dir);
	vh_autofree char *json = vh_strf("%s/cluster.json", dir);
	struct nic nic = { .address = (char *)"10.0.0.2" };
	struct vh_layout layout = { .vcpus = 1 };
	struct node nodes[2] = { { .name = (char *)"two-1", .nics = &nic, .layout = &layout }, { .name = (char *)"two-2", .nics = &nic, .layout = &layout } };
	struct cluster_pool pool = {
		.vcpus = 1, .wanted = { .image = (char *)"mpi" },
		.image = { .user = (char *)"hpc", .suite = (char *)"bookworm", .mpi = (char *)"openmpi", .mpi_version = (char *)"4.1.4" },
	};
	struct cluster c = { .name = (char *)"two", .dir = dir, .pools = &pool, .nodes = nodes, .n_nodes = 2 };
	vh_autoerr err = VH_ERR_NONE;
	bool changed;
	struct vh_virt *none = NULL;
	const struct context ctx = { .cluster = &c, .virts = &none };

	ck_assert_int_eq(look_at(&step_files, &ctx, NULL), LOOK_MISSING);
	ck_assert_int_eq(mkdir(part, 0700), 0);
	ck_assert_int_eq(look_at(&step_files, &ctx, NULL), LOOK_OTHER);
	ck_assert_int_eq(rename(part, dir), 0);
	ck_assert_int_eq(look_at(&step_files, &ctx, NULL), LOOK_OTHER);
	whole(&c);
	ck_assert_int_eq(look_at(&step_files, &ctx, NULL), LOOK_SAME);
	ck_assert_int_eq(look_at(&step_publish, &ctx, NULL), LOOK_MISSING);
	ck_assert_int_ge(close(open(json, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	ck_assert_int_eq(look_at(&step_publish, &ctx, NULL), LOOK_OTHER);
	ck_assert_int_eq(step_publish.apply(&ctx, &(struct spot){ 0 }, &changed, &err), 0);
	ck_assert(changed);
	ck_assert_int_eq(look_at(&step_publish, &ctx, NULL), LOOK_SAME);
	/* It may be of the nodes that were: whoever only looks changes no more than its way to ssh. */
	c.n_nodes = 1;
	ck_assert_int_eq(look_at(&step_publish, &ctx, NULL), LOOK_OTHER);
	ck_assert_int_eq(files_settle(&c, &err), 0);
	c.n_nodes = 2;
	ck_assert_int_eq(look_at(&step_publish, &ctx, NULL), LOOK_SAME);
	ck_assert_int_eq(look_at(&step_disk, &ctx, &nodes[0]), LOOK_MISSING);
	ck_assert_int_eq(look_at(&step_domain, &ctx, &nodes[0]), LOOK_MISSING);
	ck_assert_int_eq(look_at(&step_ready, &ctx, &nodes[0]), LOOK_NOTHING);
	ck_assert_int_eq(look_at(&step_region, &ctx, NULL), LOOK_MISSING);
	c.n_nodes = 1;
	ck_assert_int_eq(look_at(&step_region, &ctx, NULL), LOOK_NOTHING);
}
END_TEST

START_TEST(region_is_sized_from_ranks)
{
	struct node nodes[64] = { { .uuid = (char *)"7d3c3c1e-54b4-4c6c-8b4f-0c7f3c1d2e4a" } };
	struct cluster_pool pool = { .vcpus = 2 };
	struct cluster c = { .name = (char *)"two", .pools = &pool, .nodes = nodes, .n_nodes = 2 };

	ck_assert_uint_eq(cluster_region(&c).size, 16 << 20);
	ck_assert_str_eq(cluster_region(&c).name, "vhpc-7d3c3c1e-54b4-4c6c-8b4f-0c7f3c1d2e4a");
	c.n_nodes = 3;
	ck_assert_uint_eq(cluster_region(&c).size, 16 << 20);
	c.n_nodes = 16;
	ck_assert_uint_eq(cluster_region(&c).size, 512 << 20);
	c.n_nodes = 64;
	pool.vcpus = 64;
	ck_assert_uint_eq(cluster_region(&c).size, 4ull << 30);
}
END_TEST

START_TEST(manifest_has_its_defaults)
{
	struct vh_want want;
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(parse("name: a\nimage: mpi\nnodes: 1\nvcpus: 2\nmemory: 1.5G\n", &m, &err), 0);
	ck_assert_int_eq(pool_want(&m.pool, "a-1", &want, &err), 0);
	ck_assert_int_eq(want.policy, VH_WANT_DEDICATED);
	ck_assert_uint_eq(want.memory, 3ull << 29);
	ck_assert_uint_eq(want.page, VH_PAGE_SMALL);
	ck_assert_ptr_null(m.network.cidr);
	ck_assert_uint_eq(ready_least(m.ready, 8), 8);
	ck_assert_uint_eq(ready_least("3", 8), 3);
	ck_assert_uint_eq(ready_least("9", 8), 8);
}
END_TEST

START_TEST(manifest_refuses_what_no_cluster_can_be)
{
	static const struct { const char *text, *where; } bad[] = {
		{ "name: A\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\n", "m.yaml:1:7: " },
		{ "name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\n", "m.yaml:1:7: " },
		{ "name: a\nimage: mpi\nnodes: 1025\nvcpus: 1\nmemory: 1G\n", "m.yaml:3:8: " },
		{ "name: a\nimage: mpi\nnodes: 1\nvcpus: -1\nmemory: 1G\n", "m.yaml:4:8: " },
		{ "name: a\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1M\n", "m.yaml:5:9: " },
		{ "name: a\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\nnetwork: {cidr: 10.0.0.1/24}\n", "m.yaml:6:17: " },
		{ "name: a\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 1G\nready: 0\n", "m.yaml:6:8: " },
		{ "name: a\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 1G\nready: most\n", "m.yaml:6:8: " },
		{ "name: a\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 1G\nready: 3\n", "m.yaml: ready: 3 of 2 nodes" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		struct manifest m;
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_int_lt(parse(bad[i].text, &m, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(err.text, bad[i].where, strlen(bad[i].where)), "%zu: %s", i, err.text);
	}
}
END_TEST

START_TEST(plan_is_the_same_each_time)
{
	vh_autofree char *state = unit_tmpdir();
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *first = NULL, *second = NULL;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autojson doc = NULL;

		ck_assert_msg(make(two_node, store, state, &c, &err) == 0, "%s", err.text);
		doc = cluster_to_json(&c);
		*(i ? &second : &first) = json_dumps(doc, JSON_SORT_KEYS);
		ck_assert_str_eq(c.nodes[1].name, "two-2");
		ck_assert_str_ne(c.nodes[0].nics[0].mac, c.nodes[1].nics[0].mac);
		ck_assert_str_ne(c.nodes[0].nics[0].tap, c.nodes[1].nics[0].tap);
	}
	ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(record_comes_back_as_it_was)
{
	vh_autofree char *state = unit_tmpdir(), *before = NULL, *after = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 }, back = { 0 };
	vh_autostore store = NULL;
	vh_autojson a = NULL;
	vh_autojson b = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(with_users, store, state, &c, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	ck_assert_msg(record_create(store, &c, &err) == 0, "%s", err.text);
	ck_assert_msg(record_load(store, state, "two", &back, &err) == 0, "%s", err.text);
	a = cluster_to_json(&c);
	b = cluster_to_json(&back);
	before = json_dumps(a, JSON_SORT_KEYS);
	after = json_dumps(b, JSON_SORT_KEYS);
	ck_assert_str_eq(before, after);
	ck_assert_str_eq(c.dir, back.dir);
}
END_TEST

/* As the first release wrote it: neither boot nor disk. */
static const char old_record[] =
	"{\"name\": \"two\", \"image\": {\"name\": \"mpi\", \"digest\": \"0123\", \"suite\": \"bookworm\", "
	"\"cmdline\": \"root=/dev/vda\", \"user\": \"hpc\"}, \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, "
	"\"vcpus\": 1, \"memory\": 536870912, \"cpu_policy\": \"shared\", \"cidr\": \"10.119.0.0/24\", "
	"\"bridge\": \"vb0\", \"accel\": \"kvm\", \"accel_why\": \"/dev/kvm works\", \"count\": 7, \"nodes\": []}";

START_TEST(record_of_an_earlier_release_is_read)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autojson doc = json_loads(old_record, 0, NULL);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(cluster_from_json(doc, "/s", &c, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c.owner, "cluster/two");
	ck_assert_str_eq(c.dir, "/s/clusters/two");
	ck_assert_int_eq(c.pools[0].wanted.boot, VH_BOOT_DIRECT);
	ck_assert_uint_eq(c.pools[0].wanted.disk, 0);
	ck_assert_str_eq(pool_said(&c.pools[0].wanted, "cpu_policy"), "shared");
	ck_assert_str_eq(pool_said(&c.pools[0].wanted, "memory"), "536870912");
	ck_assert_str_eq(c.pools[0].wanted.image, "mpi");
	ck_assert_str_eq(c.pools[0].image.mpi_version, "4.1.4");
	ck_assert_int_eq(c.accel, CLUSTER_KVM);
	ck_assert_uint_eq(c.cidr.prefix, 24);
}
END_TEST

START_TEST(damaged_record_is_refused)
{
	static const struct { const char *key, *value; } damage[] = {
		{ "name", "null" }, { "image", "\"mpi\"" }, { "image", "{\"name\": \"mpi\"}" }, { "mpi", "null" },
		{ "vcpus", "-1" }, { "memory", "\"1G\"" }, { "cpu_policy", "\"greedy\"" }, { "boot", "1" },
		{ "cidr", "\"10.0.0.1/24\"" }, { "accel", "\"xen\"" }, { "nodes", "{}" }, { "nodes", "[1]" },
		{ "nodes", "[{\"name\": \"two-1\"}]" }, { "users", "[{\"name\": \"../x\", \"uid\": 2001, \"groups\": [], \"keys\": []}]" },
		{ "users", "[{\"name\": \"ada\"}]" },
		{ "image", "{\"name\": \"mpi\", \"digest\": \"0\", \"suite\": \"s\", \"cmdline\": \"c\", \"user\": \"hpc\\n  ProxyCommand x\"}" },
	};

	for (size_t i = 0; i < vh_array_len(damage); i++) {
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autojson doc = json_loads(old_record, 0, NULL);
		vh_autoerr err = VH_ERR_NONE;

		json_object_set_new(doc, damage[i].key, json_loads(damage[i].value, JSON_DECODE_ANY, NULL));
		ck_assert_msg(cluster_from_json(doc, "/s", &c, &err) < 0, "%s: %s", damage[i].key, damage[i].value);
		ck_assert_ptr_nonnull(err.text);
		ck_assert_ptr_null(c.name);
	}
}
END_TEST

START_TEST(another_cluster_gets_another_network)
{
	vh_autofree char *state = unit_tmpdir();
	vh_cleanup(cluster_clear) struct cluster one = { 0 }, two = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(two_node, store, state, &one, &err) == 0, "%s", err.text);
	ck_assert_msg(record_create(store, &one, &err) == 0, "%s", err.text);
	ck_assert_msg(make("name: other\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 512M\n", store, state, &two, &err) == 0, "%s", err.text);
	ck_assert(!vh_cidr_overlap(&one.cidr, &two.cidr));

	ck_assert_msg(record_remove(store, &one, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_lease_list(store, NULL, NULL, &leases, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	vh_lease_free(leases, n);
}
END_TEST

/* What the nodes share is memory of a node, as theirs is. */
START_TEST(the_region_is_leased)
{
	vh_autofree char *state = unit_tmpdir(), *key = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_lease *leases;
	size_t n;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(two_node, store, state, &c, &err) == 0, "%s", err.text);
	c.nodes[0].uuid = strdup("unit-lease");
	ck_assert_msg(record_create(store, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_lease_list(store, "memory", "cluster/two", &leases, &n, &err), 0);
	ck_assert_uint_eq(n, 1);
	key = vh_strf("%u:/dev/shm/vhpc-unit-lease", (unsigned)c.region_node);
	ck_assert_str_eq(leases[0].key, key);
	ck_assert_uint_eq(leases[0].amount, 16 << 20);
	vh_lease_free(leases, n);
}
END_TEST

START_TEST(a_dedicated_cpu_is_given_once)
{
	vh_autofree char *state = unit_tmpdir();
	vh_cleanup(cluster_clear) struct cluster one = { 0 }, two = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char all[160];

	snprintf(all, sizeof(all), "name: all\nimage: mpi\nnodes: 1\nvcpus: %ld\nmemory: 256M\n", sysconf(_SC_NPROCESSORS_ONLN));
	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(all, store, state, &one, &err) == 0, "%s", err.text);
	ck_assert_msg(record_create(store, &one, &err) == 0, "%s", err.text);
	ck_assert_int_lt(make("name: other\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 256M\n", store, state, &two, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

START_TEST(another_shape_is_named)
{
	static const struct { const char *text, *says; } shapes[] = {
		{ "name: two\nimage: mpi\nnodes: 3\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\n", "nodes is 2, the manifest says 3" },
		{ "name: two\nimage: dev\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\n", "image is mpi, the manifest says dev" },
		{ "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\n", "cpu_policy is shared, the manifest says dedicated" },
		{ with_users, "exists with other users: ada is not as the manifest says" },
		{ "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\nvolumes: [{name: s, mount: /s, kind: node, size: 1G}]\n",
		  "exists with other volumes: s is not as the manifest says" },
	};
	vh_autofree char *state = unit_tmpdir();
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	ck_assert_msg(make(two_node, store, state, &c, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < vh_array_len(shapes); i++) {
		vh_cleanup(manifest_clear) struct manifest m = { 0 };

		ck_assert_int_eq(parse(shapes[i].text, &m, &err), 0);
		ck_assert_int_lt(cluster_matches(&c, &m, &err), 0);
		ck_assert_msg(strstr(err.text, shapes[i].says) != NULL, "%s", err.text);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	}
}
END_TEST

/* Two nodes of a kept volume and one that goes with them. */
START_TEST(volumes_of_nodes_are_made_and_kept)
{
	static const char with_volumes[] = "name: two\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\nvolumes:\n"
		"- {name: scratch, mount: /scratch, kind: node, size: 64M}\n- {name: work, mount: /work, kind: node, size: 64M, keep: yes}\n";
	vh_autofree char *state = unit_tmpdir(), *scratch = vh_strf("%s/volumes/two/two-1/scratch.qcow2", state);
	vh_autofree char *work = vh_strf("%s/volumes/two/two-1/work.qcow2", state), *dir = vh_strf("%s/volumes/two", state);
	vh_cleanup(cluster_clear) struct cluster c = { 0 }, back = { 0 };
	vh_autostore store = NULL;
	vh_autojson doc = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_virt *none = NULL;
	const struct context ctx = { .cluster = &c, .virts = &none };
	bool changed;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	ck_assert_msg(make(with_volumes, store, state, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(look_at(&step_volume, &ctx, &c.nodes[0]), LOOK_MISSING);
	ck_assert_msg(step_volume.apply(&ctx, &(struct spot){ .node = &c.nodes[0] }, &changed, &err) == 0, "%s", err.text);
	ck_assert(changed && access(scratch, F_OK) == 0 && access(work, F_OK) == 0);
	ck_assert_int_eq(look_at(&step_volume, &ctx, &c.nodes[0]), LOOK_SAME);
	ck_assert_int_eq(step_volume.apply(&ctx, &(struct spot){ .node = &c.nodes[0] }, &changed, &err), 0);
	ck_assert(!changed);
	ck_assert_int_eq(truncate(scratch, 0), 0);
	ck_assert_int_eq(look_at(&step_volume, &ctx, &c.nodes[0]), LOOK_OTHER);
	for (size_t i = 0; i < 2; i++)
		ck_assert_int_eq(step_volume.undo(&ctx, &(struct spot){ .node = &c.nodes[i] }, &err), 0);
	ck_assert(access(scratch, F_OK) < 0 && access(work, F_OK) == 0);
	ck_assert(unlink(work) == 0 && step_volume.undo(&ctx, &(struct spot){ .node = &c.nodes[0] }, &err) == 0);
	ck_assert_int_lt(access(dir, F_OK), 0);
	/* The record has them. */
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	doc = cluster_to_json(&c);
	ck_assert_msg(cluster_from_json(doc, state, &back, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(back.volumes.n, 2);
	ck_assert_str_eq(back.volumes_dir, c.volumes_dir);
}
END_TEST

/* A step that has nothing to do with a node is not among those of the plan. */
START_TEST(nodes_without_volumes_have_no_step_for_them)
{
	vh_autofree char *state = unit_tmpdir();
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_cleanup(sights_clear) struct sights s = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t n = 0;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	ck_assert_msg(make("name: two\ndefaults: {image: mpi, vcpus: 1, memory: 512M, cpu_policy: shared}\n"
			   "groups: [{name: a, count: 1}, {name: b, count: 2}]\n"
			   "volumes: [{name: s, mount: /s, kind: node, size: 1G, groups: [b]}]\n", store, state, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(sights_new(&c, &s), 0);
	for (size_t i = 0; i < s.n; i++)
		if (s.v[i].step == &step_volume) {
			ck_assert_uint_eq(s.v[i].at.node->pool, 1);
			n++;
		}
	ck_assert_uint_eq(n, 2);
}
END_TEST

#define SHARED "name: two\ndefaults: {image: mpi, vcpus: 1, memory: 512M, cpu_policy: shared}\n" \
	"groups: [{name: a, count: 2}, {name: b, count: 1, role: head}]\nvolumes:\n"

/* The head has the disk, or the group's first node that is named; the others mount it. */
START_TEST(what_is_shared_is_on_one_node)
{
	static const struct { const char *volumes; size_t server; } shared[] = {
		{ "- {name: home, mount: /home, kind: shared, size: 1G}\n", 2 },
		{ "- {name: home, mount: /home, kind: shared, size: 1G, on: a}\n", 0 },
	};
	vh_autofree char *state = unit_tmpdir();
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	for (size_t i = 0; i < vh_array_len(shared); i++) {
		vh_autofree char *text = vh_strf(SHARED "%s", shared[i].volumes);
		vh_cleanup(cluster_clear) struct cluster c = { 0 };

		ck_assert_msg(make_of(text, true, store, state, &c, &err) == 0, "%s", err.text);
		for (size_t k = 0; k < c.n_nodes; k++) {
			vh_autofree char *asked = cluster_volumes_question(&c, &c.nodes[k]);

			ck_assert(!cluster_next_volume(&c, &c.nodes[k], NULL) == (k != shared[i].server));
			ck_assert_str_eq(asked, "mountpoint -q /home && test \"$(systemctl is-active vhpc-mounts)\" != activating");
		}
	}
}
END_TEST

/* Then no node has it, and each is as good as the head. */
START_TEST(what_the_host_serves_is_on_no_node)
{
	struct volume volumes[] = {
		{ .name = (char *)"home", .mount = (char *)"/home", .kind = VOLUME_SHARED, .by = VOLUME_BY_HOST, .size = 1 << 30 },
		{ .name = (char *)"lab", .mount = (char *)"/lab", .kind = VOLUME_SHARED, .by = VOLUME_BY_HOST, .size = 1 << 30, .groups = (char *[]){ (char *)"a", NULL } },
	};
	struct cluster_pool pools[] = { { .wanted = { .name = (char *)"a" } }, { .wanted = { .name = (char *)"b", .role = POOL_HEAD } } };
	struct nic nic = { .address = (char *)"10.0.0.2" };
	struct node nodes[] = { { .name = (char *)"two-a-1", .pool = 0, .nics = &nic }, { .name = (char *)"two-b-1", .pool = 1, .nics = &nic } };
	const struct cluster c = { .pools = pools, .n_pools = 2, .nodes = nodes, .n_nodes = 2, .volumes = { volumes, 2 }, .volumes_dir = (char *)"/state/volumes/two" };
	vh_autofree char *image = cluster_served_image(&c, volumes), *dir = cluster_served_dir(&c, volumes);

	for (size_t i = 0; i < 2; i++) {
		ck_assert_ptr_null(cluster_next_volume(&c, &nodes[i], NULL));
		ck_assert_ptr_eq(cluster_next_served(&c, &nodes[i], NULL), &volumes[0]);
	}
	ck_assert_ptr_eq(cluster_next_served(&c, &nodes[0], &volumes[0]), &volumes[1]);
	ck_assert_ptr_null(cluster_next_served(&c, &nodes[1], &volumes[0]));
	ck_assert_ptr_eq(cluster_next_served(&c, NULL, &volumes[0]), &volumes[1]);
	ck_assert_str_eq(image, "/state/volumes/two/home.ext4");
	ck_assert_str_eq(dir, "/state/volumes/two/home.served");
}
END_TEST

/* Where the host has no virtiofsd it is that which is said. */
START_TEST(what_cannot_be_served_is_refused)
{
	vh_autofree char *state = unit_tmpdir(), *root = vh_strf("%s/root.ext4", state);
	char *const mkfs[] = { (char *)"mkfs.ext4", (char *)"-q", root, (char *)"4M", NULL };
	struct vh_image image = { .name = (char *)"mpi", .digest = (char *)"0123", .suite = (char *)"bookworm", .cmdline = { (char *)"root=/dev/vda" }, .root = root,
				  .user = (char *)"hpc", .mpi = (char *)"openmpi", .mpi_version = (char *)"4.1.4", .kernel_version = (char *)"6.1.0" };
	struct vh_image *images[] = { &image };
	struct vh_hosts_query q = { .state = state };
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autofree char *text = vh_strf("%svolumes: [{name: home, mount: /home, kind: shared, by: host, size: 1G}]\n", two_node);
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = mkfs }, NULL, &err), 0);
	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_READ, &err), 0);
	ck_assert_int_eq(parse(text, &m, &err), 0);
	ck_assert_int_lt(cluster_plan(&m, images, &q, NULL, store, &c, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, "has no virtiofs") && strstr(err.hint, "by: node shares by NFS"), "%s", err.text);
	vh_strv_free(q.notes);
}
END_TEST

/* One of another size, or a link, is no reason not to look at the rest. */
START_TEST(an_image_that_is_served_is_looked_at)
{
	vh_autofree char *dir = unit_tmpdir(), *image = unit_file(dir, "home.ext4", "short");
	struct volume home = { .name = (char *)"home", .mount = (char *)"/home", .kind = VOLUME_SHARED, .by = VOLUME_BY_HOST, .size = 64 << 20 };
	struct vh_virt *none = NULL;
	const struct cluster c = { .volumes_dir = dir, .volumes = { &home, 1 } };
	const struct context ctx = { .cluster = &c, .virts = &none };

	ck_assert_int_eq(look_at(&step_served, &ctx, NULL), LOOK_OTHER);
	ck_assert_int_eq(truncate(image, 64 << 20), 0);
	ck_assert_int_eq(look_at(&step_served, &ctx, NULL), LOOK_SAME);
	ck_assert_int_eq(unlink(image), 0);
	ck_assert_int_eq(look_at(&step_served, &ctx, NULL), LOOK_MISSING);
	ck_assert_int_eq(symlink("/etc/passwd", image), 0);
	ck_assert_int_eq(look_at(&step_served, &ctx, NULL), LOOK_OTHER);
}
END_TEST

/* As in a state directory that was copied while it was mounted; nor are they removed. */
START_TEST(files_in_the_place_of_what_is_served_are_not_hidden)
{
	vh_autofree char *dir = unit_tmpdir(), *image = unit_file(dir, "home.ext4", ""), *place = vh_strf("%s/home.served", dir), *file = NULL;
	struct volume home = { .name = (char *)"home", .mount = (char *)"/home", .kind = VOLUME_SHARED, .by = VOLUME_BY_HOST };
	struct vh_virt *none = NULL;
	const struct cluster c = { .volumes_dir = dir, .volumes = { &home, 1 } };
	const struct context ctx = { .cluster = &c, .virts = &none };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(volume_place_check(place, &err), 0);
	ck_assert_int_eq(mkdir(place, 0700), 0);
	ck_assert_int_eq(volume_place_check(place, &err), 0);
	file = unit_file(place, "files/kept", "of ada\n");
	ck_assert_int_lt(volume_place_check(place, &err), 0);
	ck_assert_msg(strstr(err.text, "home.served: has files, while nothing is mounted on it") != NULL, "%s", err.text);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	ck_assert_int_lt(step_served.undo(&ctx, &(struct spot){ 0 }, &err), 0);
	ck_assert(access(file, F_OK) == 0 && access(image, F_OK) == 0);
	vh_err_clear(&err);
	ck_assert_int_eq(unlink(file), 0);
	*strrchr(file, '/') = 0;
	ck_assert_int_eq(rmdir(file), 0);
	ck_assert_int_eq(step_served.undo(&ctx, &(struct spot){ 0 }, &err), 0);
	ck_assert(access(place, F_OK) < 0 && access(image, F_OK) < 0);
}
END_TEST

/* Groups that do not mount it may have other kernels. */
START_TEST(those_that_mount_it_need_virtiofs)
{
	vh_autofree char *dir = unit_tmpdir(), *ext4 = vh_strf("%s/root.ext4", dir);
	char *const mkfs[] = { (char *)"mkfs.ext4", (char *)"-q", ext4, (char *)"4M", NULL };
	struct vh_image image = { .root = ext4, .kernel_version = (char *)"6.1.0" }, *images[] = { NULL, &image };
	struct volume v[] = { { .name = (char *)"lab", .mount = (char *)"/lab", .kind = VOLUME_SHARED, .by = VOLUME_BY_HOST, .groups = (char *[]){ (char *)"a", NULL } } };
	struct cluster_pool pools[] = { { .wanted = { .name = (char *)"a" } }, { .wanted = { .name = (char *)"b", .image = (char *)"old" } } };
	const struct cluster c = { .pools = pools, .n_pools = 2, .volumes = { v, 1 } };
	vh_autoroot root = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_spawn_ok(&(struct vh_spawn){ .argv = mkfs }, NULL, &err), 0);
	ck_assert_int_eq(vh_root_open(&root, dir, &err), 0);
	ck_assert_msg(pools_check_parts(&c, images, root, &err) == 0, "%s", err.text);
	v[0].groups = NULL;
	ck_assert_int_lt(pools_check_parts(&c, images, root, &err), 0);
	ck_assert_msg(strstr(err.text, "the kernel of image old has no virtiofs") != NULL, "%s", err.text);
}
END_TEST

START_TEST(what_cannot_be_shared_is_refused)
{
	static const struct { const char *volumes; bool nfs_server; const char *says; } bad[] = {
		{ "- {name: home, mount: /home, kind: shared, size: 1G}\n", false, "image mpi, of two-b-1 that is to export what is shared, has no nfs-kernel-server" },
		{ "- {name: home, mount: /home, kind: shared, size: 1G}\n- {name: s, mount: /s, kind: shared, size: 1G, on: a}\n", true,
		  "volumes home and s: would be on two-b-1 and two-a-1" },
	};
	vh_autofree char *state = unit_tmpdir();
	vh_autostore store = NULL;

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autofree char *text = vh_strf(SHARED "%s", bad[i].volumes);
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert(store || vh_store_open(&store, state, VH_STORE_READ, &err) == 0);
		ck_assert_int_lt(make_of(text, bad[i].nfs_server, store, state, &c, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, bad[i].says) != NULL, "%s", err.text);
	}
}
END_TEST

START_TEST(files_come_from_the_image_of_the_plan_alone)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/two", dir);
	struct cluster_pool pool = { .wanted = { .image = (char *)"mpi", .restart_limit = 3 }, .image = { .digest = (char *)"0123", .user = (char *)"hpc" } };
	struct cluster c = { .name = (char *)"two", .dir = path, .pools = &pool, .n_pools = 1 };
	struct vh_image other = { .digest = (char *)"4567" }, *others[] = { &other };
	vh_autoerr err = VH_ERR_NONE;
	bool made = true;

	ck_assert_int_eq(files_make(&c, NULL, &made, &err), -ESTALE);
	ck_assert_int_eq(files_make(&c, others, &made, &err), -ESTALE);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert(!made);
	ck_assert_int_eq(rmdir(path), -1);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	/* What its nodes boot is lost. */
	ck_assert_int_eq(files_make(&c, NULL, &made, &err), -ESTALE);
	whole(&c);
	ck_assert_int_eq(files_make(&c, NULL, &made, &err), 0);
	ck_assert(made);
	ck_assert_int_eq(files_make(&c, NULL, &made, &err), 0);
	ck_assert(!made);
}
END_TEST

START_TEST(an_image_is_asked_for_only_where_a_group_lacks_its_files)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/two", dir), *kernel = NULL, *initrd = NULL, *disk = NULL;
	struct cluster_pool pools[2] = {
		{ .wanted = { .name = (char *)"head", .image = (char *)"mpi" }, .image.digest = (char *)"0123" },
		{ .wanted = { .name = (char *)"gpu", .image = (char *)"cuda" }, .image.digest = (char *)"4567" },
	};
	struct cluster c = { .name = (char *)"two", .dir = path, .pools = pools, .n_pools = 2 };
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	ck_assert_int_eq(mkdir(path, 0700), 0);
	whole(&c);
	kernel = unit_file(path, "boot/head/kernel", "");
	initrd = unit_file(path, "boot/head/initrd", "");
	disk = unit_file(path, "boot/head/root.ext4", "");
	ck_assert(files_have_pool(&c, 0) && !files_have_pool(&c, 1));
	ck_assert_int_eq(files_make(&c, NULL, &made, &err), -ESTALE);
	ck_assert_msg(!strncmp(err.text, "image cuda is gone", 18), "%s", err.text);
}
END_TEST

static char *text_of(const char *dir, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	vh_autoerr err = VH_ERR_NONE;
	char *text = NULL;
	size_t len;

	ck_assert_msg(vh_host_file(path, &text, &len, &err) == 0, "%s", err.text);
	return text;
}

static bool is_there(const char *dir, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

START_TEST(lost_keys_are_made_anew_and_nodes_marked_to_restart)
{
	vh_autofree char *state = unit_tmpdir(), *lost = NULL, *was = NULL, *key = NULL, *identity = NULL, *known = NULL, *no_key = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autostore store = NULL;
	vh_autoerr err = VH_ERR_NONE;
	bool made;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(two_node, store, state, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_mkdirs(c.dir, 0711, &err), 0);
	whole(&c);
	lost = vh_strf("%s/two-2/identity", c.dir);
	ck_assert_int_eq(unlink(lost), 0);
	ck_assert_msg(files_make(&c, NULL, &made, &err) == 0, "%s", err.text);
	ck_assert(made);
	ck_assert(is_there(c.dir, "two-1/restart") && is_there(c.dir, "two-2/restart"));
	was = text_of(c.dir, "key.pub");
	identity = text_of(c.dir, "two-1/identity");
	known = text_of(c.dir, "known_hosts");
	ck_assert_ptr_nonnull(strstr(identity, was));
	ck_assert_ptr_nonnull(strstr(known, "two-2,"));
	ck_assert_int_eq(files_make(&c, NULL, &made, &err), 0);
	ck_assert(!made);
	ck_assert_int_eq(files_key(&c, &key, &err), 0);
	ck_assert_int_eq(unlink(key), 0);
	ck_assert_int_eq(files_key(&c, &no_key, &err), -ENODATA);
	ck_assert_ptr_nonnull(strstr(err.hint, "vhpc cluster apply"));
	vh_err_clear(&err);
	ck_assert_msg(files_make(&c, NULL, &made, &err) == 0, "%s", err.text);
	no_key = text_of(c.dir, "key.pub");
	ck_assert_str_ne(no_key, was);
}
END_TEST

START_TEST(a_lost_record_comes_back_from_the_directory)
{
	vh_autofree char *state = unit_tmpdir(), *again = unit_tmpdir(), *dir = NULL, *damaged = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 }, saved = { 0 }, known = { 0 };
	vh_autostore store = NULL;
	vh_autostore other = NULL;
	vh_autojson is = NULL;
	vh_autojson was = NULL;
	struct vh_lease *leases;
	struct vh_step *steps;
	int64_t id;
	vh_autoerr err = VH_ERR_NONE;
	size_t n;

	ck_assert_int_eq(vh_store_open(&store, state, VH_STORE_WRITE, &err), 0);
	ck_assert_msg(make(two_node, store, state, &c, &err) == 0, "%s", err.text);
	c.uid = 70007;
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	/* What has no directory is not lost. */
	ck_assert_int_eq(record_lost(state, "two", &err), 0);
	ck_assert_int_eq(record_saved(state, "two", &saved, &err), -ENOENT);
	ck_assert_int_eq(vh_mkdirs(c.dir, 0711, &err), 0);
	ck_assert_int_eq(record_save(&c, c.dir, &err), 0);
	ck_assert_int_eq(record_lost(state, "two", &err), -ENODATA);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.hint, "vhpc cluster recover"));
	vh_err_clear(&err);
	ck_assert_msg(record_saved(state, "two", &saved, &err) == 0, "%s", err.text);
	/* Into another store, twice. */
	ck_assert_int_eq(vh_store_open(&other, again, VH_STORE_WRITE, &err), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(record_recover(other, &saved, &err) == 0, "%s", err.text);
	ck_assert_int_eq(record_load(other, state, "two", &known, &err), 0);
	is = cluster_to_json(&known);
	was = cluster_to_json(&c);
	ck_assert(json_equal(is, was));
	/* Region, network, user; the nodes' come with their domains. */
	ck_assert_int_eq(vh_lease_list(other, NULL, NULL, &leases, &n, &err), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(leases[2].key, "70007");
	vh_lease_free(leases, n);
	/* And goes whole, with what the journal knows by the name that the directory had. */
	ck_assert_int_eq(vh_journal_begin(other, known.owner, "files", "/old/clusters/two", &id, &err), 0);
	ck_assert_int_eq(record_remove(other, &known, &err), 0);
	ck_assert_int_eq(vh_journal_list(other, known.owner, &steps, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	vh_journal_free(steps, n);
	ck_assert_int_eq(vh_lease_list(other, NULL, NULL, &leases, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	vh_lease_free(leases, n);
	dir = vh_strf("%s/clusters/three", state);
	ck_assert_int_eq(rename(c.dir, dir), 0);
	cluster_clear(&saved);
	ck_assert_int_eq(record_saved(state, "three", &saved, &err), -EBADMSG);
	vh_err_clear(&err);
	damaged = unit_file(dir, "record.json", "{");
	ck_assert_int_eq(record_saved(state, "three", &saved, &err), -EBADMSG);
}
END_TEST

UNIT_SUITE(tools_cluster, lost_keys_are_made_anew_and_nodes_marked_to_restart, files_come_from_the_image_of_the_plan_alone,
	   an_image_is_asked_for_only_where_a_group_lacks_its_files, region_that_a_killed_run_left_is_completed, looks_say_what_is_there, region_is_sized_from_ranks, published_nodes_have_their_cells, manifest_has_its_defaults, manifest_refuses_what_no_cluster_can_be, plan_is_the_same_each_time,
	   record_comes_back_as_it_was, record_of_an_earlier_release_is_read, damaged_record_is_refused, another_cluster_gets_another_network, the_region_is_leased, a_dedicated_cpu_is_given_once,
	   another_shape_is_named, volumes_of_nodes_are_made_and_kept, nodes_without_volumes_have_no_step_for_them, what_is_shared_is_on_one_node, what_the_host_serves_is_on_no_node, what_cannot_be_shared_is_refused, what_cannot_be_served_is_refused, an_image_that_is_served_is_looked_at,
	   files_in_the_place_of_what_is_served_are_not_hidden, those_that_mount_it_need_virtiofs, a_lost_record_comes_back_from_the_directory)
