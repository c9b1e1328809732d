// SPDX-License-Identifier: Apache-2.0
/* Slurm's files against tests/fixtures/slurm (VHPC_REFRESH=1 writes them anew), of which tests/slurm-check lets the
 * real slurmctld read the larger ones; munge's key; what sinfo answers, and waiting for it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "images/guest/parse_slurm.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/slurm/judge.h"
#include "tools/cluster/slurm/slurm.h"

/* As docs/examples/two-node.yaml. */
static struct slurm_node two_nodes[] = {
	{ .name = "two-node-1", .sockets = 1, .cores = 2, .threads = 1, .memory = 1ull << 30 },
	{ .name = "two-node-2", .sockets = 1, .cores = 2, .threads = 1, .memory = 1ull << 30 },
};
static struct slurm two = { .cluster = "two-node", .head = "two-node-1", .mpi = "openmpi", .nodes = two_nodes, .n_nodes = 2 };

/* How sinfo's lines of them begin. */
#define ONE "two-node-1:two-node-1:"
#define TWO "two-node-2:two-node-2:"

/* 16 nodes over four hosts, the last four of them with two GPUs, and a head that runs no jobs. */
static char names[16][16];
static struct slurm_node big_nodes[16];
static struct slurm big = { .cluster = "big", .head = "big-login-1", .mpi = "openmpi", .nodes = big_nodes, .n_nodes = 16 };

static void make_big(void)
{
	for (unsigned i = 0; i < 16; i++) {
		const bool large = i >= 12;

		snprintf(names[i], sizeof(names[i]), "big-work-%u", i + 1);
		big_nodes[i] = (struct slurm_node){ .name = names[i], .host = i / 4, .sockets = 1, .cores = large ? 8 : 4, .threads = 2,
						    .memory = (large ? 64ull : 16ull) << 30, .gpus = large ? 2 : 0 };
	}
}

static void compare(const char *dir, const char *name, const char *text)
{
	vh_autofree char *path = vh_strf("tests/fixtures/slurm/%s/%s", dir, name), *stored = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len;

	ck_assert_ptr_nonnull(text);
	if (getenv("VHPC_REFRESH") && *text)
		ck_assert_int_eq(vh_write_file(path, text, strlen(text), 0644, &err), 0);
	if (*text)
		ck_assert_msg(vh_host_file(path, &stored, &len, &err) == 0, "%s", err.text);
	else
		ck_assert_int_lt(access(path, F_OK), 0);
	ck_assert_msg(!*text || !strcmp(stored, text), "%s (VHPC_REFRESH=1 writes it anew):\n%s", path, text);
}

static void compare_all(const char *dir, const struct slurm *s)
{
	for (const struct slurm_file *file = slurm_files; file->name; file++) {
		vh_autofree char *text = file->text(s);

		compare(dir, file->name, text);
	}
}

START_TEST(a_small_cluster_has_its_files)
{
	compare_all("two-node", &two);
}
END_TEST

START_TEST(a_cluster_of_several_hosts_has_a_switch_for_each)
{
	make_big();
	compare_all("big", &big);
}
END_TEST

/* What those of the large one are told when the last of its hosts has none any more. */
START_TEST(fewer_nodes_have_fewer_in_their_files)
{
	make_big();
	big.n_nodes = 12;
	compare_all("fewer", &big);
	big.n_nodes = 16;
}
END_TEST

/* And when the last two are missing: what is there is as it was. */
START_TEST(missing_nodes_stay_in_the_files)
{
	make_big();
	big_nodes[14].missing = big_nodes[15].missing = true;
	compare_all("missing", &big);
}
END_TEST

/* Nodes that are not alike, and another MPI. */
START_TEST(each_node_is_said_as_its_vm_is)
{
	static const struct { const char *mpi, *says; } mpis[] = {
		{ "openmpi", "\nMpiDefault=pmix\n" }, { "mpich", "\nMpiDefault=pmi2\n" }, { "none", "\nMpiDefault=none\n" },
	};

	two_nodes[1].sockets = 2;
	two_nodes[1].cores = 1;
	for (size_t i = 0; i < vh_array_len(mpis); i++) {
		vh_autofree char *text = NULL;

		two.mpi = mpis[i].mpi;
		text = slurm_files[0].text(&two);
		ck_assert_ptr_nonnull(strstr(text, "\nNodeName=two-node-1 CPUs=2 Sockets=1 CoresPerSocket=2 ThreadsPerCore=1 "));
		ck_assert_ptr_nonnull(strstr(text, "\nNodeName=two-node-2 CPUs=2 Sockets=2 CoresPerSocket=1 ThreadsPerCore=1 "));
		ck_assert_msg(strstr(text, mpis[i].says) != NULL, "%s", text);
	}
}
END_TEST

