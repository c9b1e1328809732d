// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include <time.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "mpirun-wrap/launch/launch.h"
#include "mpirun-wrap/launcher/launcher.h"
#include "tests/unit/unit.h"

static char *word(const char *s)
{
	return (char *)s;
}

static char *here[] = { (char *)"" };
static struct vh_mpi_node two[] = {
	{ .name = (char *)"two-1", .address = (char *)"10.9.0.11", .slots = 2 },
	{ .name = (char *)"two-2", .address = (char *)"10.9.0.12", .slots = 4 },
};

static struct vh_mpi_cluster cluster(const char *version)
{
	return (struct vh_mpi_cluster){
		.name = word("two"), .user = word("hpc"), .cidr = word("10.9.0.0/24"), .interface = word("mpi0"),
		.accel = word("tcg"), .ssh_config = word("/s/ssh_config"), .mpi = word("openmpi"), .version = word(version),
		.nodes = two, .n_nodes = 2, .hosts = here, .n_hosts = 1,
	};
}

/* The plan's argv joined by blanks, '|' behind each word. */
static char *joined(char *const *argv)
{
	char *text = strdup("");

	for (; *argv; argv++) {
		char *longer = vh_strf("%s%s|", text, *argv);

		free(text);
		text = longer;
	}
	return text;
}

static void make(const char *version, const char *const *args, const char *const *env, struct vh_mpi_job *ret)
{
	const struct vh_mpi_cluster c = cluster(version);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_mpi_job_make(&(struct vh_mpi_input){
		.cluster = &c, .args = (char *const *)args, .env = (char *const *)env, .hostfile = "/proc/self/fd/3",
		.rankfile = "/proc/self/fd/4", .head_interface = "vb0", .head_address = "10.9.0.1", .root = true }, ret, &err) == 0, "%s", err.text);
}

static const char *const just_a_program[] = { "-n", "4", "./a.out", NULL };
static const char *const nothing[] = { NULL };

START_TEST(the_whole_line_of_41)
{
	vh_autojob p = { 0 };
	vh_autofree char *line = NULL;

	make("4.1.4", just_a_program, nothing, &p);
	line = joined(p.argv);
	ck_assert_str_eq(line, "mpirun|--mca|plm|rsh|--mca|ras|^slurm,gridengine,tm,loadleveler|"
			       "--mca|plm_rsh_agent|setpriv --pdeathsig TERM ssh -F /s/ssh_config|--mca|plm_rsh_no_tree_spawn|1|"
			       "--mca|orte_default_hostfile|/proc/self/fd/3|--mca|if_base_do_not_resolve|1|"
			       "--mca|oob_tcp_if_include|10.9.0.0/24|--mca|btl_tcp_if_include|10.9.0.0/24|"
			       "--mca|pml|ob1|--mca|btl|self,vader,tcp|--mca|osc|^ucx|--map-by|slot|--bind-to|core|-n|4|./a.out|");
	ck_assert_str_eq(p.hostfile, "two-1 slots=2\ntwo-2 slots=4\n");
	ck_assert(vh_strv_has(p.env, "OMPI_ALLOW_RUN_AS_ROOT=1"));
	ck_assert(vh_strv_has(p.env, "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"));
	ck_assert_ptr_null(p.users);
}
END_TEST

START_TEST(the_whole_line_of_50)
{
	vh_autojob p = { 0 };
	vh_autofree char *line = NULL;

	make("5.0.7", just_a_program, nothing, &p);
	line = joined(p.argv);
	ck_assert_str_eq(line, "mpirun|--prtemca|plm|ssh|--prtemca|ras|^slurm,gridengine,lsf,pbs,flux|"
			       "--prtemca|plm_ssh_agent|setpriv --pdeathsig TERM ssh -F /s/ssh_config|--prtemca|plm_ssh_no_tree_spawn|1|"
			       "--prtemca|prte_default_hostfile|/proc/self/fd/3|--prtemca|prte_if_include|vb0,mpi0|"
			       "--mca|btl_tcp_if_include|10.9.0.0/24|--mca|pml|ob1|--mca|btl|self,sm,tcp|"
			       "--mca|mca_base_component_path|/usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi40|"
			       "--pmixmca|mca_base_component_path|/usr/lib/x86_64-linux-gnu/pmix2/lib/pmix|--map-by|slot|--bind-to|core|"
			       "-n|4|./a.out|");
}
END_TEST

/* Between a VM's own memory and TCP. */
START_TEST(a_region_adds_its_transport)
{
	static const struct { const char *version, *btl; } releases[] = {
		{ "4.1.4", "self,vader,ivshm,tcp" }, { "5.0.7", "self,sm,ivshm,tcp" },
	};

	for (size_t i = 0; i < vh_array_len(releases); i++) {
		struct vh_mpi_cluster c = cluster(releases[i].version);
		vh_autojob p = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		c.region = 16 << 20;
		ck_assert_int_eq(vh_mpi_job_make(&(struct vh_mpi_input){
			.cluster = &c, .args = (char *const *)just_a_program, .hostfile = "/x" }, &p, &err), 0);
		ck_assert(vh_strv_has(p.argv, releases[i].btl));
	}
}
END_TEST

