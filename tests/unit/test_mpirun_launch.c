// SPDX-License-Identifier: Apache-2.0
/* Where ranks go, what carries their messages, what a batch job leaves of a cluster, and
 * what the nodes' answers mean; all on records of clusters, offline. */
#include <errno.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "mpirun-wrap/bench/bench.h"
#include "mpirun-wrap/cluster/cluster.h"
#include "mpirun-wrap/launch/launch.h"
#include "mpirun-wrap/launcher/launcher.h"
#include "mpirun-wrap/preflight/preflight.h"
#include "tests/unit/unit.h"

/* A record of nodes "n1", "n2", ...; the text of each without name and address. */
static struct vh_mpi_cluster *record(const char *mpi, const char *version, bool region, const char *const *nodes)
{
	vh_autofree char *list = strdup(""), *text = NULL;
	struct vh_mpi_cluster *c = NULL;
	vh_autoerr err = VH_ERR_NONE;

	for (unsigned i = 0; nodes[i]; i++) {
		char *longer = vh_strf("%s%s{\"name\": \"n%u\", \"address\": \"10.9.0.%u\", %s}", list, i ? "," : "", i + 1, i + 1, nodes[i]);

		free(list);
		list = longer;
	}
	text = vh_strf("{\"schema\": \"vhpc.cluster/1\", \"name\": \"c\", \"user\": \"hpc\", \"cidr\": \"10.9.0.0/24\", \"interface\": \"mpi0\","
		       " \"accel\": \"kvm\", \"ssh_config\": \"/s/ssh_config\", \"mpi\": {\"name\": \"%s\", \"version\": \"%s\"},%s \"nodes\": [%s]}",
		       mpi, version, region ? " \"region\": {\"size\": 16777216}," : "", list);
	ck_assert_msg(vh_mpi_cluster_parse("r.json", text, strlen(text), &c, &err) == 0, "%s", err.text);
	return c;
}

static void plan(const struct vh_mpi_cluster *c, const char *const *args, const char *const *env, struct vh_mpi_job *ret)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = c, .args = (char *const *)args, .env = (char *const *)env,
				       .hostfile = "/h", .rankfile = "/r", .head = "10.9.0.1" }, ret, &err) == 0, "%s", err.text);
}

static bool has(char *const *argv, const char *a, const char *b)
{
	for (; *argv; argv++)
		if (!strcmp(*argv, a) && (!b || (argv[1] && !strcmp(argv[1], b))))
			return true;
	return false;
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const char *const empty[] = { NULL };

#define CELLS "\"cells\": [{\"cpus\": \"0-3\", \"l3\": [\"0-1\", \"2-3\"]}, {\"cpus\": \"4-7\"}]"
#define IB(pkey) "\"devices\": [{\"name\": \"mlx5_0\", \"link\": \"infiniband\", \"pkey\": \"" pkey "\", \"cell\": 1}]"
#define ROCE(fabric) "\"devices\": [{\"name\": \"mlx5_1\", \"port\": 2, \"link\": \"ethernet\", \"gid_index\": 3, \"fabric\": \"" fabric "\"}]"

START_TEST(words_of_mpirun)
{
	static const struct { const char *args[8]; size_t program; uint64_t ranks; const char *placement; bool contexts; } cases[] = {
		{ { "-n", "4", "./a", "-n", "9" }, 2, 4, NULL, false },
		{ { "--np", "4", "--mca", "btl", "self", "./a" }, 5, 4, NULL, false },
		{ { "--map-by", "node", "-np", "2", "./a" }, 4, 2, "--map-by", false },
		{ { "--map-by=node", "./a" }, 1, 0, "--map-by=node", false },
		{ { "-x", "A=1", "-H", "n1:2", "./a" }, 4, 0, "-H", false },
		{ { "-n", "1", "./a", ":", "-n", "2", "./b" }, 2, 1, NULL, true },
		{ { "--unheard-of", "./a" }, 1, 0, NULL, false }, { { "-n" }, 1, 0, NULL, false }, { { NULL }, 0, 0, NULL, false },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		struct vh_mpi_args a;

		vh_mpi_args_read((char *const *)cases[i].args, vh_ompi_41.options, &a);
		ck_assert_msg(a.program == cases[i].program && a.ranks == cases[i].ranks && a.contexts == cases[i].contexts, "case %zu", i);
		ck_assert_pstr_eq(a.placement, cases[i].placement);
	}
}
END_TEST

/* Two caches in the first cell, one in the second, which has the device. */
START_TEST(ranks_share_caches_evenly)
{
	static const struct { const char *n, *threads, *file; } cases[] = {
		{ "1", NULL, "rank 0=n1 slot=4\n" },
		{ "3", NULL, "rank 0=n1 slot=0\nrank 1=n1 slot=2\nrank 2=n1 slot=4\n" },
		{ "4", NULL, "rank 0=n1 slot=0\nrank 1=n1 slot=2\nrank 2=n1 slot=4\nrank 3=n1 slot=5\n" },
		{ "2", "OMP_NUM_THREADS=2", "rank 0=n1 slot=0,1\nrank 1=n1 slot=4,5\n" },
		{ "2", "OMP_NUM_THREADS=4", "rank 0=n1 slot=0,1,2,3\nrank 1=n1 slot=4,5,6,7\n" },
		{ "2", "OMP_NUM_THREADS=8", "rank 0=n1 slot=0,1,2,3,4,5,6,7\nrank 1=n2 slot=0,1,2,3,4,5,6,7\n" },
		{ "2", "OMP_NUM_THREADS=99", "rank 0=n1 slot=0,1,2,3,4,5,6,7\nrank 1=n2 slot=0,1,2,3,4,5,6,7\n" },
	};
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 8, " CELLS ", " IB("0x8001"), "\"slots\": 8, " CELLS));

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autojob p = { 0 };

		plan(c, ARGS("-n", cases[i].n, "./a"), (const char *const[]){ cases[i].threads, NULL }, &p);
		ck_assert_msg(p.rankfile && !strcmp(p.rankfile, cases[i].file), "case %zu: %s", i, p.rankfile);
		ck_assert(has(p.argv, "--rankfile", "/r"));
	}
}
END_TEST

