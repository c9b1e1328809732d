// SPDX-License-Identifier: Apache-2.0
/* Manifests: the table in docs/formats/manifest.md is the one that they are read by; those of several groups read,
 * planned on another host, recorded and compared. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "images/guest/identity_parse.h"
#include "images/images.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/manifest/manifest.h"
#include "tools/cluster/plan/plan.h"
#include "tools/cluster/slurm/slurm.h"
#include "tools/cluster/ssh/ssh.h"
#include "tools/cluster/steps/identity.h"
#include "tools/cluster/steps/keys.h"
#include "tools/cluster/steps/steps.h"
#include "vmm/hosts/hosts.h"

static const char mixed[] =
	"name: c\ndefaults: {image: mpi, vcpus: 1, memory: 1G}\ngroups:\n"
	"- {name: login, role: head, count: 1, cpu_policy: shared}\n"
	"- {name: work, count: 2, vcpus: 4, page_size: 2M, devices: [hca-vf:1:required]}\n";
static const char host[] = "tests/fixtures/infiniband-vfs.json";

static int parse(const char *text, struct manifest *m, struct vh_err *err)
{
	*m = (struct manifest){ 0 };
	return manifest_parse("m.yaml", text, strlen(text), m, err);
}

/* Images that exist by name alone. */
static int make_of(const char *text, const struct vh_image *second, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_image image = { .digest = (char *)"0123", .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" },
				  .user = (char *)"hpc", .mpi = (char *)"openmpi", .mpi_version = (char *)"5.0.7" };
	struct vh_image other = second ? *second : image, *images[] = { &image, &other, &other };
	vh_autofree char *state = unit_tmpdir();
	struct vh_hosts_query q = { .state = state };
	vh_autostore store = NULL;
	int r = vh_store_open(&store, state, VH_STORE_READ, err);

	if (r == 0)
		r = parse(text, &m, err);
	if (r == 0)
		r = cluster_plan(&m, images, &q, host, store, ret, err);
	vh_strv_free(q.notes);
	return r;
}

static void planned(const char *text, struct cluster *ret)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(make_of(text, NULL, ret, &err) == 0, "%s", err.text);
}

START_TEST(manifests_are_refused_with_their_place)
{
#define GROUPS "name: c\ngroups:\n- {name: a, count: 1, image: mpi, vcpus: 1, memory: 1G}\n- {name: "
	static const struct { const char *text, *says; } bad[] = {
		{ GROUPS "a, count: 1, image: mpi, vcpus: 1, memory: 1G}\n", "m.yaml:4:10: name: 'a' is there already" },
		{ GROUPS "b, count: 1, count: 2}\n", "m.yaml:4:23: " },
		{ GROUPS "b, count: 1, image: mpi, vpcus: 1}\n", "m.yaml:4:35: unknown key 'vpcus'" },
		{ GROUPS "b, image: mpi, vcpus: 1, memory: 1G}\n", "m.yaml:4:3: key 'count' is missing" },
		{ GROUPS "b, count: 1, vcpus: 1, memory: 1G}\n", "m.yaml:4:3: key 'image' is missing" },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1}\n", "m.yaml:4:3: groups: key 'memory' is missing" },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1, memory: 1G, role: chief}\n", "m.yaml:4:63: role: " },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1, memory: 1G, devices: [gpu, fpga]}\n", "m.yaml:4:72: devices: " },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 0, memory: 1G}\n", "m.yaml:4:42: vcpus: " },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1, memory: 1025M, page_size: 2M}\n", "m.yaml:4:3: groups: b: 1.0 GiB of memory is no multiple" },
		{ GROUPS "b, count: 1, image: mpi, numa: '1:1G,1:1G', vcpus: 3}\n", "m.yaml:4:3: groups: b: the guest nodes have 2 vCPUs" },
		{ GROUPS "b, count: 1, image: mpi, numa: '1:64M'}\n", "m.yaml:4:3: groups: 64 MiB is less than 256 MiB" },
		{ GROUPS "b, count: 1023, image: mpi, vcpus: 1, memory: 1G}\n", "m.yaml: groups: 1024 nodes, at most 1023" },
		{ "name: c\nimage: mpi\nvcpus: 1\nmemory: 1G\nnodes: 10000\n", "m.yaml:5:8: nodes: 10000 is more than 1023" },
		{ GROUPS "b, count: 2, role: head, image: mpi, vcpus: 1, memory: 1G}\n", "m.yaml: groups: 2 nodes of the role head" },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1, memory: 1G}\nnodes: 2\n", "m.yaml: groups are there, and keys of nodes" },
		{ "name: c\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\ndefaults: {vcpus: 2}\n", "m.yaml: defaults: no groups" },
		{ "name: c\nnodes: 1\nvcpus: 1\nmemory: 1G\n", "m.yaml: key 'image' is missing" },
		{ "name: c\nimage: mpi\nnodes: 1\nmemory: 1G\n", "m.yaml: key 'vcpus' is missing" },
		{ GROUPS "b, count: 1, image: mpi, vcpus: 1, memory: 1G}\nslurm: 2\n", "m.yaml:5:8: slurm: " },
		{ "name: c\nslurm: yes\ngroups:\n- {name: a, role: head, count: 1, image: mpi, vcpus: 1, memory: 1G}\n"
		  "- {name: b, role: data, count: 1, image: mpi, vcpus: 1, memory: 1G}\n", "m.yaml: slurm: no group has the role compute" },
		{ "name: c\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\nvms: 2\n", "m.yaml:6:1: unknown key 'vms'" },
		{ "name: c\na: &a [x,x]\nb: &b [*a,*a]\n", "m.yaml:2:" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_cleanup(manifest_clear) struct manifest m = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(parse(bad[i].text, &m, &err) < 0, "%s", bad[i].text);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(err.text, bad[i].says, strlen(bad[i].says)), "%s: %s", bad[i].text, err.text);
	}
}
END_TEST