/* Nodes have a place for each file. */
START_TEST(nodes_take_files_of_these_names)
{
	size_t n = 0;

	for (; slurm_files[n].name; n++)
		ck_assert_str_eq(slurm_files[n].name, vh_id_slurm_names[n]);
	ck_assert_ptr_null(vh_id_slurm_names[n]);
}
END_TEST

/* MiB that kernels of Debian find of so many, and a small one that may not go below nothing. */
START_TEST(memory_is_less_than_a_guest_finds)
{
	static const struct { uint64_t mib, found; } vms[] = {
		{ 256, 208 }, { 512, 450 }, { 1024, 950 }, { 2816, 2660 }, { 4096, 3900 }, { 1 << 20, 1031000 }, { 64, 2 },
	};

	for (size_t i = 0; i < vh_array_len(vms); i++) {
		ck_assert_uint_lt(slurm_memory(vms[i].mib << 20), vms[i].found);
		ck_assert_uint_gt(slurm_memory(vms[i].mib << 20), 0);
	}
}
END_TEST

START_TEST(the_key_is_made_once_and_nobody_elses)
{
	vh_autofree char *dir = unit_tmpdir(), *path = vh_strf("%s/munge.key", dir), *other = unit_tmpdir();
	unsigned char first[SLURM_KEY], again[SLURM_KEY], others[SLURM_KEY];
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;

	ck_assert_msg(slurm_key(dir, first, &err) == 0, "%s", err.text);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(slurm_key(dir, again, &err), 0);
	ck_assert_mem_eq(first, again, SLURM_KEY);
	ck_assert_int_eq(slurm_key(other, others, &err), 0);
	ck_assert_mem_ne(first, others, SLURM_KEY);
	ck_assert_int_eq(truncate(path, 16), 0);
	ck_assert_int_eq(slurm_key(dir, again, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.hint, "apply makes another"));
}
END_TEST

START_TEST(nodes_that_take_no_part_are_named)
{
	static const struct { const char *answer, *absent; } answers[] = {
		{ ONE "idle:none\n" TWO "idle:none\n", "" },
		{ ONE "mixed:none\n" TWO "drained:for repair\n", "" },
		{ TWO "allocated:none\n" ONE "idle", "" },
		{ "", "two-node-1 is unknown to it, two-node-2 is unknown to it" },
		{ ONE "idle:none\n", "two-node-2 is unknown to it" },
		{ ONE "idle*:none\n" TWO "idle:none\n", "two-node-1 is idle*" },
		{ ONE "idle:none\n" TWO "down*:Not responding\n", "two-node-2 is down* (Not responding)" },
		{ ONE "idle:none\n" TWO "inval:Low RealMemory\n", "two-node-2 is inval (Low RealMemory)" },
		{ ONE "idle:none\n" TWO "idler:none\n", "two-node-2 is idler" },
		{ ONE "idle:none\ntwo-node-22:x:idle:none\n", "two-node-2 is unknown to it" },
		{ ONE "idle:none\n" TWO "\n", "two-node-2 is unknown to it" },
		{ ONE "idle:none\n" TWO "d\33[2Jwn:\33x\n", "two-node-2 is d?[2Jwn (?x)" },
	};
	for (size_t i = 0; i < vh_array_len(answers); i++) {
		vh_autofree char *absent = slurm_absent(&two, answers[i].answer);

		ck_assert_str_eq(absent, answers[i].absent);
	}
}
END_TEST

START_TEST(of_many_a_few_are_named)
{
	vh_autofree char *absent = NULL;

	make_big();
	absent = slurm_absent(&big, "big-work-1:big-work-1:idle:none\n");
	ck_assert_str_eq(absent, "big-work-2 is unknown to it, big-work-3 is unknown to it, big-work-4 is unknown to it, "
				 "big-work-5 is unknown to it, and 11 more");
}
END_TEST