/* Every CPU is given at most once, to ranks of its own node, whatever the numbers. */
START_TEST(no_cpu_twice)
{
	vh_autocluster c = record("openmpi", "5.0.7", true, ARGS("\"slots\": 8, " CELLS, "\"slots\": 3", "\"slots\": 8, " CELLS));

	for (unsigned n = 1; n <= 19; n++)
		for (unsigned threads = 1; threads <= 3; threads++) {
			vh_autofree char *ranks = vh_strf("%u", n), *omp = vh_strf("OMP_NUM_THREADS=%u", threads);
			vh_autojob p = { 0 };
			uint64_t rank = 0;

			plan(c, ARGS("-n", ranks, "./a"), ARGS(omp), &p);
			ck_assert(p.ranks.ours == (n <= 2 * (8 / threads) + 3 / threads));
			for (size_t i = 0; p.ranks.ours && i < c->n_nodes; i++) {
				uint64_t seen = 0;

				for (unsigned k = 0; k < p.ranks.count[i]; k++, rank++)
					for (unsigned t = 0; t < threads; t++) {
						unsigned cpu = vh_mpi_rank_cpus(&p.ranks, rank)[t];

						ck_assert_uint_lt(cpu, c->nodes[i].slots);
						ck_assert(!(seen & 1ull << cpu));
						seen |= 1ull << cpu;
					}
			}
			ck_assert(!p.ranks.ours || rank == n);
		}
}
END_TEST

START_TEST(placement_that_is_the_users)
{
	static const struct { const char *args[4], *env, *word; } cases[] = {
		{ { "--map-by", "node", "./a" }, NULL, "--map-by" }, { { "--bind-to", "none", "./a" }, NULL, "--bind-to" },
		{ { "--host", "n1:2", "./a" }, NULL, "--host" }, { { "-npernode", "1", "./a" }, NULL, "-npernode" },
		{ { "./a" }, "OMPI_MCA_rmaps_base_mapping_policy=node", "OMPI_MCA_rmaps_base_mapping_policy" },
		{ { "-n", "99", "./a" }, NULL, NULL }, { { "--oversubscribe", "./a" }, NULL, NULL },
	};
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 8, " CELLS));

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autojob p = { 0 };

		plan(c, cases[i].args, (const char *const[]){ cases[i].env, NULL }, &p);
		ck_assert_msg(!p.ranks.ours && !p.rankfile, "case %zu", i);
		ck_assert(!has(p.argv, "--rankfile", NULL));
		ck_assert_pstr_eq(p.users ? p.users[0] : NULL, cases[i].word);
	}
}
END_TEST