START_TEST(nodes_of_groups_get_what_they_ask_for)
{
	static const char *const names[] = { "c-login-1", "c-work-1", "c-work-2" };
	static const char *const vfs[] = { NULL, "0000:3b:00.1", "0000:3b:00.2" };
	vh_autojson doc = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 };

	planned(mixed, &c);
	ck_assert_uint_eq(c.n_nodes, 3);
	for (size_t i = 0; i < c.n_nodes; i++)
		ck_assert_str_eq(c.nodes[i].name, names[i]);
	ck_assert_ptr_eq(cluster_head(&c), &c.nodes[0]);
	doc = cluster_to_json(&c);
	for (size_t i = 0; i < 3; i++) {
		const json_t *layout = json_object_get(json_array_get(json_object_get(doc, "nodes"), i), "layout");
		const json_t *devices = json_object_get(layout, "devices"), *cell = json_array_get(json_object_get(layout, "cells"), 0);

		ck_assert_uint_eq(json_array_size(devices), i ? 1 : 0);
		ck_assert_uint_eq(json_array_size(json_object_get(cell, "vcpus")), i ? 4 : 1);
		if (!i)
			continue;
		ck_assert_int_eq(json_integer_value(json_object_get(layout, "page_size")), 2 << 20);
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(devices, 0), "address")), vfs[i]);
		ck_assert_int_eq(json_integer_value(json_object_get(cell, "node")), 0);
	}
}
END_TEST

START_TEST(what_the_host_lacks_is_said_with_what_would_fit)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_lt(make_of("name: c\nimage: mpi\nnodes: 2\nvcpus: 1\nmemory: 1G\ndevices: [hca-vf:3]\n", NULL, &c, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(strstr(err.text, "hca") != NULL, "%s", err.text);
	ck_assert_ptr_nonnull(err.hint);
}
END_TEST

START_TEST(images_that_do_not_go_together_are_refused)
{
	const struct vh_image another_mpi = { .digest = (char *)"1", .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" },
					      .user = (char *)"hpc", .mpi = (char *)"mpich", .mpi_version = (char *)"4.2" };
	const struct vh_image another_user = { .digest = (char *)"1", .suite = (char *)"trixie", .cmdline = { (char *)"root=/dev/vda" },
					       .user = (char *)"me", .mpi = (char *)"openmpi", .mpi_version = (char *)"5.0.7" };
	const struct vh_image *const images[] = { &another_mpi, &another_user };

	for (size_t i = 0; i < vh_array_len(images); i++) {
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_int_lt(make_of(mixed, images[i], &c, &err), 0);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, "groups login and work: ") != NULL, "%s", err.text);
	}
}
END_TEST

