// SPDX-License-Identifier: Apache-2.0
/* What the nodes of a cluster answer before a job: a guest's words, of the one node of two that lies. */
#include "lib/answer.h"
#include "mpirun-wrap/cluster/cluster.h"
#include "mpirun-wrap/launch/launch.h"
#include "mpirun-wrap/preflight/preflight.h"
#include "tests/fuzz/fuzz.h"

static const char record[] =
	"{\"schema\": \"vhpc.cluster/1\", \"name\": \"c\", \"user\": \"hpc\", \"cidr\": \"10.9.0.0/24\", \"interface\": \"mpi0\", \"accel\": \"kvm\","
	" \"ssh_config\": \"/s/ssh_config\", \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, \"region\": {\"size\": 16777216}, \"nodes\": ["
	"{\"name\": \"n1\", \"address\": \"10.9.0.1\", \"slots\": 4, \"host\": \"h\", \"devices\": [{\"name\": \"mlx5_0\", \"link\": \"infiniband\", \"pkey\": \"0x8001\"}]},"
	"{\"name\": \"n2\", \"address\": \"10.9.0.2\", \"slots\": 4, \"host\": \"h\", \"devices\": [{\"name\": \"mlx5_0\", \"link\": \"infiniband\", \"pkey\": \"0x8001\"}]}]}";
static char fine[] = "clock 1000.5\ndaemon /usr/bin/orted\nprogram ok\nregion 16777216 write-back resource2_wc\ndevice mlx5_0:1 ACTIVE\n"
		     "pkey mlx5_0:1 there\npeer n2 ok\npackage openmpi-bin 4.1.4-3+b1\nmemlock unlimited\nshm 1000000000 900000000\nend\n";

static void make(struct vh_mpi_cluster **cluster, struct vh_mpi_job *job)
{
	static char program[] = "./a";
	char *const args[] = { program, NULL }, *const env[] = { NULL };
	vh_autoerr err = VH_ERR_NONE;

	FUZZ_ASSERT(vh_mpi_cluster_parse("record", record, strlen(record), cluster, &err) == 0);
	FUZZ_ASSERT(vh_mpi_job_make(&(struct vh_mpi_input){ .cluster = *cluster, .args = args, .env = env, .hostfile = "/h",
				    .rankfile = "/r" }, job, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vh_mpi_cluster *cluster;
	static struct vh_mpi_job job;
	vh_autofree char *text = fuzz_text(data, size);
	const struct vh_mpi_answer answers[] = { { fine, NULL, 0, 1000, 1001 }, { text, NULL, 0, 1000, 1001 } };
	vh_autofindings found = VH_FINDINGS_NONE;
	const json_t *row;
	size_t i;

	if (!cluster)
		make(&cluster, &job);
	const struct vh_mpi_preflight pre = { .cluster = cluster, .job = &job, .program = "./a", .directory = "/home", .prog = "mpirun-wrap" };
	vh_mpi_judge(&pre, answers, &found);
	FUZZ_ASSERT(json_array_size(found.rows) > 0);
	json_array_foreach(found.rows, i, row)
		for (const char *c = vh_finding_text(row, "found"); c && *c; c++)
			FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
	return 0;
}