START_TEST(conflicts_are_said)
{
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 2"));
	vh_autojob p = { 0 };
	vh_autojob same = { 0 };

	plan(c, ARGS("--mca", "btl", "tcp,self", "./a"), ARGS("OMPI_MCA_btl_tcp_if_exclude=lo"), &p);
	ck_assert_uint_eq(vh_strv_len(p.notes), 2);
	ck_assert(vh_strv_has(p.notes, "btl is yours (tcp,self): the plan's 'self,vader,tcp' is left out"));
	ck_assert(vh_strv_has(p.notes, "btl_tcp_if_exclude is yours (lo): the plan's '10.9.0.0/24' is left out"));
	plan(c, ARGS("--mca", "btl", "self,vader,tcp", "./a"), empty, &same);
	ck_assert_ptr_null(same.notes);
}
END_TEST

START_TEST(environment_is_forwarded)
{
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 2"));
	vh_autojob p = { 0 };

	plan(c, ARGS("-x", "OMP_PLACES=cores", "./a"), ARGS("OMP_NUM_THREADS=2", "OMP_PLACES=x", "UCX_LOG_LEVEL=info", "SECRET=1", "PATH=/bin"), &p);
	ck_assert(has(p.argv, "-x", "OMP_NUM_THREADS") && has(p.argv, "-x", "UCX_LOG_LEVEL"));
	ck_assert(!has(p.argv, "-x", "OMP_PLACES") && !has(p.argv, "-x", "SECRET") && !has(p.argv, "-x", "PATH"));
	ck_assert_str_eq(p.rankfile, "rank 0=n1 slot=0,1\n");
}
END_TEST