START_TEST(groups_come_back_from_the_record)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 }, back = { 0 };
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson a = NULL;
	vh_autojson b = NULL;

	planned(mixed, &c);
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	a = cluster_to_json(&c);
	ck_assert_ptr_null(json_object_get(a, "image"));
	ck_assert_msg(cluster_from_json(a, "/s", &back, &err) == 0, "%s", err.text);
	b = cluster_to_json(&back);
	ck_assert(json_equal(a, b));
	ck_assert_uint_eq(back.nodes[2].pool, 1);
	ck_assert_uint_eq(back.pools[1].wanted.count, 2);
	ck_assert_int_eq(parse(mixed, &m, &err), 0);
	ck_assert_msg(cluster_matches(&back, &m, &err) == 0, "%s", err.text);
	/* A node of no group, and a group of no name. */
	json_object_set_new(json_array_get(json_object_get(a, "nodes"), 1), "group", json_string("other"));
	ck_assert_int_lt(cluster_from_json(a, "/s", &back, &err), 0);
	json_object_del(json_array_get(json_object_get(b, "groups"), 0), "name");
	ck_assert_int_lt(cluster_from_json(b, "/s", &back, &err), 0);
}
END_TEST

START_TEST(drift_of_a_group_is_named)
{
	static const struct { const char *from, *to, *says; } drift[] = {
		{ "count: 2", "count: 3", "group work: count is 2, the manifest says 3" },
		{ "vcpus: 4", "vcpus: 2", "group work: vcpus is 4, the manifest says 2" },
		{ "page_size: 2M", "threads: isolate", "group work: page_size is 2M, the manifest says 4096" },
		{ "hca-vf:1:required", "hca-vf:1", "group work: devices is [" },
		{ "name: login", "name: front", "groups is login, work, the manifest says front, work" },
		{ "role: head, ", "", "group login: role is head, the manifest says compute" },
		{ "memory: 1G", "memory: 2G", "group work: memory is 1G, the manifest says 2G" },
		{ "memory: 1G", "memory: 1024M", NULL },
		{ "hca-vf:1:required", "hca-vf:required", NULL },
		{ "memory: 1G", "memory: 1G, restart: always, restart_limit: 9", NULL },
	};
	vh_cleanup(cluster_clear) struct cluster c = { 0 };

	planned(mixed, &c);
	for (size_t i = 0; i < vh_array_len(drift); i++) {
		const char *at = strstr(mixed, drift[i].from);
		vh_autofree char *text = vh_strf("%.*s%s%s", (int)(at - mixed), mixed, drift[i].to, at + strlen(drift[i].from));
		vh_cleanup(manifest_clear) struct manifest m = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		int r;

		ck_assert_msg(parse(text, &m, &err) == 0, "%s", err.text);
		r = cluster_matches(&c, &m, &err);
		ck_assert_msg(drift[i].says ? r < 0 && strstr(err.text, drift[i].says) : r == 0, "%s: %s", drift[i].to, err.text);
	}
}
END_TEST

START_TEST(what_may_change_while_nodes_run_is_taken_over)
{
	static const struct pool says[] = { { .restart = POOL_ON_FAILURE, .restart_limit = 3 }, { .restart = POOL_NEVER, .restart_limit = 5 } };
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autofree char *dir = unit_tmpdir(), *record = NULL;
	vh_autoerr err = VH_ERR_NONE;

	planned(mixed, &c);
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	free(c.dir);
	c.dir = strdup(dir);
	ck_assert(record_is_kept(&c));
	ck_assert_int_eq(record_save(&c, dir, &err), 0);
	ck_assert(record_is_kept(&c));
	ck_assert_int_eq(parse(mixed, &m, &err), 0);
	ck_assert(!cluster_take_policy(&c, &m));
	for (size_t i = 0; i < vh_array_len(says); i++) {
		struct pool *work = (struct pool *)m.groups.items + 1;

		work->restart = says[i].restart;
		work->restart_limit = says[i].restart_limit;
		ck_assert(cluster_take_policy(&c, &m));
		ck_assert(!cluster_take_policy(&c, &m));
		ck_assert_int_eq(c.pools[0].wanted.restart, POOL_NEVER);
		ck_assert_int_eq(c.pools[1].wanted.restart, work->restart);
		ck_assert_uint_eq(c.pools[1].wanted.restart_limit, work->restart_limit);
		ck_assert(!record_is_kept(&c));
		ck_assert_int_eq(record_save(&c, dir, &err), 0);
		ck_assert(record_is_kept(&c));
	}
	ck_assert(pool_is_policy("restart") && pool_is_policy("restart_limit") && !pool_is_policy("boot"));
	record = vh_strf("%s/record.json", dir);
	ck_assert_int_eq(vh_write_file(record, "{", 1, 0600, &err), 0);
	ck_assert(!record_is_kept(&c));
}
END_TEST