/* How often key stands behind an option of the plan's argv. */
static unsigned times(char *const *argv, const char *key)
{
	unsigned n = 0;

	for (; *argv; argv++)
		n += !strcmp(*argv, key);
	return n;
}

START_TEST(what_the_user_sets_wins)
{
	static const struct { const char *version, *args[4], *env, *ours, *said; } cases[] = {
		{ "4.1.4", { "--mca", "btl", "tcp,self" }, NULL, "btl", "btl" },
		{ "4.1.4", { "-mca", "pml", "ucx" }, NULL, "pml", "pml" },
		{ "4.1.4", { "-gmca", "btl_tcp_if_include", "eth1" }, NULL, "btl_tcp_if_include", "btl_tcp_if_include" },
		{ "4.1.4", { "--mca", "btl_tcp_if_exclude", "lo" }, NULL, "btl_tcp_if_include", "btl_tcp_if_exclude" },
		{ "4.1.4", { "--mca", "orte_rsh_agent", "rsh" }, NULL, "plm_rsh_agent", "orte_rsh_agent" },
		{ "4.1.4", { "--default-hostfile", "h" }, NULL, "orte_default_hostfile", "--default-hostfile" },
		{ "4.1.4", { NULL }, "OMPI_MCA_btl=tcp,self", "btl", "btl" },
		{ "4.1.4", { NULL }, "OMPI_MCA_oob_tcp_if_exclude=lo", "oob_tcp_if_include", "oob_tcp_if_exclude" },
		{ "5.0.7", { "--prtemca", "prte_if_include", "eth1" }, NULL, "prte_if_include", "prte_if_include" },
		{ "5.0.7", { "--mca", "plm_rsh_agent", "rsh" }, NULL, "plm_ssh_agent", "plm_rsh_agent" },
		{ "5.0.7", { NULL }, "PRTE_MCA_plm_ssh_agent=rsh", "plm_ssh_agent", "plm_ssh_agent" },
		{ "5.0.7", { NULL }, "OMPI_MCA_btl=tcp,self", "btl", "btl" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		const char *env[] = { "PATH=/bin", cases[i].env, NULL };
		vh_autojob p = { 0 };
		unsigned own = 0;

		for (size_t a = 0; cases[i].args[a]; a++)
			own += !strcmp(cases[i].args[a], cases[i].ours);
		make(cases[i].version, cases[i].args, env, &p);
		ck_assert_msg(times(p.argv, cases[i].ours) == own, "case %zu: ours is there too", i);
		ck_assert_msg(p.users && !strcmp(p.users[0], cases[i].said) && !p.users[1], "case %zu", i);
	}
}
END_TEST

START_TEST(only_settings_of_that_very_name_are_the_users)
{
	const char *const args[] = { "./a.out", "btl", "--mca", NULL };
	const char *const env[] = { "OMPI_MCA_btl_base_verbose=1", "OMPI_MCA_bt=x", "MY_OMPI_MCA_btl=x", "OMPI_MCA_btl", NULL };
	vh_autojob p = { 0 };

	make("4.1.4", args, env, &p);
	ck_assert_ptr_null(p.users);
	ck_assert_uint_eq(times(p.argv, "self,vader,tcp"), 1);
}
END_TEST

START_TEST(an_mpi_that_is_not_known)
{
	static const char *const versions[] = { "3.1.6", "4.0.7", "4.10.1", "5.1.0", "6.0.0" };

	for (size_t i = 0; i < vh_array_len(versions); i++) {
		const struct vh_mpi_cluster c = cluster(versions[i]);
		vh_autofree char *want = vh_strf("the nodes of two run openmpi %s, which this program cannot launch", versions[i]);
		vh_autoerr err = VH_ERR_NONE;
		vh_autojob p = { 0 };

		ck_assert_int_eq(vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = &c, .hostfile = "h" }, &p, &err), -ENOTSUP);
		unit_assert_err(&err, VH_EXIT_REFUSED, want, "it launches openmpi 4.1 and 5.0, and mpich");
	}
}
END_TEST

START_TEST(a_thousand_nodes_at_once)
{
	enum { N = 1024 };
	struct vh_mpi_node *nodes = calloc(N, sizeof(*nodes));
	struct vh_mpi_cluster c = cluster("4.1.4");
	vh_autoerr err = VH_ERR_NONE;
	struct timespec a, b;
	vh_autojob p = { 0 };
	double seconds;

	for (unsigned i = 0; i < N; i++)
		nodes[i] = (struct vh_mpi_node){ .name = vh_strf("big-%u", i + 1), .slots = 64,
						 .address = vh_strf("10.9.%u.%u", i / 250, i % 250 + 1) };
	c.nodes = nodes;
	c.n_nodes = N;
	clock_gettime(CLOCK_MONOTONIC, &a);
	ck_assert_int_eq(vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = &c, .args = (char *const *)just_a_program,
					  .env = environ, .hostfile = "h" }, &p, &err), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	seconds = b.tv_sec - a.tv_sec + (b.tv_nsec - a.tv_nsec) / 1e9;
	ck_assert_msg(seconds < 0.5, "%f s", seconds);
	ck_assert_ptr_nonnull(strstr(p.hostfile, "\nbig-1024 slots=64\n"));
	for (size_t i = 0; p.argv[i]; i++)
		ck_assert_uint_lt(strlen(p.argv[i]), 4096);	/* a word of exec's is short, however many nodes */
	for (unsigned i = 0; i < N; i++) {
		free(nodes[i].name);
		free(nodes[i].address);
	}
	free(nodes);
}
END_TEST