/* h1: n1 n2, h2: n3; with and without devices, and as 4.1, 5.0 and MPICH carry them. */
START_TEST(transport_of_each_pair)
{
#define N(host, more) "\"slots\": 2, \"host\": \"" host "\"" more
	static const struct {
		const char *mpi, *version, *nodes[4];
		uint64_t pairs[VH_MPI_TRANSPORTS];
		bool ucx;
		const char *key, *value;
	} cases[] = {
		{ "openmpi", "4.1.4", { N("h1", ""), N("h1", ""), N("h2", "") }, { 3, 4, 0, 8 }, false, "btl", "self,vader,ivshm,tcp" },
		/* No two ranks share a VM: nothing polls what they would go by. */
		{ "openmpi", "4.1.4", { "\"slots\": 1, \"host\": \"h1\"", "\"slots\": 1, \"host\": \"h1\"" }, { 0, 1, 0, 0 }, false, "btl", "self,ivshm,tcp" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x8001")), N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8001")) }, { 3, 4, 8, 0 }, false,
		  "btl_openib_pkey", "0x8001" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8001")) }, { 2, 0, 4, 0 }, true, "pml", "ucx" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8001")), N("h3", "") }, { 3, 0, 4, 8 }, false,
		  "btl_openib_if_include", "mlx5_0:1" },
		{ "openmpi", "4.1.4", { N("h1", ", " ROCE("a")), N("h2", ", " ROCE("a")), N("h2", "") }, { 3, 4, 4, 4 }, false,
		  "btl_openib_cpc_include", "rdmacm" },
		/* Not one fabric, not one partition, two limited members: TCP. */
		{ "openmpi", "4.1.4", { N("h1", ", " ROCE("a")), N("h2", ", " ROCE("b")) }, { 2, 0, 0, 4 }, false, "btl", "self,vader,ivshm,tcp" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8002")) }, { 2, 0, 0, 4 }, false, "pml", "ob1" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x0001")), N("h2", ", " IB("0x0001")) }, { 2, 0, 0, 4 }, false, "pml", "ob1" },
		{ "openmpi", "4.1.4", { N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x0001")) }, { 2, 0, 4, 0 }, true, "pml", "ucx" },
		/* One host: the memory is nearer than the device. */
		{ "openmpi", "5.0.7", { N("h1", ", " IB("0x8001")), N("h1", ", " IB("0x8001")) }, { 2, 4, 0, 0 }, false, "btl", "self,sm,ivshm,tcp" },
		{ "openmpi", "5.0.7", { N("h1", ", " IB("0x8001")), N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8001")) }, { 3, 0, 12, 0 }, true, "pml", "ucx" },
		{ "mpich", "4.0.2", { N("h1", ", " ROCE("a")), N("h1", ", " ROCE("a")), N("h2", "") }, { 3, 0, 4, 8 }, true, "UCX_NET_DEVICES", "mlx5_1:2,mpi0" },
		{ "mpich", "4.0.2", { N("h1", ""), N("h2", "") }, { 2, 0, 0, 4 }, false, "UCX_TLS", "self,sm,tcp" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autocluster c = record(cases[i].mpi, cases[i].version, true, cases[i].nodes);
		vh_autojob p = { 0 };

		plan(c, ARGS("./a"), empty, &p);
		for (int t = 0; t < VH_MPI_TRANSPORTS; t++)
			ck_assert_msg(p.pairs[t] == cases[i].pairs[t], "case %zu: transport %d: %llu pairs", i, t, (unsigned long long)p.pairs[t]);
		ck_assert_msg(p.ucx == cases[i].ucx, "case %zu", i);
		ck_assert_msg(has(p.argv, cases[i].key, cases[i].value), "case %zu", i);
	}
}
END_TEST

/* What a benchmark measures between two nodes, and in one; the options are the launcher's. */
START_TEST(transports_alone)
{
	static const bool pairs[][VH_MPI_TRANSPORTS] = {	/* n1 with n1 to n4 */
		{ true, false, false, false }, { false, true, true, true }, { false, false, true, true }, { false, false, false, true },
	};
	vh_autocluster c = record("openmpi", "4.1.4", true, ARGS("\"slots\": 2, " IB("0x8001"), "\"slots\": 1, " IB("0x8001"),
			  "\"slots\": 1, \"host\": \"b\", " IB("0x8001"), "\"slots\": 1, \"host\": \"b\", " ROCE("x")));

	for (size_t i = 0; i < vh_array_len(pairs); i++)
		for (int t = 0; t < VH_MPI_TRANSPORTS; t++)
			ck_assert_msg(vh_mpi_transports[t].joins(c, &c->nodes[0], &c->nodes[i]) == pairs[i][t], "node %zu by %s", i + 1,
				      vh_mpi_transports[t].kind);
	ck_assert(!vh_mpi_transports[VH_MPI_SM].joins(c, &c->nodes[1], &c->nodes[1]));
	for (int t = 0; t < VH_MPI_TRANSPORTS; t++)
		ck_assert(vh_ompi_41.ways[t].options[0] && vh_ompi_50.ways[t].options[0]);
	ck_assert_ptr_null(vh_mpich.ways);
}
END_TEST

START_TEST(ucx_is_told_its_ports)
{
	vh_autocluster c = record("openmpi", "5.0.7", false, ARGS(N("h1", ", " ROCE("a")), N("h2", ", " ROCE("a"))));
	vh_autojob p = { 0 };

	plan(c, ARGS("./a"), ARGS("UCX_TLS=rc"), &p);
	ck_assert(has(p.argv, "-x", "UCX_NET_DEVICES=mlx5_1:2") && has(p.argv, "-x", "UCX_IB_GID_INDEX=3") && has(p.argv, "-x", "UCX_TLS"));
	ck_assert(vh_strv_has(p.notes, "UCX_TLS is yours (rc): the plan's 'self,sm,ib' is left out"));
}
END_TEST

START_TEST(the_line_of_hydra)
{
	vh_autocluster c = record("mpich", "4.0.2", false, ARGS("\"slots\": 8, " CELLS, "\"slots\": 8, " CELLS));
	vh_autojob p = { 0 };

	plan(c, ARGS("-n", "10", "./a"), empty, &p);
	ck_assert_str_eq(p.argv[0], "mpiexec.hydra");
	ck_assert(has(p.argv, "-launcher", "ssh") && has(p.argv, "-rmk", "user") && has(p.argv, "-f", "/h"));
	ck_assert(has(p.argv, "-bind-to", "user:0,1,2,3,4,5,6,7"));
	ck_assert(vh_strv_has(p.env, "HYDRA_LAUNCHER_EXTRA_ARGS=-F /etc/vhpc/ssh_config"));
	ck_assert_str_eq(p.hostfile, "n1:8\nn2:8\n");
}
END_TEST

START_TEST(cells_that_are_none)
{
	static const char *const bad[] = {
		"\"slots\": 2, \"cells\": []", "\"slots\": 2, \"cells\": [{\"cpus\": \"0\"}]", "\"slots\": 2, \"cells\": [{\"cpus\": \"0-2\"}]",
		"\"slots\": 2, \"cells\": [{\"cpus\": \"0,0\"}]", "\"slots\": 2, \"cells\": [{\"cpus\": \"0\"}, {\"cpus\": \"0\"}]",
		"\"slots\": 2, \"cells\": [{\"cpus\": \"0-1\", \"l3\": [\"0\"]}]", "\"slots\": 2, \"cells\": [{\"cpus\": \"0-1\", \"l3\": [\"0\", \"0-1\"]}]",
		"\"slots\": 2, \"cells\": [{\"cpus\": \"x\"}]", "\"slots\": 2, \"cells\": [7]", "\"slots\": 2, \"host\": \"a b\"",
		"\"slots\": 2, \"devices\": {}", "\"slots\": 2, \"devices\": [{\"name\": \"m,x\", \"link\": \"ethernet\"}]",
		"\"slots\": 2, \"devices\": [{\"name\": \"m\", \"link\": \"token ring\"}]", "\"slots\": 2, \"devices\": [{\"name\": \"m\"}]",
		"\"slots\": 2, \"devices\": [{\"name\": \"m\", \"link\": \"ethernet\", \"port\": 0}]",
		"\"slots\": 2, \"devices\": [{\"name\": \"m\", \"link\": \"infiniband\", \"pkey\": \"0x10000\"}]",
		"\"slots\": 2, \"devices\": [{\"name\": \"m\", \"link\": \"ethernet\", \"gid_index\": 256}]",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autofree char *text = vh_strf("{\"schema\": \"vhpc.cluster/1\", \"name\": \"c\", \"user\": \"hpc\", \"cidr\": \"10.9.0.0/24\","
			" \"interface\": \"mpi0\", \"accel\": \"kvm\", \"ssh_config\": \"/s\", \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"},"
			" \"nodes\": [{\"name\": \"n\", \"address\": \"10.9.0.1\", %s}]}", bad[i]);
		struct vh_mpi_cluster *c = NULL;
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_msg(vh_mpi_cluster_parse("r", text, strlen(text), &c, &err) < 0, "%s", bad[i]);
		ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	}
}
END_TEST

/* --- Slurm */

START_TEST(a_batch_jobs_nodes)
{
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 8", "\"slots\": 8", "\"slots\": 8"));
	vh_autoerr err = VH_ERR_NONE;
	const char *note;

	ck_assert_int_eq(vh_mpi_slurm_narrow(c, (char *const *)ARGS("SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n[2-3]", "SLURM_NTASKS=5",
					     "SLURM_TASKS_PER_NODE=3,2"), &note, &err), 0);
	ck_assert_uint_eq(c->n_nodes, 2);
	ck_assert_str_eq(c->nodes[0].name, "n2");
	ck_assert_uint_eq(c->nodes[0].slots, 3);
	ck_assert_uint_eq(c->nodes[1].slots, 2);
	ck_assert_int_eq(vh_mpi_slurm_narrow(c, (char *const *)ARGS("SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n3", "SLURM_TASKS_PER_NODE=1",
					     "SLURM_JOB_CPUS_PER_NODE=16(x1)"), &note, &err), 0);
	ck_assert_uint_eq(c->n_nodes, 1);
	ck_assert_uint_eq(c->nodes[0].slots, 2);
}
END_TEST