/* An ssh that answers what the file is called after it, once it has been asked so often. */
static void fake_ssh(const char *dir)
{
	vh_autofree char *path = NULL, *program = unit_file(dir, "ssh",
		"#!/bin/sh\ncd \"${0%/*}\" || exit\n[ \"$1 $2 $3 $4\" = '-F config two-node-1 sinfo -h -N -o %N:%o:%T:%E' ] || exit 9\n"
		"[ ! -e broken ] || { echo 'trying'; echo 'slurm_load_node: Unable to contact slurm controller'; exit 1; } >&2\n"
		"echo two-node-1:two-node-1:idle:none\n[ -e once ] && echo two-node-2:two-node-2:idle:none || echo two-node-2:two-node-2:down:gone\n: >once\n");

	ck_assert_int_eq(chmod(program, 0755), 0);
	path = vh_strf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
}

START_TEST(slurm_is_waited_for)
{
	vh_autofree char *dir = unit_tmpdir(), *amiss = NULL;
	vh_autoerr err = VH_ERR_NONE;
	bool waited;

	fake_ssh(dir);
	ck_assert_int_eq(slurm_amiss(&two, "config", "why", &amiss, &err), 0);
	ck_assert_str_eq(amiss, "two-node-2 is down (gone)");
	ck_assert_int_eq(slurm_wait(&two, "config", 60000, &waited, &err), 0);
	ck_assert(!waited);
	amiss = (free(amiss), vh_strf("%s/once", dir));
	ck_assert_int_eq(unlink(amiss), 0);
	ck_assert_int_eq(slurm_wait(&two, "config", 60000, &waited, &err), 0);
	ck_assert(waited);
	free(unit_file(dir, "broken", ""));
	ck_assert_int_eq(slurm_wait(&two, "config", 0, &waited, &err), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(err.hint, "--user root two-node two-node-1 journalctl -u slurmctld"));
	unit_assert_err(&err, VH_EXIT_FAILED,
			"two-node-1: Slurm is not up after 0 s: sinfo says: slurm_load_node: Unable to contact slurm controller", NULL);
}
END_TEST

/* --- nodes that are to run no jobs */

START_TEST(jobs_are_named)
{
	static const struct { const char *answer, *jobs; } answers[] = {
		{ "", "" }, { "\n\n", "" }, { "12:ada\n", "job 12 of ada" }, { "12:ada\n13_2:bob", "job 12 of ada, job 13_2 of bob" },
		{ "1:a\n2:a\n3:a\n4:a\n5:a\n6:a\n", "job 1 of a, job 2 of a, job 3 of a, job 4 of a, and 2 more" },
		{ "12\n", "job 12 of ?" }, { ":\n", "job ? of ?" }, { "1\33[2J:\33c\n", "job 1?[2J of ?c" },
	};
	for (size_t i = 0; i < vh_array_len(answers); i++) {
		vh_autofree char *jobs = jobs_said(answers[i].answer);

		ck_assert_str_eq(jobs, answers[i].jobs);
	}
}
END_TEST

START_TEST(jobs_of_those_who_left_are_found)
{
	static const uint64_t gone[] = { 2002, 2004 };
	static const struct { const char *answer, *jobs; } answers[] = {
		{ "", "" }, { "2001 12\n", "" }, { "2002 12\n2001 13\n2004 14\n2002 15", "12 14 15" }, { "20022 12\n\n 2002\n2002\n", "" },
		{ "2002 12; reboot\n2004 $(x)\n", "12" },
	};
	for (size_t i = 0; i < vh_array_len(answers); i++) {
		vh_autofree char *jobs = slurm_jobs_said(answers[i].answer, gone, 2);

		ck_assert_str_eq(jobs, answers[i].jobs);
	}
}
END_TEST

