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
		.rankfile = "/proc/self/fd/4", .head = "10.9.0.11" }, ret, &err) == 0, "%s", err.text);
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
			       "--mca|plm_rsh_agent|setpriv --pdeathsig TERM ssh -F /etc/vhpc/ssh_config|--mca|plm_rsh_no_tree_spawn|1|"
			       "--mca|orte_default_hostfile|/proc/self/fd/3|--mca|if_base_do_not_resolve|1|"
			       "--mca|oob_tcp_if_include|10.9.0.0/24|--mca|btl_tcp_if_include|10.9.0.0/24|"
			       "--mca|pml|ob1|--mca|btl|self,vader,tcp|--mca|osc|^ucx|--map-by|slot|--bind-to|core|-n|4|./a.out|");
	ck_assert_str_eq(p.hostfile, "two-1 slots=2\ntwo-2 slots=4\n");
	ck_assert_ptr_null(p.env);
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
			       "--prtemca|plm_ssh_agent|setpriv --pdeathsig TERM ssh -F /etc/vhpc/ssh_config|--prtemca|plm_ssh_no_tree_spawn|1|"
			       "--prtemca|prte_default_hostfile|/proc/self/fd/3|--prtemca|prte_if_include|mpi0|"
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

/* With the cluster's key; where that is another user's, with one's own, and the cluster's host keys all the same. */
START_TEST(the_way_to_a_node)
{
	vh_autofree char *dir = unit_tmpdir(), *key = unit_file(dir, "key", ""), *line = vh_strf("Host *\n IdentityFile \"%s\"\n", key);
	vh_autofree char *nodes = unit_file(dir, "nodes", "Host *\n IdentityFile /etc/vhpc/keys/%u\n");
	vh_autofree char *config = unit_file(dir, "ssh_config", line), *known = vh_strf("UserKnownHostsFile=\"%s/known_hosts\"", dir);
	const struct vh_mpi_cluster none = with_config("/nonexistent"), inside = with_config(nodes);
	struct vh_mpi_cluster c = with_config(config);
	char *users[] = { word("bob"), word("ada"), NULL };
	vh_autostrv argv = NULL;
	vh_autostrv within = NULL;
	vh_autostrv own = NULL;
	vh_autofree char *text = NULL;
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_mpi_ssh(&none, &two[0], &argv, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "cluster two: /nonexistent: No such file or directory", NULL);
	ck_assert_int_eq(vh_mpi_ssh(&c, &two[0], &argv, &err), 0);
	text = joined(argv);
	ck_assert_pstr_eq(argv[2], config);
	ck_assert_pstr_eq(argv[3], "two-1");
	ck_assert_int_eq(vh_mpi_ssh(&inside, &two[0], &within, &err), 0);
	ck_assert_pstr_eq(within[2], nodes);
	unlink(key);
	ck_assert_int_eq(vh_mpi_ssh(&c, &two[0], &own, &err), 0);
	ck_assert(!vh_strv_has(own, "-F") && vh_strv_has(own, known) && vh_strv_has(own, "HostKeyAlias=two-1"));
	ck_assert(vh_strv_has(own, "StrictHostKeyChecking=yes") && vh_strv_has(own, "hpc"));
	ck_assert_str_eq(own[vh_strv_len(own) - 1], "10.9.0.11");
	/* One of the cluster's own users goes as himself. */
	setenv("LOGNAME", "ada", 1);
	for (int i = 0; i < 2; i++) {
		vh_autostrv as = NULL;

		c.users = i ? users : NULL;
		ck_assert_int_eq(vh_mpi_ssh(&c, &two[0], &as, &err), 0);
		ck_assert(vh_strv_has(as, "ada") == (i == 1) && vh_strv_has(as, "hpc") == (i == 0));
	}
}
END_TEST

/* What mpirun alone reads in a node, and what a login is told; written over, not added to, at the next boot. */
START_TEST(an_mpirun_of_its_own_in_a_node)
{
	static const char its[] = "# Debian's\nbtl = ^uct";
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "etc/openmpi/openmpi-mca-params.conf", its), *text = NULL, *again = NULL;
	vh_autofree char *login = NULL, *none = vh_strf("%s/etc/openmpi/prte-mca-params.conf", dir);
	vh_autojob p = { 0 }, p5 = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	size_t len;

	free(unit_file(dir, "etc/vhpc/hosts", ""));
	free(unit_file(dir, "etc/ssh/sshd_config.d/x", ""));
	make("4.1.4", nothing, nothing, &p);
	ck_assert_int_eq(vh_mpi_defaults_write(&p, dir, &err), 0);
	ck_assert_int_eq(vh_mpi_read(file, &text, &len, &err), 0);
	ck_assert(!strncmp(text, its, strlen(its)) && strstr(text, "\nbtl = self,vader,tcp\n") && strstr(text, "\nbtl_tcp_if_include = 10.9.0.0/24\n"));
	ck_assert(strstr(text, "\nplm_rsh_agent = setpriv --pdeathsig TERM ssh -F /etc/vhpc/ssh_config\n"));
	ck_assert_int_eq(vh_mpi_defaults_write(&p, dir, &err), 0);
	ck_assert_int_eq(vh_mpi_read(file, &again, &len, &err), 0);
	ck_assert_str_eq(again, text);
	ck_assert_int_lt(access(none, F_OK), 0);
	make("5.0.7", nothing, nothing, &p5);
	login = vh_mpi_login_text(&p5);
	ck_assert_ptr_nonnull(strstr(login, "SetEnv \"OMPI_MCA_mca_base_component_path=/usr/lib/"));
}
END_TEST

/* How many settings say how nodes are started and whose they are. */
START_TEST(a_batch_job_is_left_to_its_system)
{
	static const struct { const char *version; bool batch; const char *joined; } tries[] = {
		{ "4.1.4", false, "--mca|plm|rsh|--mca|ras|^slurm," }, { "5.0.7", false, "--prtemca|plm|ssh|--prtemca|ras|^slurm," },
		{ "4.1.4", true, "|--mca|plm_rsh_agent|" }, { "5.0.7", true, "|--prtemca|plm_ssh_agent|" },
	};

	for (size_t i = 0; i < vh_array_len(tries); i++) {
		const struct vh_mpi_cluster c = cluster(tries[i].version);
		vh_autofree char *text = NULL;
		vh_autojob p = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = &c, .args = (char *const *)nothing, .hostfile = "/h", .rankfile = "/r",
					      .head = "10.9.0.11", .batch = tries[i].batch }, &p, &err) == 0, "%s", err.text);
		text = joined(p.argv);
		ck_assert_msg(strstr(text, tries[i].joined) != NULL, "%s", text);
		ck_assert_int_eq(strstr(text, "|ras|") == NULL && strstr(text, "|plm|") == NULL, tries[i].batch);
		ck_assert_ptr_nonnull(strstr(text, "default_hostfile|/h|"));
	}
}
END_TEST

UNIT_SUITE(mpirun_plan, a_region_adds_its_transport, the_whole_line_of_41, the_whole_line_of_50, what_the_user_sets_wins,
	   only_settings_of_that_very_name_are_the_users, an_mpi_that_is_not_known, a_thousand_nodes_at_once, as_json,
	   identity_files, the_way_to_a_node, an_mpirun_of_its_own_in_a_node, a_batch_job_is_left_to_its_system)