START_TEST(a_batch_job_elsewhere)
{
	vh_autocluster c = record("openmpi", "4.1.4", false, ARGS("\"slots\": 8", "\"slots\": 8"));
	vh_autoerr err = VH_ERR_NONE;
	const char *note;

	ck_assert_int_eq(vh_mpi_slurm_narrow(c, (char *const *)ARGS("SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=x[1-2]"), &note, &err), 0);
	ck_assert_ptr_nonnull(note);
	ck_assert_uint_eq(c->n_nodes, 2);
	ck_assert_int_lt(vh_mpi_slurm_narrow(c, (char *const *)ARGS("SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n1,x1"), &note, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "job 7 has the node x1, which is not one of cluster c's", "a job runs on nodes of one cluster");
	ck_assert_int_lt(vh_mpi_slurm_narrow(c, (char *const *)ARGS("SLURM_JOB_ID=7", "SLURM_JOB_NODELIST=n["), &note, &err), 0);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_uint_eq(c->n_nodes, 2);
}
END_TEST

/* --- what the nodes answer */

#define PACKAGES "package openmpi-bin 4.1.4-3+b1\npackage libucx0 1.13.1-1\npackage libpmix2 4.2.2-1\n"
#define REST "memlock unlimited\nshm 1000000000 900000000\n"

static const char good[] = "clock 1000.5\ndaemon /usr/bin/orted\nprogram ok\nregion 16777216 write-back resource2_wc\n"
			   "device mlx5_0:1 ACTIVE\npkey mlx5_0:1 there\npeer n2 ok\n" PACKAGES REST "end\n";

/* Of two nodes, the second with one text of the good answer replaced: the check that fails, or NULL. */
static char *judged(const char *from, const char *to, int status)
{
	vh_autocluster c = record("openmpi", "4.1.4", true, ARGS(N("h1", ", " IB("0x8001")), N("h1", ", " IB("0x8001")), N("h2", ", " IB("0x8001"))));
	const char *at = strstr(good, from);
	vh_autofree char *changed = vh_strf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from)), *fine = strdup(good);
	const struct vh_mpi_answer answers[] = {
		{ fine, NULL, 0, 1000, 1001 }, { changed, (char *)"ssh: no route", status, 1000, 1001 }, { fine, NULL, 0, 1000, 1001 },
	};
	vh_autojob p = { 0 };
	const struct vh_mpi_preflight pre = { .cluster = c, .job = &p, .program = "./a", .directory = "/home" };
	char *what = NULL;
	vh_autofindings found = VH_FINDINGS_NONE;
	const json_t *r;
	size_t i;

	plan(c, ARGS("./a"), empty, &p);
	vh_mpi_judge(&pre, answers, &found);
	json_array_foreach(found.rows, i, r)
		if (vh_finding_is(r, VH_WRONG)) {
			ck_assert_str_eq(vh_finding_text(r, "object"), "n2");
			ck_assert_str_ne(vh_finding_text(r, "mend"), "");
			ck_assert(json_is_true(json_object_get(r, "stops")) == !strstr("clock region UCX", json_string_value(json_object_get(r, "check"))));
			free(what);
			what = strdup(json_string_value(json_object_get(r, "check")));
		}
	ck_assert(!!found.count[VH_WRONG] == !!what);
	return what;
}