START_TEST(nodes_are_told_apart)
{
	static const struct { const char *answer; enum nodes_kind kind; size_t n; } answers[] = {
		{ ONE "idle:none\n" TWO "drained:why\n", NODES_KNOWN, 2 }, { "two-node-11:x:idle:none\n", NODES_KNOWN, 0 },
		{ ONE "idle:none\n" TWO "drained:other\n", NODES_OPEN, 1 }, { ONE "draining*:x\n", NODES_OPEN, 0 },
		{ ONE "idle:none\n" TWO "drained:why\n", NODES_OPEN, 2 },
		{ ONE "idle:none\n" TWO "drained:why\n", NODES_HELD, 1 }, { ONE "down*:why", NODES_HELD, 1 },
		{ ONE "idle:why\n", NODES_HELD, 0 }, { ONE "drained:whyever\n", NODES_HELD, 0 },
		{ ONE "drained:other\ntwo-node-3:x:drained:why\n", NODES_HELD, 0 }, { ONE "drained\n2:why\n", NODES_HELD, 0 },
	};
	for (size_t i = 0; i < vh_array_len(answers); i++) {
		vh_autostrv found = NULL;

		ck_assert_int_eq(nodes_said(&two, answers[i].answer, answers[i].kind, "why", &found), 0);
		ck_assert_uint_eq(vh_strv_len(found), answers[i].n);
	}
}
END_TEST

START_TEST(other_nodes_are_seen)
{
	static const struct { const char *answer; bool differ; } answers[] = {
		{ ONE "idle:none\n" TWO "idle:none\n", false }, { TWO "idle:none\n\n" ONE "down", false },
		{ ONE "idle:none\n", true }, { "", true }, { ONE "idle:none\n" TWO "idle:none\ntwo-node-3:x:idle:none\n", true },
		{ ONE "idle:none\n" TWO "idle:none\nsinfo", true },
	};
	for (size_t i = 0; i < vh_array_len(answers); i++)
		ck_assert_int_eq(nodes_differ(&two, answers[i].answer), answers[i].differ);
}
END_TEST

/* One is as it is to be, and is neither waited for nor touched. */
START_TEST(a_missing_node_is_down_and_borne)
{
	static const char down[] = "two-node-2:" SLURM_NOWHERE ":down:" SLURM_MISSING "\n";
	static const struct { const char *answer; bool differ; } answers[] = {
		{ ONE "idle:none\n" "two-node-2:" SLURM_NOWHERE ":down:" SLURM_MISSING "\n", false },
		{ ONE "idle:none\n" TWO "idle*:none\n", true }, { ONE "idle:none\n" TWO "down:" SLURM_MISSING "\n", true },
		{ ONE "idle:none\n", true }, { ONE "idle:none\n" "two-node-2:" SLURM_NOWHERE "1:down:" SLURM_MISSING "\n", true },
		{ ONE "idle:none\n" "two-node-2:" SLURM_NOWHERE ":idle*:none\n", true }, { ONE "idle:none\n" "two-node-2:" SLURM_NOWHERE "\n", true },
		{ ONE "idle:none\n" "two-node-2:" SLURM_NOWHERE ":drained:for repair\n", false },
		{ "two-node-1:" SLURM_NOWHERE ":down:x\n" "two-node-2:" SLURM_NOWHERE ":down:x\n", true },
	};
	vh_autofree char *absent = NULL, *there = NULL;
	vh_autostrv held = NULL;

	two_nodes[1].missing = true;
	for (size_t i = 0; i < vh_array_len(answers); i++)
		ck_assert_msg(nodes_differ(&two, answers[i].answer) == answers[i].differ, "%s", answers[i].answer);
	absent = slurm_absent(&two, ONE "idle:none\n");
	ck_assert_str_eq(absent, "");
	for (int kind = NODES_KNOWN; kind <= NODES_HELD; kind++) {
		ck_assert_int_eq(nodes_said(&two, down, kind, SLURM_MISSING, &held), 0);
		ck_assert_ptr_null(held);
	}
	/* It is there again, and Slurm has not read of it yet. */
	two_nodes[1].missing = false;
	ck_assert(nodes_differ(&two, answers[0].answer));
	there = slurm_absent(&two, answers[0].answer);
	ck_assert_str_eq(there, "two-node-2 is down (" SLURM_MISSING ")");
}
END_TEST

/* An ssh to a head whose Slurm has the states of its nodes, and its jobs, in files beside it; a job ends each time that
 * it is asked for while there is a file "ending". */
