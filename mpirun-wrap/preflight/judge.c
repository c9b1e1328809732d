// SPDX-License-Identifier: Apache-2.0
/* What the answers of the nodes mean. */
#include "mpirun-wrap/preflight/preflight.h"

#include <math.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"

/* More than that confuses make, logs and time-outs; a VM's starts from whole seconds. */
static const double clock_off_s = 3;

struct judging {
	const struct vh_mpi_preflight *p;
	struct vh_findings *findings;
	const char *node;	/* that is judged now */
	bool bearable;		/* what fails now makes a job slower or odd, but does not stop it */
};

/* Takes found and wanted. */
static void row(struct judging *j, const char *check, bool ok, char *found, char *wanted, const char *mend)
{
	vh_finding_add(j->findings, &(struct vh_finding){ .object = j->node, .check = check, .verdict = ok ? VH_OK : VH_WRONG,
		       .found = found, .wanted = wanted, .mend = mend, .stops = !j->bearable });
	free(found);
	free(wanted);
}

/* What stands behind KEY in the answer, up to the line's end; malloc'd, NULL: nothing.
 * *at (NULL at first) moves on. */
static char *next(const char *text, const char *key, const char **at)
{
	size_t n = strlen(key);

	for (const char *line = *at ? *at : text; line && *line; ) {
		const char *end = line + strcspn(line, "\n");

		*at = *end ? end + 1 : end;
		if (!strncmp(line, key, n) && line[n] == ' ')
			return vh_plain(strndup(line + n + 1, (size_t)(end - line) - n - 1));
		line = *at;
	}
	return NULL;
}

static char *one(const char *text, const char *key)
{
	const char *at = NULL;

	return next(text, key, &at);
}

/* The release of the first of these packages that is there. */
static char *package(const char *text, const char *const *names)
{
	for (; *names; names++) {
		vh_autofree char *key = vh_strf("package %s", *names);
		vh_autofree char *v = key ? one(text, key) : NULL;

		if (v)
			return vh_version_upstream(v);
	}
	return NULL;
}

/* The node that answered first has the version that all must have. */
static void judge_library(struct judging *j, const char *name, const char *const *packages, const char *text, const char *first)
{
	char *here = package(text, packages), *there = package(first, packages);

	if (here || there)
		row(j, name, here && there && !strcmp(here, there), here ? here : strdup("none"), there ? there : strdup("none"),
		    "all nodes must have one version: build their images from one recipe and lock");
}

static void judge_versions(struct judging *j, const char *text, const char *first)
{
	static const char *const pmix[] = { "libpmix2", "libpmix2t64", NULL };
	const struct vh_mpi_ops *ops = j->p->job->ops;
	const char *const mpi[] = { ops->package, NULL };
	char *found = package(text, mpi);
	vh_autofree char *daemon = one(text, "daemon");

	if (found)
		row(j, ops->shown, !strcmp(found, j->p->cluster->version), found, strdup(j->p->cluster->version),
		    "all nodes must have the record's release: build the image anew and apply the cluster again");
	if (!daemon || !strcmp(daemon, "missing"))
		row(j, ops->daemon, false, strdup("not in PATH"), strdup("in PATH"), "install the MPI's run-time on the node");
	/* Only what carries messages must be the same. */
	for (int t = 0; t < VH_MPI_TRANSPORTS; t++) {
		const struct vh_mpi_library *l = vh_mpi_transports[t].library;

		j->bearable = l && !l->used(j->p->job);
		if (l)
			judge_library(j, l->name, l->packages, text, first);
	}
	j->bearable = false;
	judge_library(j, "PMIx", pmix, text, first);
}

static void judge_program(struct judging *j, const char *text)
{
	vh_autofree char *said = one(text, "program");
	const char *at = NULL;
	char *library;

	if (!said)
		return;
	row(j, "program", !strcmp(said, "ok"), vh_strf("%s %s", j->p->program, said), strdup("runs"),
	    "copy the program to the node, executable, to the same path");
	while ((library = next(text, "library", &at)))
		row(j, "library", false, vh_strf("%s not found", library), strdup("there"), "install the library on the node"), free(library);
}

static void judge_limits(struct judging *j, const char *text, size_t node)
{
	const struct vh_mpi_job *job = j->p->job;
	const struct vh_mpi_node *n = &j->p->cluster->nodes[node];
	const uint64_t wanted = job->ops->shm_a_rank * (job->ranks.count ? job->ranks.count[node] : n->slots);
	vh_autofree char *memlock = one(text, "memlock"), *shm = one(text, "shm");
	unsigned long long total, left;
	char size[16], least[16];

	if (memlock) {
		const bool matters = job->rails.n > 0, unlimited = !strcmp(memlock, "unlimited");

		row(j, "memlock", !matters || unlimited, strdup(memlock), strdup(matters ? "unlimited" : "any"),
		    "RDMA pins memory: set limits.memlock: unlimited in the recipe");
	}
	if (shm && sscanf(shm, "%llu %llu", &total, &left) == 2)
		row(j, "/dev/shm", left >= wanted, vh_strf("%s free", vh_size_format(size, sizeof(size), left)),
		    vh_strf("%s", vh_size_format(least, sizeof(least), wanted)), "remove what fills it, or mount it larger (mount -o remount,size=)");
}