START_TEST(answers_are_judged)
{
	static const struct { const char *from, *to; int status; const char *check; } cases[] = {
		{ "end\n", "end\n", 0, NULL }, { "4.1.4-3+b1", "4.1.5-1", 0, "Open MPI" }, { "4.1.4-3+b1", "4.1.4-3", 0, NULL },
		{ "4.1.4-3+b1", "5.0.1+really4.1.4-1", 0, NULL },
		{ "1.13.1-1", "1.18.0-1", 0, "UCX" }, { "package libpmix2 4.2.2-1\n", "", 0, "PMIx" }, { "/usr/bin/orted", "missing", 0, "orted" },
		{ "program ok", "program is not executable", 0, "program" }, { "program ok", "program ok\nlibrary libfoo.so.1", 0, "library" },
		{ "memlock unlimited", "memlock 65536", 0, "memlock" }, { "900000000", "1000", 0, "/dev/shm" },
		{ "clock 1000.5", "clock 1003.9", 0, NULL }, { "clock 1000.5", "clock 2000", 0, "clock" }, { "clock 1000.5", "clock 996", 0, "clock" },
		{ "ACTIVE", "INIT", 0, "port" }, { "device mlx5_0:1 ACTIVE\n", "", 0, "port" }, { "there", "missing", 0, "P_Key" },
		{ "region 16777216", "region 4096", 0, "region" }, { "region 16777216 write-back resource2_wc", "region missing no", 0, "region" },
		{ "peer n2 ok", "peer n3 no answer", 0, "reaches" }, { "end\n", "", 0, "ssh" }, { "end\n", "end\n", 127, "checks" }, { good, "", 255, "ssh" },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *what = judged(cases[i].from, cases[i].to, cases[i].status);

		ck_assert_msg(!what == !cases[i].check && (!what || !strcmp(what, cases[i].check)), "case %zu: %s", i, what ? what : "nothing");
	}
}
END_TEST

