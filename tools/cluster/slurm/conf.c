// SPDX-License-Identifier: Apache-2.0
/* What is left out is as slurm.conf(5) has it: no accounting, munge's credentials. */
#include "tools/cluster/slurm/conf.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/slurm/nodes.h"
#include "tools/cluster/slurm/slurm.h"

/* A kernel keeps a share of the memory (its table of pages is 1/64 of it), and a part that every one does (its code,
 * and 64 MiB for devices that reach but 4 GiB). */
enum { KEPT_SHARE = 32, KEPT_MIB = 96 };

uint64_t slurm_memory(uint64_t bytes)
{
	const uint64_t mib = bytes >> 20, kept = mib / KEPT_SHARE + KEPT_MIB;

	return mib > kept ? mib - kept : 1;
}

static unsigned cpus_of(const struct slurm_node *n)
{
	return n->sockets * n->cores * n->threads;
}

static char *shape_of(const struct slurm_node *n)
{
	vh_autofree char *gres = n->gpus ? vh_strf(" Gres=gpu:%zu", n->gpus) : strdup("");

	return gres ? vh_strf("%sCPUs=%u Sockets=%u CoresPerSocket=%u ThreadsPerCore=%u RealMemory=%" PRIu64 "%s State=%s",
			      n->missing ? "NodeAddr=" SLURM_NOWHERE " " : "", cpus_of(n), n->sockets, n->cores, n->threads,
			      slurm_memory(n->memory), gres, n->missing ? "DOWN Reason=\"" SLURM_MISSING "\"" : "UNKNOWN") : NULL;
}

/* A job that asks for no memory has its CPUs' share: else it would have its nodes to itself. */
static uint64_t memory_a_cpu(const struct slurm *s)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < s->n_nodes; i++) {
		const uint64_t share = slurm_memory(s->nodes[i].memory) / cpus_of(&s->nodes[i]);

		least = share < least ? share : least;
	}
	return least ? least : 1;
}

static bool has_gpus(const struct slurm *s)
{
	bool any = false;

	for (size_t i = 0; i < s->n_nodes; i++)
		any |= s->nodes[i].gpus > 0;
	return any;
}

/* How srun starts ranks of the images' MPI: MPICH's speak the first PMI, which pmi2 serves as well. */
static const char *starts_by(const char *mpi)
{
	return !strcmp(mpi, "openmpi") ? "pmix" : !strcmp(mpi, "mpich") ? "pmi2" : "none";
}

/* The same in every cluster. */
static const char always[] =
	"SlurmUser=slurm\nAuthType=auth/munge\n"
	"StateSaveLocation=/var/lib/slurm/slurmctld\nSlurmdSpoolDir=/var/lib/slurm/slurmd\n"
	"SlurmctldPidFile=/run/slurmctld.pid\nSlurmdPidFile=/run/slurmd.pid\n"
	"# A node that was off is taken again when it is back.\nReturnToService=2\n"
	"# A job that can never run is refused, not left to wait.\nEnforcePartLimits=ALL\n"
	"# Under emulation all takes longer.\nMessageTimeout=30\n"
	"ProctrackType=proctrack/cgroup\nTaskPlugin=task/affinity,task/cgroup\n"
	"SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\nTopologyPlugin=topology/tree\n"
	"# The node's own limit counts, not that of who submits: devices need memory that stays in its place.\n"
	"PropagateResourceLimitsExcept=MEMLOCK\n";

int put_conf(FILE *f, const struct slurm *s)
{
	vh_autofree char *tail = vh_strf(" Default=YES MaxTime=INFINITE DefMemPerCPU=%" PRIu64 " State=UP", memory_a_cpu(s));

	if (!tail)
		return -ENOMEM;
	fprintf(f, "# Slurm of the cluster %s, from its plan; written anew at each boot.\nClusterName=%s\nSlurmctldHost=%s\n%s", s->cluster,
		s->cluster, s->head, always);
	fprintf(f, "MpiDefault=%s\n%s", starts_by(s->mpi), has_gpus(s) ? "GresTypes=gpu\n" : "");
	return put_runs(f, s, shape_of) < 0 ? -ENOMEM : put_nodes(f, s, EVERY_HOST, "PartitionName=compute Nodes=", tail);
}