START_TEST(published_nodes_have_group_and_role)
{
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_autojson doc = NULL;
	json_t *node;

	planned(mixed, &c);
	doc = publish_doc(&c, "/s/ssh_config");
	node = json_array_get(json_object_get(doc, "nodes"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(node, "group")), "work");
	ck_assert_str_eq(json_string_value(json_object_get(node, "role")), "compute");
	ck_assert_int_eq(json_integer_value(json_object_get(node, "slots")), 4);
}
END_TEST

START_TEST(page_has_the_table)
{
	unit_check_page("docs/formats/manifest.md", manifest_keys);
}
END_TEST

/* --- users, up to what nodes are told of them */

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define USERS_HEAD "name: a\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\nusers:\n"

static int load(const char *dir, const char *users, struct manifest *m, struct vh_err *err)
{
	vh_autofree char *text = vh_strf(USERS_HEAD "%s", users);
	vh_autofree char *path = unit_file(dir, "m.yaml", text);

	return manifest_load(path, m, err);
}

START_TEST(users_are_read_with_the_files_of_their_keys)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	const struct login *l;

	free(unit_file(dir, "keys/bob.pub", "# desk and home\n" KEY " bob@desk\r\n\n  " KEY " bob@home\n"));
	ck_assert_msg(load(dir, "- {name: ada, uid: 2001, groups: [video, lab], keys: ['" KEY " ada']}\n"
				"- {name: bob, uid: 300000, keys: ['" KEY "', keys/bob.pub]}\n- {name: eve, uid: 1001}\n", &m, &err) == 0, "%s", err.text);
	l = m.users.items;
	ck_assert_uint_eq(m.users.n, 3);
	ck_assert_uint_eq(l[1].uid, 300000);
	ck_assert_str_eq(l[0].groups[1], "lab");
	ck_assert_str_eq(l[0].keys[0], KEY " ada");
	ck_assert_uint_eq(vh_strv_len(l[1].keys), 3);
	ck_assert_str_eq(l[1].keys[1], KEY " bob@desk");
	ck_assert_str_eq(l[1].keys[2], KEY " bob@home");
	ck_assert_ptr_null(l[2].keys);
}
END_TEST