START_TEST(questions_are_lines)
{
	vh_autocluster c = record("openmpi", "4.1.4", true, ARGS(N("h1", ""), N("h1", "")));
	vh_autojob p = { 0 };
	const struct vh_mpi_preflight good_one = { .cluster = c, .job = &p, .program = "./a b; rm", .directory = "/tmp" },
				     hostile = { .cluster = c, .job = &p, .program = "./a\npeer x 1.2.3.4", .directory = "/t\n" };
	vh_autofree char *a = NULL, *b = NULL;

	plan(c, ARGS("./a"), empty, &p);
	a = vh_mpi_question(&good_one, 0);
	ck_assert_str_eq(a, "daemon orted\ndirectory /tmp\nprogram ./a b; rm\nregion\npeer n2 10.9.0.2\n");
	b = vh_mpi_question(&hostile, 1);
	ck_assert_str_eq(b, "daemon orted\nregion\npeer n1 10.9.0.1\n");
}
END_TEST

/* --- figures */

#define RUN(us) "{\"transport\": \"tcp\", \"sizes\": [{\"bytes\": 0, \"us\": [9]}, {\"bytes\": 1048576, \"us\": " us "}]}"

START_TEST(runs_are_put_together)
{
	static const char *const bad[] = { "{}", "{\"transport\": \"x\", \"sizes\": [{}]}", "{\"transport\": \"x\", \"sizes\": [{\"bytes\": 1, \"us\": 7}]}" };
	vh_autojson t = json_pack("{s:s, s:s, s:s, s:[]}", "transport", "tcp", "kind", "tcp", "hosts", "n1:1,n2:1", "sizes");
	vh_autojson a = json_loads(RUN("[400, 300, 500]"), 0, NULL);
	vh_autojson b = json_loads(RUN("[100, 200]"), 0, NULL);
	vh_autojson doc = NULL;
	vh_autofree char *svg = NULL;
	vh_autoerr err = VH_ERR_NONE;
	json_t *size;

	ck_assert_int_eq(vh_mpi_bench_add(t, a), 0);
	ck_assert_int_eq(vh_mpi_bench_add(t, b), 0);
	ck_assert_int_eq(vh_mpi_bench_sum(t), 0);
	size = json_array_get(json_object_get(t, "sizes"), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(size, "batches")), 5);
	ck_assert_double_eq(json_number_value(json_object_get(json_object_get(size, "latency_us"), "min")), 100);
	ck_assert_double_eq(json_number_value(json_object_get(json_object_get(size, "latency_us"), "p25")), 200);
	ck_assert_double_eq(json_number_value(json_object_get(json_object_get(size, "bandwidth_mib_s"), "max")), 10000);
	ck_assert_ptr_null(json_object_get(size, "us"));
	doc = json_pack("{s:[s, s], s:s, s:[O]}", "between", "n1", "n2", "accel", "kvm", "transports", t);
	ck_assert_int_eq(vh_mpi_bench_svg(doc, &svg, &err), 0);
	ck_assert_ptr_nonnull(strstr(svg, "tcp (n1:1,n2:1)"));
	ck_assert_ptr_nonnull(strstr(svg, "<polyline"));
	for (size_t i = 0; i < vh_array_len(bad); i++) {
		vh_autojson none = json_loads(bad[i], 0, NULL);

		ck_assert_int_lt(vh_mpi_bench_add(t, none), 0);
	}
}
END_TEST

UNIT_SUITE(mpirun_launch, runs_are_put_together, words_of_mpirun, ranks_share_caches_evenly, no_cpu_twice, placement_that_is_the_users, conflicts_are_said,
	   environment_is_forwarded, transport_of_each_pair, transports_alone, ucx_is_told_its_ports, the_line_of_hydra, cells_that_are_none,
	   a_batch_jobs_nodes, a_batch_job_elsewhere, answers_are_judged, questions_are_lines)