static void fake_slurm(const char *dir)
{
	vh_autofree char *path = NULL, *program = unit_file(dir, "ssh",
		"#!/bin/sh\ncd \"${0%/*}\" || exit\nfor last; do :; done\necho \"$*\" >>asked\n"
		"[ ! -e broken ] || { rm broken; echo 'slurm_load_node: Unable to contact slurm controller' >&2; exit 1; }\n"
		"case $last in\n"
		"sinfo*) cat nodes ;;\n"
		"squeue*) cat jobs; [ ! -e ending ] || : >jobs ;;\n"
		"*State=DRAIN*) sed -i \"s/^two-node-2:.*/two-node-2:two-node-2:drained:$(expr \"$last\" : \".*Reason=\\(.*\\)'\")/\" nodes ;;\n"
		"*State=DOWN*) sed -i 's/^two-node-2:.*/two-node-2:two-node-2:down:x/' nodes ;;\n"
		"'systemctl restart slurmctld') cp conf nodes ;;\n"
		"*State=RESUME) sed -i 's/^two-node-2:.*/two-node-2:two-node-2:idle:none/' nodes ;;\n"
		"*) echo 'Invalid node name specified' >&2; exit 1 ;;\nesac\n");

	ck_assert_int_eq(chmod(program, 0755), 0);
	free(unit_file(dir, "nodes", ONE "idle:none\n" TWO "idle:none\n"));
	free(unit_file(dir, "jobs", "12:ada\n"));
	path = vh_strf("%s:%s", dir, getenv("PATH"));
	setenv("PATH", path, 1);
}

static const char leaves[] = "vhpc: leaves";