START_TEST(as_json)
{
	const char *const args[] = { "./a", "\xff\xfe", NULL };
	const struct vh_mpi_cluster c = cluster("4.1.4");
	vh_autojson j = NULL;
	vh_autojob p = { 0 };

	make("4.1.4", args, nothing, &p);
	j = vh_mpi_job_json(&c, &p);
	ck_assert_ptr_nonnull(j);
	ck_assert_str_eq(json_string_value(json_object_get(j, "cluster")), "two");
	ck_assert_uint_eq(json_array_size(json_object_get(j, "nodes")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(j, "argv")), vh_strv_len(p.argv));
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(j, "argv"), vh_strv_len(p.argv) - 1)), "??");
}
END_TEST

START_TEST(versions)
{
	static const struct { const char *text, *version; } cases[] = {
		{ "mpirun (Open MPI) 4.1.4\n\nReport bugs to ...\n", "4.1.4" }, { "mpirun (Open MPI) 5.0.7\n", "5.0.7" },
		{ "mpirun (Open MPI) \n", NULL }, { "HYDRA build details:\n Version: 4.0.2\n", NULL }, { "", NULL },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *v = vh_mpi_version(&vh_ompi_41, cases[i].text);

		ck_assert_pstr_eq(v, cases[i].version);
	}
}
END_TEST

START_TEST(identity_files)
{
	static const struct { const char *line, *file; } cases[] = {
		{ "  IdentityFile \"/s s/key\"", "/s s/key" }, { "identityfile=/key", "/key" }, { "\tIdentityFile /key  ", "/key" },
		{ "IdentitiesOnly yes", NULL }, { "IdentityFile", NULL }, { "IdentityFile ", NULL }, { "IdentityFilex /k", NULL },
		{ "# IdentityFile /key", NULL }, { "", NULL },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *file = vh_mpi_identity_file(cases[i].line);

		ck_assert_pstr_eq(file, cases[i].file);
	}
}
END_TEST

static struct vh_mpi_cluster with_config(const char *config)
{
	struct vh_mpi_cluster c = cluster("4.1.4");

	c.ssh_config = word(config);
	c.cidr = word("203.0.113.0/24");
	return c;
}

START_TEST(what_is_checked_before_a_launch)
{
	vh_autofree char *dir = unit_tmpdir(), *key = vh_strf("%s/key", dir), *line = vh_strf("Host *\n IdentityFile \"%s\"\n", key);
	vh_autofree char *config = unit_file(dir, "ssh_config", line), *want = vh_strf("cluster two: %s: No such file or directory", key);
	const struct vh_mpi_cluster none = with_config("/nonexistent"), c = with_config(config);
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_mpi_check(&none, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster two: /nonexistent: No such file or directory", NULL);
	ck_assert_int_eq(vh_mpi_check(&c, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, want, NULL);
	free(unit_file(dir, "key", ""));
	ck_assert_int_lt(vh_mpi_check(&c, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster two: this machine has no address in its network 203.0.113.0/24",
			"run it on the cluster's host, in the network namespace where it was applied");
}
END_TEST

START_TEST(lists_are_read_by_their_paths)
{
	vh_autoerr err = VH_ERR_NONE;
	struct vh_mpi_lists lists;
	char line[32] = "";
	vh_autofclose FILE *f = NULL;

	ck_assert_int_eq(vh_mpi_lists_open(&lists, &err), 0);
	ck_assert_str_ne(lists.hosts, lists.ranks);
	ck_assert_int_eq(write(lists.hosts_fd, "two-1\n", 6), 6);
	f = fopen(lists.hosts, "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
	ck_assert_str_eq(line, "two-1\n");
	close(lists.hosts_fd);
	close(lists.ranks_fd);
}
END_TEST

START_TEST(head_by_network)
{
	struct vh_mpi_head head;

	vh_mpi_head_find("127.0.0.0/8", &head);
	if (!*head.interface)
		unit_skip("no loopback address in this network namespace");
	ck_assert_str_eq(head.interface, "lo");
	ck_assert_str_eq(head.address, "127.0.0.1");
	vh_mpi_head_find("203.0.113.0/24", &head);
	ck_assert_str_eq(head.interface, "");
}
END_TEST

UNIT_SUITE(mpirun_plan, a_region_adds_its_transport, the_whole_line_of_41, the_whole_line_of_50, what_the_user_sets_wins,
	   only_settings_of_that_very_name_are_the_users, an_mpi_that_is_not_known, a_thousand_nodes_at_once, as_json,
	   versions, identity_files, what_is_checked_before_a_launch, lists_are_read_by_their_paths, head_by_network)