static void judge_clock(struct judging *j, const char *text, const struct vh_mpi_answer *a)
{
	vh_autofree char *said = one(text, "clock");
	double now = said ? strtod(said, NULL) : 0, off = 0;

	if (!said)
		return;
	if (now < a->asked)
		off = now - a->asked;
	else if (now > a->answered)
		off = now - a->answered;
	j->bearable = true;
	row(j, "clock", fabs(off) <= clock_off_s, vh_strf("%+.1f s", off), vh_strf("within %.0f s of this machine's", clock_off_s),
	    "let the node take its time from the hypervisor (kvm-clock, ptp_kvm) or NTP");
	j->bearable = false;
}

static void judge_devices(struct judging *j, const char *text, size_t node)
{
	const struct vh_mpi_rails *rails = &j->p->job->rails;

	for (size_t i = 0; rails->n && rails->has[node] && i < rails->n; i++) {
		const struct vh_mpi_device *d = rails->ports[i];
		vh_autofree char *key = vh_strf("device %s:%u", d->name, d->port), *pkey = vh_strf("pkey %s:%u", d->name, d->port);
		vh_autofree char *state = one(text, key), *has = one(text, pkey);

		row(j, "port", state && !strcmp(state, "ACTIVE"), vh_strf("%s:%u %s", d->name, d->port, state ? state : "missing"),
		    strdup("ACTIVE"), "look at cable, subnet manager and VF: vhpc sriov doctor");
		if (has)
			row(j, "P_Key", !strcmp(has, "there"), vh_strf("0x%04x %s", d->pkey, has), strdup("there"),
			    "make the port a member of the partition: vhpc sriov, the subnet manager's partitions");
	}
}

static void judge_region(struct judging *j, const char *text)
{
	vh_autofree char *said = one(text, "region");
	char size[16];
	size_t bytes = 0;

	if (!said || !j->p->job->pairs[VH_MPI_IVSHM])
		return;
	bytes = strtoull(said, NULL, 10);
	j->bearable = true;
	row(j, "region", bytes == j->p->cluster->region, strdup(said), vh_strf("%s", vh_size_format(size, sizeof(size), j->p->cluster->region)),
	    "apply the cluster again; till then TCP carries what the region would");
	j->bearable = false;
}

static void judge_peers(struct judging *j, const char *text)
{
	const char *at = NULL;
	unsigned good = 0;
	char *peer;

	while ((peer = next(text, "peer", &at))) {
		char *says = strchr(peer, ' ');

		if (says && !strcmp(says, " ok"))
			good++;
		else
			row(j, "reaches", false, strdup(peer), strdup("an answer"), "look at interface, route and packet filter of both nodes");
		free(peer);
	}
	if (good)
		row(j, "reaches", true, vh_strf("%u nodes", good), strdup("an answer"), NULL);
}

static void judge_node(struct judging *j, size_t node, const struct vh_mpi_answer *a, const char *first)
{
	j->node = j->p->cluster->nodes[node].name;
	if (a->status == 127) {
		row(j, "checks", false, strdup("cannot be checked"), strdup("/usr/lib/vhpc/check"),
		    "its image is older than this program: build it anew and apply the cluster again");
		return;
	}
	if (!a->text || !strstr(a->text, "\nend\n")) {
		row(j, "ssh", false, strdup(a->problem && *a->problem ? a->problem : "no answer"), strdup("an answer"),
		    "see that the node runs: vhpc cluster status");
		return;
	}
	judge_versions(j, a->text, first);
	judge_program(j, a->text);
	judge_limits(j, a->text, node);
	judge_clock(j, a->text, a);
	judge_devices(j, a->text, node);
	judge_region(j, a->text);
	judge_peers(j, a->text);
}

void vh_mpi_judge(const struct vh_mpi_preflight *p, const struct vh_mpi_answer *answers, struct vh_findings *ret)
{
	struct judging j = { .p = p, .findings = ret };
	const char *first = NULL;

	for (size_t i = 0; i < p->cluster->n_nodes; i++) {
		if (!vh_mpi_used(p->job, i))
			continue;
		if (!first && answers[i].status == 0)
			first = answers[i].text;
		judge_node(&j, i, &answers[i], first ? first : "");
	}
}
