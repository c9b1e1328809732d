// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "lib/strv.h"
#include "mpirun-wrap/cluster/cluster.h"
#include "tests/unit/unit.h"

#define HEAD "{\"schema\": \"vhpc.cluster/1\", \"name\": \"two\", \"user\": \"hpc\", \"cidr\": \"10.9.0.0/24\"," \
	     " \"interface\": \"mpi0\", \"accel\": \"tcg\", \"ssh_config\": \"/s/ssh_config\","
#define MPI " \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"},"
#define NODE(n, a) "{\"name\": \"" n "\", \"address\": \"" a "\", \"slots\": 2}"
#define GOOD HEAD MPI " \"nodes\": [" NODE("two-1", "10.9.0.11") "," NODE("two-2", "10.9.0.12") "]}"

static int parse(const char *text, struct vh_mpi_cluster **ret, struct vh_err *err)
{
	return vh_mpi_cluster_parse("c.json", text, strlen(text), ret, err);
}

/* GOOD with one text replaced by another. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(GOOD, from);

	ck_assert_msg(at, "%s is not in the good text", from);
	return vh_strf("%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
}

START_TEST(reads_what_apply_writes)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autocluster c = NULL;

	ck_assert_msg(parse(GOOD, &c, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c->name, "two");
	ck_assert_str_eq(c->user, "hpc");
	ck_assert_str_eq(c->cidr, "10.9.0.0/24");
	ck_assert_str_eq(c->interface, "mpi0");
	ck_assert_str_eq(c->accel, "tcg");
	ck_assert_str_eq(c->ssh_config, "/s/ssh_config");
	ck_assert_str_eq(c->mpi, "openmpi");
	ck_assert_str_eq(c->version, "4.1.4");
	ck_assert_uint_eq(c->n_nodes, 2);
	ck_assert_str_eq(c->nodes[1].name, "two-2");
	ck_assert_str_eq(c->nodes[1].address, "10.9.0.12");
	ck_assert_uint_eq(c->nodes[1].slots, 2);
}
END_TEST

START_TEST(reads_a_region)
{
	vh_autofree char *text = with("\"hpc\",", "\"hpc\", \"region\": {\"size\": 16777216},");
	vh_autoerr err = VH_ERR_NONE;
	vh_autocluster c = NULL;

	ck_assert_msg(parse(text, &c, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(c->region, 16 << 20);
}
END_TEST

/* Each would otherwise reach mpirun's command line or host list. */
START_TEST(refuses_hostile_values)
{
	static const struct { const char *from, *to; } bad[] = {
		{ "vhpc.cluster/1", "vhpc.cluster/2" },
		{ "\"two\"", "\"two nodes\"" }, { "\"two\"", "\"../two\"" }, { "\"two\"", "\"\"" }, { "\"two\"", "7" },
		{ "\"two-1\"", "\"-oProxyCommand=x\"" }, { "\"two-1\"", "\"two-1 slots=9\"" },
		{ "\"two-1\"", "\"two-1\\nevil slots=9\"" }, { "\"two-1\"", "\"two-1\\u0000\"" },
		{ "\"two-1\"", "\"two-2\"" }, { "\"two-1\"", "null" },
		{ "10.9.0.11", "10.9.0.256" }, { "10.9.0.11", "::1" }, { "10.9.0.11", "10.9.0.11 " },
		{ "\"slots\": 2", "\"slots\": 0" }, { "\"slots\": 2", "\"slots\": -1" },
		{ "\"slots\": 2", "\"slots\": 4097" }, { "\"slots\": 2", "\"slots\": \"2\"" },
		{ "\"slots\": 2", "\"slots\": 2.5" }, { "\"slots\": 2", "\"slots\": 99999999999" },
		{ "10.9.0.0/24", "10.9.0.0" }, { "10.9.0.0/24", "10.9.0.0/33" }, { "10.9.0.0/24", "10.9.0.0/0" },
		{ "10.9.0.0/24", "10.9.0.0/24,lo" }, { "10.9.0.0/24", "10.9.0.0/-1" },
		{ "mpi0", "mpi0,eth0" }, { "mpi0", "" }, { "mpi0", "averylonginterface" }, { "mpi0", "--x" },
		{ "tcg", "xen" }, { "\"hpc\"", "\"-hpc\"" }, { "\"hpc\"", "\"hpc@elsewhere\"" },
		{ "/s/ssh_config", "ssh_config" }, { "/s/ssh_config", "/s s/ssh_config" },
		{ "/s/ssh_config", "/s:s/ssh_config" }, { "/s/ssh_config", "/s\\nx" }, { "/s/ssh_config", "/s;x" },
		{ "4.1.4", "4" }, { "4.1.4", "4.1.4rc1" }, { "4.1.4", "4..1" }, { "4.1.4", ".4.1" },
		{ "openmpi", "open mpi" }, { "\"version\": \"4.1.4\"", "\"x\": 1" },
		{ "\"user\": \"hpc\",", "" }, { "\"user\": \"hpc\",", "\"user\": \"hpc\", \"user\": \"root\"," },
		{ "\"hpc\",", "\"hpc\", \"users\": \"ada\"," }, { "\"hpc\",", "\"hpc\", \"users\": [\"-oProxyCommand=x\"]," },
		{ "\"hpc\",", "\"hpc\", \"users\": [1]," }, { "\"hpc\",", "\"hpc\", \"region\": {}," }, { "\"hpc\",", "\"hpc\", \"region\": {\"size\": \"1\"}," },
		{ "\"hpc\",", "\"hpc\", \"region\": {\"size\": -1}," }, { "\"hpc\",", "\"hpc\", \"region\": null," },
		{ "]}", "]" }, { "]}", ", 7]}" }, { "]}", ", []]}" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autofree char *text = with(bad[i].from, bad[i].to);
		vh_autoerr err = VH_ERR_NONE;
		struct vh_mpi_cluster *c = NULL;

		ck_assert_msg(parse(text, &c, &err) < 0, "accepted: %s -> %s", bad[i].from, bad[i].to);
		ck_assert_ptr_null(c);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_msg(!strncmp(err.text, "c.json:", 7), "%s", err.text);
	}
}
END_TEST

START_TEST(says_what_is_wrong)
{
	vh_autofree char *slots = with("\"slots\": 2}]", "\"slots\": 0}]"), *blank = with("/s/", "/s s/");
	vh_autoerr err = VH_ERR_NONE;
	struct vh_mpi_cluster *c = NULL;

	ck_assert_int_lt(parse(slots, &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "c.json: node 2: 'slots' is not a number from 1 to 4096", NULL);
	ck_assert_int_lt(parse(blank, &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "c.json: '/s s/ssh_config' is no valid value of 'ssh_config'",
			"it is an absolute path without blanks, colons or quotes, since mpirun splits its remote shell's "
			"command there; choose such a state directory");
	ck_assert_int_lt(parse(HEAD " \"mpi\": null, \"nodes\": []}", &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "c.json: the image of cluster two has no MPI",
			"build the image from a recipe with MPI, such as images/recipes/mpi.yaml");
	ck_assert_int_lt(parse(HEAD MPI " \"nodes\": []}", &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "c.json: 'nodes' is not a list of 1 to 16384", NULL);
}
END_TEST

static char *state_with_cluster(const char *text)
{
	char *state = unit_tmpdir();

	free(unit_file(state, "clusters/two/cluster.json", text));
	return state;
}

START_TEST(finds_by_name_manifest_and_record)
{
	vh_autofree char *state = state_with_cluster(GOOD), *dir = unit_tmpdir();
	vh_autofree char *manifest = unit_file(dir, "any.yaml", "nodes: 2\nlist: [name, x]\nmap: {name: wrong}\n"
							       "name: two\nvcpus: 1\n");
	vh_autofree char *record = vh_strf("%s/clusters/two/cluster.json", state);
	const char *const what[] = { "two", manifest, record };

	for (size_t i = 0; i < vh_array_len(what); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autocluster c = NULL;

		ck_assert_msg(vh_mpi_cluster_find(state, what[i], &c, &err) == 0, "%s: %s", what[i], err.text);
		ck_assert_str_eq(c->name, "two");
	}
}
END_TEST

START_TEST(says_which_cluster_is_not_there)
{
	vh_autofree char *state = state_with_cluster(GOOD), *dir = unit_tmpdir();
	vh_autofree char *manifest = unit_file(dir, "m.yaml", "name: three\n"), *hint = vh_strf("vhpc cluster apply %s", manifest);
	vh_autofree char *other = unit_file(state, "clusters/one/cluster.json", GOOD);
	vh_autofree char *wrong = vh_strf("%s: describes the cluster two", other);
	vh_autoerr err = VH_ERR_NONE;
	struct vh_mpi_cluster *c = NULL;

	ck_assert_int_eq(vh_mpi_cluster_find(state, "three", &c, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster three is not applied", "apply its manifest: vhpc cluster apply FILE");
	ck_assert_int_eq(vh_mpi_cluster_find(state, manifest, &c, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster three is not applied", hint);
	ck_assert_int_lt(vh_mpi_cluster_find(state, "a b", &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "'a b' is neither a cluster's name nor a file",
			"a file's name ends in .yaml or .json or has a '/' in it");
	ck_assert_int_lt(vh_mpi_cluster_find(state, "one", &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, wrong, NULL);
	ck_assert_int_lt(vh_mpi_cluster_find(state, "/dev/zero", &c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "/dev/zero: is no regular file", NULL);
}
END_TEST

START_TEST(manifest_names)
{
	static const struct { const char *text, *name, *error; } cases[] = {
		{ "name: a-1\n", "a-1", NULL }, { "---\n{vcpus: 1, name: b}\n", "b", NULL },
		{ "x: {y: [1, {name: n}]}\n\"name\": c", "c", NULL },
		{ "", NULL, "m: no cluster manifest: it has no key 'name'" },
		{ "name", NULL, "m: no cluster manifest: it has no key 'name'" },
		{ "- name: x\n", NULL, "m: no cluster manifest: it has no key 'name'" },
		{ "name: [x]\n", NULL, "m: no cluster manifest: it has no key 'name'" },
		{ "a: {name: x}\n", NULL, "m: no cluster manifest: it has no key 'name'" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *name = NULL;
		vh_autoerr err = VH_ERR_NONE;
		int r = vh_mpi_manifest_name("m", cases[i].text, strlen(cases[i].text), &name, &err);

		ck_assert_msg((r == 0) == !cases[i].error, "%s: %s", cases[i].text, err.text);
		if (r == 0)
			ck_assert_str_eq(name, cases[i].name);
		else
			ck_assert_str_eq(err.text, cases[i].error);
	}
}
END_TEST

START_TEST(manifest_names_that_are_none)
{
	static const char *const bad[] = { "name: ../x\n", "name: a b\n", "name: ''\n", "name: -x\n", "name: [\n", "name: \x01\n",
					   "\tname: x\n", "a: *b\nname: d\n", "name: x\nname: y\n", "name:\n" };

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autofree char *name = NULL;
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(vh_mpi_manifest_name("m", bad[i], strlen(bad[i]), &name, &err) < 0, "%s", bad[i]);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
		ck_assert_ptr_null(name);
	}
}
END_TEST

UNIT_SUITE(mpirun_cluster, reads_a_region, reads_what_apply_writes, refuses_hostile_values, says_what_is_wrong,
	   finds_by_name_manifest_and_record, says_which_cluster_is_not_there, manifest_names,
	   manifest_names_that_are_none)