START_TEST(users_that_cannot_be_are_refused)
{
	static const struct { const char *users, *says; } bad[] = {
		{ "- {name: ada, uid: 2001}\n- {name: ada, uid: 2002}\n", "m.yaml:8:10: name: 'ada' is there already" },
		{ "- {name: ada, uid: 2001}\n- {name: bob, uid: 2001}\n", "m.yaml:8:20: uid: '2001' is there already" },
		{ "- {name: ada}\n", "m.yaml:7:3: key 'uid' is missing" },
		{ "- {uid: 2001}\n", "m.yaml:7:3: key 'name' is missing" },
		{ "- {name: Ada, uid: 2001}\n", "m.yaml:7:10: name: 'Ada' is no login" },
		{ "- {name: ../a, uid: 2001}\n", "m.yaml:7:10: name: '../a' is no login" },
		{ "- {name: root, uid: 2001}\n", "m.yaml:7:10: name: 'root' is a user or group of every image" },
		{ "- {name: video, uid: 2001}\n", "m.yaml:7:10: name: 'video' is a user or group of every image" },
		{ "- {name: ada, uid: 0}\n", "m.yaml:7:20: uid: 0 is the system's, or the image's own user's" },
		{ "- {name: ada, uid: 1000}\n", "m.yaml:7:20: uid: 1000 is the system's, or the image's own user's" },
		{ "- {name: ada, uid: 65534}\n", "m.yaml:7:20: uid: 65534 is the system's, or the image's own user's" },
		{ "- {name: ada, uid: 99999999999}\n", "m.yaml:7:20: uid: 99999999999 is the system's, or the image's own user's" },
		{ "- {name: ada, uid: x}\n", "m.yaml:7:20: uid: 'x' is not a whole number" },
		{ "- {name: ada, uid: 2001, groups: [root]}\n", "m.yaml:7:35: groups: root is nobody's further group" },
		{ "- {name: ada, uid: 2001, groups: ['a,b']}\n", "m.yaml:7:35: groups: 'a,b' is no login" },
		{ "- {name: ada, uid: 2001, keys: ['ssh-ed25519 AAAA']}\n", "m.yaml:7:33: keys: 'ssh-ed25519 AAAA' is neither an OpenSSH public key nor a file of them" },
		{ "- {name: ada, uid: 2001, keys: ['command=\"x\" " KEY "']}\n", "m.yaml:7:33: keys: 'command=\"x\" ssh-ed25519 AAAAC3NzaC1lZDI1' is neither" },
		{ "- {name: ada, uid: 2001, keys: [none.pub]}\n", "m.yaml: users: ada: " },
		{ "- {name: ada, uid: 2001, keys: [bad.pub]}\n", "bad.pub:2: not an OpenSSH public key" },
		{ "- {name: ada, uid: 2001, shell: /bin/sh}\n", "m.yaml:7:26: unknown key 'shell'" },
	};
	vh_autofree char *dir = unit_tmpdir();

	free(unit_file(dir, "bad.pub", KEY "\nno-pty " KEY "\n"));
	for (size_t i = 0; i < vh_array_len(bad); i++) {
		struct manifest m = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(load(dir, bad[i].users, &m, &err) < 0, "taken: %s", bad[i].users);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(strstr(err.text, bad[i].says), "%s", err.text);
		ck_assert(!m.name && !m.users.items);
	}
}
END_TEST

/* What nodes would not take all of, they would take nothing of. */
START_TEST(nodes_are_not_told_more_than_they_take)
{
	vh_autofree char *dir = unit_tmpdir(), *line = NULL, *big = calloc(1, 300 << 10), *users = NULL;
	struct manifest m = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	size_t len;
	FILE *f = open_memstream(&users, &len);

	ck_assert(f && big);
	for (unsigned i = 0; i < 9; i++) {
		fprintf(f, "- {name: u%u, uid: %u, groups: [", i, 2000 + i);
		for (unsigned k = 0; k < 32; k++)
			fprintf(f, "g%u-%u%s", i, k, k < 31 ? "," : "]}\n");
	}
	fclose(f);
	ck_assert_int_lt(load(dir, users, &m, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "users: 288 further groups together, at most 256 are taken"));
	vh_err_clear(&err);

	memset(big, 'x', (300 << 10) - 1);
	line = vh_strf(KEY " %s\n", big);
	free(unit_file(dir, "big.pub", line));
	ck_assert_int_lt(load(dir, "- {name: ada, uid: 2001, keys: [big.pub]}\n", &m, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "big.pub: is 300 KiB, keys of at most 256 are taken"));
}
END_TEST

START_TEST(a_name_is_had_without_the_files_of_keys)
{
	vh_autofree char *dir = unit_tmpdir(), *name = NULL;
	vh_autofree char *path = unit_file(dir, "c.yaml", "name: c\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\n"
							  "users: [{name: ada, uid: 2001, keys: [gone.pub]}]\n");
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(cluster_name(path, &name, &err) == 0, "%s", err.text);
	ck_assert_str_eq(name, "c");
}
END_TEST

static struct cluster cluster_of(const struct manifest *m)
{
	static struct cluster_pool pool;
	struct cluster c = { .name = (char *)"two", .pools = &pool, .users = m->users };

	return c;
}