/* What it was asked since the last time, by this text's place in it. */
static void was_asked(const char *dir, const char *text, bool is)
{
	vh_autofree char *path = vh_strf("%s/asked", dir), *all = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t len;

	ck_assert_int_eq(vh_host_file(path, &all, &len, &err), 0);
	ck_assert_msg(!strstr(all, text) == !is, "%s", all);
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(nodes_drain_and_are_resumed)
{
	vh_autofree char *dir = unit_tmpdir(), *path = strdup(getenv("PATH")), *jobs = NULL, *more = NULL;
	struct slurm second = two;
	vh_autoerr err = VH_ERR_NONE;
	bool any;

	second.nodes = &two_nodes[1];
	second.n_nodes = 1;
	fake_slurm(dir);
	ck_assert_int_eq(slurm_jobs(&second, "config", &jobs, &err), 0);
	ck_assert_str_eq(jobs, "job 12 of ada");
	was_asked(dir, "-F config two-node-1 squeue -h -o %i:%u -w 'two-node-2'\n", true);
	/* A job that does not end in time: it drains until it is resumed. */
	ck_assert_int_eq(slurm_drain(&second, "config", leaves, 0, &err), -ETIMEDOUT);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-node-1: nodes are not free of jobs after 0 s: job 12 of ada", NULL);
	was_asked(dir, "-F config -l root two-node-1 scontrol update 'NodeName=two-node-2' State=DRAIN 'Reason=vhpc: leaves'\n", true);
	ck_assert_int_eq(slurm_resume(&second, "config", "another", &any, &err), 0);
	ck_assert(!any);
	was_asked(dir, "State=RESUME", false);
	ck_assert_int_eq(slurm_resume(&second, "config", leaves, &any, &err), 0);
	ck_assert(any);
	was_asked(dir, "-F config -l root two-node-1 scontrol update 'NodeName=two-node-2' State=RESUME\n", true);
	/* One that ends, and a controller that only just starts. */
	free(unit_file(dir, "ending", ""));
	free(unit_file(dir, "broken", ""));
	ck_assert_msg(slurm_drain(&second, "config", leaves, 60000, &err) == 0, "%s", err.text);
	was_asked(dir, "State=DRAIN", true);
	/* It is drained by now, which is no news. */
	ck_assert_int_eq(slurm_drain(&second, "config", leaves, 0, &err), 0);
	was_asked(dir, "State=DRAIN", false);
	/* One that it does not know, and one that is broken. */
	free(unit_file(dir, "nodes", ONE "idle:none\n"));
	ck_assert_int_eq(slurm_drain(&second, "config", leaves, 0, &err), 0);
	ck_assert_int_eq(slurm_jobs(&second, "config", &more, &err), 0);
	ck_assert_str_eq(more, "");
	free(unit_file(dir, "broken", ""));
	ck_assert_int_eq(slurm_drain(&second, "config", leaves, 0, &err), -EIO);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-node-1: sinfo says: slurm_load_node: Unable to contact slurm controller", NULL);
	setenv("PATH", path, 1);
}
END_TEST

/* A controller that has read other files at its start; nodes that were to leave, and stay. */
START_TEST(a_controller_is_brought_to_its_nodes)
{
	vh_autofree char *dir = unit_tmpdir(), *path = strdup(getenv("PATH")), *amiss = NULL, *held = NULL, *well = NULL;
	vh_autoerr err = VH_ERR_NONE;
	bool resumed = false, others = false;

	fake_slurm(dir);
	free(unit_file(dir, "conf", ONE "idle:none\n" TWO "idle:none\n"));
	free(unit_file(dir, "nodes", ONE "idle:none\n" TWO "idle:none\ntwo-node-3:x:idle:none\n"));
	ck_assert_int_eq(slurm_amiss(&two, "config", leaves, &amiss, &err), 0);
	ck_assert_str_eq(amiss, "it has other nodes in mind");
	free(unit_file(dir, "broken", ""));
	ck_assert_msg(slurm_bring_up(&two, "config", leaves, 60000, &resumed, &others, &err) == 0, "%s", err.text);
	ck_assert(others && !resumed);
	was_asked(dir, "restart", false);
	ck_assert_int_eq(slurm_restart(&two, "config", &err), 0);
	was_asked(dir, "-F config -l root two-node-1 systemctl restart slurmctld\n", true);
	free(unit_file(dir, "nodes", ONE "idle:none\n" TWO "draining:vhpc: leaves\n"));
	ck_assert_int_eq(slurm_amiss(&two, "config", leaves, &held, &err), 0);
	ck_assert_str_eq(held, "nodes drain that are to stay");
	ck_assert_int_eq(slurm_bring_up(&two, "config", leaves, 0, &resumed, &others, &err), 0);
	ck_assert(resumed && !others);
	was_asked(dir, "State=RESUME", true);
	ck_assert_int_eq(slurm_bring_up(&two, "config", leaves, 0, &resumed, &others, &err), 0);
	ck_assert(!resumed && !others);
	ck_assert_int_eq(slurm_amiss(&two, "config", leaves, &well, &err), 0);
	ck_assert_str_eq(well, "");
	was_asked(dir, "scontrol", false);
	ck_assert_int_eq(slurm_down(&two, "config", leaves, &err), 0);
	was_asked(dir, "-l root two-node-1 scontrol update 'NodeName=two-node-[1-2]' State=DOWN 'Reason=vhpc: leaves'\n", true);
	/* One that its operator drained keeps his reason, and one that drains for this one is down for it. */
	free(unit_file(dir, "nodes", ONE "idle:none\n" TWO "drained:bad DIMM\n"));
	ck_assert_int_eq(slurm_down(&two, "config", leaves, &err), 0);
	was_asked(dir, "scontrol update 'NodeName=two-node-1' State=DOWN", true);
	free(unit_file(dir, "nodes", ONE "drained:bad DIMM\n" TWO "draining:vhpc: leaves\n"));
	ck_assert_int_eq(slurm_down(&two, "config", leaves, &err), 0);
	was_asked(dir, "scontrol update 'NodeName=two-node-2' State=DOWN", true);
	free(unit_file(dir, "broken", ""));
	ck_assert_int_eq(slurm_bring_up(&two, "config", leaves, -1, &resumed, &others, &err), -ETIMEDOUT);
	setenv("PATH", path, 1);
}
END_TEST

UNIT_SUITE(tools_slurm, a_small_cluster_has_its_files, a_cluster_of_several_hosts_has_a_switch_for_each, fewer_nodes_have_fewer_in_their_files,
	   missing_nodes_stay_in_the_files, each_node_is_said_as_its_vm_is, nodes_take_files_of_these_names, memory_is_less_than_a_guest_finds,
	   the_key_is_made_once_and_nobody_elses, nodes_that_take_no_part_are_named, of_many_a_few_are_named, slurm_is_waited_for, jobs_are_named,
	   jobs_of_those_who_left_are_found,
	   nodes_are_told_apart, nodes_drain_and_are_resumed, other_nodes_are_seen, a_missing_node_is_down_and_borne,
	   a_controller_is_brought_to_its_nodes)