/* What nodes are told is what their program reads, and no private key is left beside it. */
START_TEST(nodes_understand_what_they_are_told)
{
	vh_autofree char *dir = unit_tmpdir(), *text = NULL, *private = vh_strf("%s/users/ada", dir), *public = vh_strf("%s.pub", private);
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	vh_autofree char *lines = NULL, *keys = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_identity id;
	char why[128] = "";
	struct cluster c;

	ck_assert_msg(load(dir, "- {name: ada, uid: 2001, groups: [video, bob], keys: ['" KEY " ada']}\n"
				"- {name: bob, uid: 50000, groups: [lab, video]}\n", &m, &err) == 0, "%s", err.text);
	c = cluster_of(&m);
	ck_assert_int_eq(users_lines(&c, &lines, &err), 0);
	ck_assert_int_eq(users_keys(dir, &c, NULL, &keys, &err), 0);
	free(vh_steal(&keys));
	ck_assert_msg(users_keys(dir, &c, NULL, &keys, &err) == 0, "%s", err.text);
	text = vh_strf("hostname n1\n%s%s", lines, keys);
	ck_assert_msg(vh_identity_parse(text, strlen(text), &id, why, sizeof(why)) == 0, "%s", why);
	ck_assert_uint_eq(id.people.n_users, 2);
	ck_assert_uint_eq(id.people.users[1].uid, 50000);
	ck_assert_str_eq(id.people.users[0].groups[1], "bob");
	ck_assert_str_eq(id.people.users[0].authorized[0], KEY " ada");
	ck_assert_str_ne(id.people.users[0].key, id.people.users[1].key);
	/* A user's own group is no further one, and his number no group's. */
	ck_assert_uint_eq(id.people.n_groups, 2);
	ck_assert_str_eq(id.people.groups[1].name, "lab");
	ck_assert_uint_eq(id.people.groups[0].gid, 50001);
	ck_assert_uint_eq(id.people.groups[1].gid, 50002);
	ck_assert(access(private, F_OK) < 0 && access(public, F_OK) == 0);
	vh_identity_clear(&id);
}
END_TEST

START_TEST(without_users_nodes_are_told_of_none)
{
	vh_autofree char *dir = unit_tmpdir(), *own = vh_strf("%s/users", dir), *lines = NULL, *keys = NULL;
	const struct manifest m = { 0 };
	const struct cluster c = cluster_of(&m);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(users_lines(&c, &lines, &err), 0);
	ck_assert_int_eq(users_keys(dir, &c, NULL, &keys, &err), 0);
	ck_assert_str_eq(lines, "");
	ck_assert_str_eq(keys, "");
	ck_assert_int_lt(access(own, F_OK), 0);
}
END_TEST

START_TEST(the_images_own_user_is_no_other)
{
	static const char own[] = "name: c\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 1G\nusers: [{name: hpc, uid: 2001}]\n";
	struct cluster c;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(make_of(own, NULL, &c, &err), -EEXIST);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster c: users: hpc is the own user of image mpi", NULL);
}
END_TEST

/* Another number, another key, one more or one less: all are said, by name. */
START_TEST(other_users_are_named)
{
	static const char *const others[] = {
		"- {name: ada, uid: 2002}\n- {name: bob, uid: 2003}\n", "- {name: ada, uid: 2001, groups: [lab]}\n- {name: bob, uid: 2003}\n",
		"- {name: bob, uid: 2003}\n", "- {name: ada, uid: 2001, keys: ['" KEY "']}\n- {name: bob, uid: 2003}\n",
	};
	vh_autofree char *dir = unit_tmpdir();
	vh_cleanup(manifest_clear) struct manifest m = { 0 }, turned = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(load(dir, "- {name: ada, uid: 2001}\n- {name: bob, uid: 2003}\n", &m, &err), 0);
	for (size_t i = 0; i < vh_array_len(others); i++) {
		vh_cleanup(manifest_clear) struct manifest other = { 0 };

		ck_assert_int_eq(load(dir, others[i], &other, &err), 0);
		ck_assert_str_eq(logins_differ(&m.users, &other.users), "ada");
		ck_assert_str_eq(logins_differ(&other.users, &m.users), "ada");
	}
	ck_assert_int_eq(load(dir, "- {name: bob, uid: 2003}\n- {name: ada, uid: 2001}\n", &turned, &err), 0);
	ck_assert_ptr_null(logins_differ(&m.users, &turned.users));
}
END_TEST

/* --- Slurm */

static const char batch[] =
	"name: b\nslurm: yes\ndefaults: {image: batch, vcpus: 1, memory: 512M, cpu_policy: shared}\ngroups:\n"
	"- {name: keep, role: data, count: 1}\n- {name: head, role: head, count: 1}\n- {name: work, count: 2}\n";
static const char alike[] = "name: b\nslurm: yes\nimage: batch\nnodes: 2\nvcpus: 1\nmemory: 512M\ncpu_policy: shared\n";

/* On this host, with images that have these daemons, a letter each: of data nodes, head and others. */
static int plan_with(const char *text, const char *daemons, const char *state, struct cluster *ret, struct vh_err *err)
{
	vh_cleanup(manifest_clear) struct manifest m = { 0 };
	struct vh_image is[3], *images[] = { &is[0], &is[1], &is[2] };
	struct vh_hosts_query q = { .state = state };
	vh_autostore store = NULL;
	int r = manifest_parse("m.yaml", text, strlen(text), &m, err);

	for (size_t i = 0; i < 3; i++)
		is[i] = (struct vh_image){ .digest = (char *)"0123", .suite = (char *)"bookworm", .cmdline = { (char *)"root=/dev/vda" },
					   .user = (char *)"hpc", .mpi = (char *)"openmpi", .mpi_version = (char *)"4.1.4",
					   .slurmctld = strchr("cb", daemons[i]), .slurmd = strchr("db", daemons[i]) };
	if (r == 0)
		r = vh_store_open(&store, state, VH_STORE_READ, err);
	if (r == 0)
		r = cluster_plan(&m, images, &q, NULL, store, ret, err);
	vh_strv_free(q.notes);
	return r;
}

/* b: both daemons, c: slurmctld, d: slurmd, -: none. */
START_TEST(images_without_slurm_are_refused)
{
	static const struct { const char *text, *daemons, *says; } tries[] = {
		{ batch, "-cd", NULL }, { batch, "-bb", NULL }, { alike, "b--", NULL },
		{ batch, "bdb", "cluster b: slurm: image batch has no slurmctld" },
		{ batch, "bcc", "cluster b: slurm: image batch has no slurmd" },
		{ alike, "c--", "cluster b: slurm: image batch has no slurmd" },
		{ alike, "d--", "cluster b: slurm: image batch has no slurmctld" },
	};

	for (size_t i = 0; i < vh_array_len(tries); i++) {
		vh_autofree char *state = unit_tmpdir();
		vh_cleanup(cluster_clear) struct cluster c = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		int r = plan_with(tries[i].text, tries[i].daemons, state, &c, &err);

		ck_assert_msg((r == 0) == !tries[i].says, "%zu: %s", i, err.text);
		if (tries[i].says) {
			ck_assert_ptr_nonnull(strstr(err.hint, "mpi-slurm"));
			unit_assert_err(&err, VH_EXIT_REFUSED, tries[i].says, NULL);
		}
	}
}
END_TEST

START_TEST(a_cluster_keeps_its_slurm)
{
	vh_autofree char *state = unit_tmpdir();
	vh_cleanup(cluster_clear) struct cluster c = { 0 }, back = { 0 };
	vh_cleanup(manifest_clear) struct manifest with = { 0 }, without = { 0 };
	vh_autojson doc = NULL;
	vh_autoerr err = VH_ERR_NONE;
	const char *rest = strchr(alike, '\n') + strlen("\nslurm: yes\n");
	vh_autofree char *text = vh_strf("name: b\n%s", rest);

	ck_assert_msg(plan_with(alike, "b--", state, &c, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < c.n_nodes; i++)
		c.nodes[i].uuid = vh_strf("uuid-%zu", i);
	doc = cluster_to_json(&c);
	ck_assert_msg(cluster_from_json(doc, state, &back, &err) == 0, "%s", err.text);
	ck_assert(back.slurm);
	ck_assert_int_eq(manifest_parse("m.yaml", alike, strlen(alike), &with, &err), 0);
	ck_assert_int_eq(cluster_matches(&back, &with, &err), 0);
	ck_assert_int_eq(manifest_parse("m.yaml", text, strlen(text), &without, &err), 0);
	ck_assert_int_lt(cluster_matches(&back, &without, &err), 0);
	ck_assert_msg(strstr(err.text, "slurm is yes, the manifest says no") != NULL, "%s", err.text);
}
END_TEST

static void read_identity(const struct cluster *c, const char *dir, size_t i, struct vh_identity *ret)
{
	vh_autofree char *path = vh_strf("%s/%s/identity", dir, c->nodes[i].name), *text = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char why[160];
	size_t len;

	ck_assert_msg(vh_host_file(path, &text, &len, &err) == 0, "%s", err.text);
	ck_assert_msg(vh_identity_parse(text, len, ret, why, sizeof(why)) == 0, "%s", why);
}

/* A data node, the head, and two that compute: what their program reads of it. */
START_TEST(nodes_are_told_their_part)
{
	vh_autofree char *state = unit_tmpdir(), *dir = vh_strf("%s/dir", state), *path = vh_strf("%s/key", dir), *conf = NULL;
	vh_cleanup(cluster_clear) struct cluster c = { 0 };
	vh_cleanup(slurm_clear) struct slurm slurm = { 0 };
	unsigned char key[SLURM_KEY];
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(plan_with(batch, "-cd", state, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_mkdirs(dir, 0711, &err), 0);
	ck_assert_int_eq(ssh_make_key(path, c.owner, &err), 0);
	/* Made anew, they have the same key of munge. */
	for (int again = 0; again < 2; again++)
		ck_assert_msg(identities_make(dir, &c, &err) == 0, "%s", err.text);
	ck_assert_int_eq(slurm_key(dir, key, &err), 0);
	ck_assert_int_eq(cluster_slurm(&c, &slurm, &err), 0);
	ck_assert_uint_eq(slurm.n_nodes, 2);
	ck_assert_str_eq(slurm.head, "b-head-1");
	conf = slurm_files[0].text(&slurm);
	for (size_t i = 0; i < c.n_nodes; i++) {
		struct vh_identity id;

		read_identity(&c, dir, i, &id);
		ck_assert_int_eq(id.slurm.controller, i == 1);
		ck_assert_int_eq(id.slurm.compute, i > 1);
		ck_assert_uint_eq(id.slurm.key_len, i ? SLURM_KEY : 0);
		ck_assert(!i || !memcmp(id.slurm.key, key, SLURM_KEY));
		for (size_t k = 0; vh_id_slurm_names[k]; k++)
			ck_assert_int_eq(id.slurm.files[k] != NULL, i && strcmp(vh_id_slurm_names[k], "gres.conf"));
		ck_assert(!i || !strcmp(id.slurm.files[0], conf));
		vh_identity_clear(&id);
	}
	free(c.dir);
	c.dir = strdup(dir);
	ck_assert(!keys_are_lost(&c));
	free(path);
	path = vh_strf("%s/munge.key", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert(keys_are_lost(&c));
}
END_TEST

START_TEST(without_slurm_nodes_are_told_nothing)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/munge.key", dir), *lines = NULL;
	const struct cluster c = { .name = (char *)"two" };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(slurm_make(dir, &c, &lines, &err), 0);
	ck_assert_str_eq(lines, "");
	ck_assert_int_lt(access(path, F_OK), 0);
}
END_TEST

UNIT_SUITE(tools_manifest, images_without_slurm_are_refused, a_cluster_keeps_its_slurm, nodes_are_told_their_part,
	   without_slurm_nodes_are_told_nothing, nodes_are_not_told_more_than_they_take, a_name_is_had_without_the_files_of_keys,
	   users_are_read_with_the_files_of_their_keys, users_that_cannot_be_are_refused, nodes_understand_what_they_are_told,
	   without_users_nodes_are_told_of_none, the_images_own_user_is_no_other, other_users_are_named,
	   page_has_the_table, manifests_are_refused_with_their_place, nodes_of_groups_get_what_they_ask_for,
	   what_the_host_lacks_is_said_with_what_would_fit, images_that_do_not_go_together_are_refused,
	   groups_come_back_from_the_record, drift_of_a_group_is_named, what_may_change_while_nodes_run_is_taken_over,
	   published_nodes_have_group_and_role)
