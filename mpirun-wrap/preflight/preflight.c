// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/preflight/preflight.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/files/files.h"
#include "lib/hostlist.h"
#include "lib/json.h"
#include "lib/parallel.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { AT_ONCE = 64, MAX_PEERS = 64, DEADLINE_MS = 25000, FRESH_S = 600 };

static const char check_program[] = "/usr/lib/vhpc/check";

/* --- asking */

static bool plain_line(const char *s)
{
	return s && *s && !strpbrk(s, "\n\r");
}

static void ask_devices(FILE *f, const struct vh_mpi_preflight *p, size_t node)
{
	const struct vh_mpi_rails *r = &p->job->rails;

	for (size_t i = 0; r->n && r->has[node] && i < r->n; i++)
		fprintf(f, "device %s %u %x\n", r->ports[i]->name, r->ports[i]->port, r->ports[i]->ethernet ? 0 : r->ports[i]->pkey);
}

/* All others; of more than MAX_PEERS those that follow, so that each node is someone's peer. */
static void ask_peers(FILE *f, const struct vh_mpi_preflight *p, size_t node)
{
	const struct vh_mpi_cluster *c = p->cluster;

	for (size_t i = 1, n = 0; i < c->n_nodes && n < MAX_PEERS; i++) {
		const size_t peer = (node + i) % c->n_nodes;

		if (!vh_mpi_used(p->job, peer))
			continue;
		fprintf(f, "peer %s %s\n", c->nodes[peer].name, c->nodes[peer].address);
		n++;
	}
}

char *vh_mpi_question(const struct vh_mpi_preflight *p, size_t node)
{
	vh_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "daemon %s\n", p->job->ops->daemon);
	if (plain_line(p->directory))
		fprintf(f, "directory %s\n", p->directory);
	if (plain_line(p->program))
		fprintf(f, "program %s\n", p->program);
	if (p->job->pairs[VH_MPI_IVSHM])
		fputs("region\n", f);
	ask_devices(f, p, node);
	ask_peers(f, p, node);
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

struct asking {
	const struct vh_mpi_preflight *p;
	struct vh_mpi_answer *answers;
};

static void ask(const struct vh_mpi_preflight *p, size_t node, struct vh_mpi_answer *a)
{
	vh_autofree char *question = vh_mpi_question(p, node);
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	struct vh_spawn spawn = { .input = question, .input_len = question ? strlen(question) : 0, .deadline_ms = DEADLINE_MS };

	a->asked = now();
	a->status = -1;
	if (!question || vh_mpi_ssh(p->cluster, &p->cluster->nodes[node], &argv, &err) < 0 ||
	    vh_strv_push(&argv, check_program) < 0 || (spawn.argv = argv, vh_spawn_run(&spawn, &out, &err) < 0)) {
		a->problem = strdup(err.text ? err.text : "no memory");
		return;
	}
	a->answered = now();
	a->status = out.status;
	a->text = vh_steal(&out.out);
	out.err[strcspn(out.err, "\r\n")] = '\0';
	a->problem = out.timed_out ? strdup("no answer in time") : vh_plain(vh_steal(&out.err));
}

static void ask_used(void *arg, size_t node)
{
	const struct asking *a = arg;

	if (vh_mpi_used(a->p->job, node))
		ask(a->p, node, &a->answers[node]);
}

int vh_mpi_preflight_run(const struct vh_mpi_preflight *p, struct vh_findings *ret, struct vh_err *err)
{
	struct asking a = { .p = p, .answers = calloc(p->cluster->n_nodes, sizeof(*a.answers)) };

	if (!a.answers)
		return vh_err_nomem(err);
	vh_parallel(p->cluster->n_nodes, AT_ONCE, ask_used, &a);
	vh_mpi_judge(p, a.answers, ret);
	for (size_t i = 0; i < p->cluster->n_nodes; i++) {
		free(a.answers[i].text);
		free(a.answers[i].problem);
	}
	free(a.answers);
	return ret->no_memory ? vh_err_nomem(err) : 0;
}

/* --- what was found right stays so for a while */

/* Beside the record; on a node, where that is not the user's to write to, in his cache. */
static char *stamp_path(const struct vh_mpi_cluster *c)
{
	const char *home = getenv("HOME");
	vh_autofree char *beside = vh_mpi_beside(c, "preflight"), *dir = home ? vh_strf("%s/.cache/vhpc", home) : NULL;
	vh_autofree char *record = vh_mpi_beside(c, "");
	vh_autoerr ignored = VH_ERR_NONE;

	if (!record || access(record, W_OK) == 0 || !dir || vh_mkdirs(dir, 0700, &ignored) < 0)
		return vh_steal(&beside);
	return vh_strf("%s/%s.preflight", dir, c->name);
}

/* Everything that the answers depend on and that is known here. */
static char *stamp_text(const struct vh_mpi_preflight *p)
{
	vh_autofree char *record = vh_mpi_beside(p->cluster, "cluster.json"), *hosts = NULL, **names = NULL;
	struct stat st = { 0 };
	size_t n = 0;

	names = calloc(p->cluster->n_nodes + 1, sizeof(*names));
	for (size_t i = 0; names && i < p->cluster->n_nodes; i++)
		if (vh_mpi_used(p->job, i))
			names[n++] = p->cluster->nodes[i].name;
	hosts = names ? vh_hostlist_format(names) : NULL;
	if (!record || !hosts || stat(record, &st) < 0)
		return NULL;
	return vh_strf("found right by vhpc %s: %s\nprogram %s in %s\nnodes %s\nrecord %lld.%09ld\n", VHPC_VERSION, p->cluster->version,
		       p->program ? p->program : "-", p->directory ? p->directory : "-", hosts, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static bool is_fresh(const char *path, const char *text)
{
	vh_autofree char *was = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;
	size_t len;
	time_t t = time(NULL);

	return stat(path, &st) == 0 && st.st_mtime <= t && t - st.st_mtime < FRESH_S && st.st_uid == geteuid() &&
	       vh_mpi_read(path, &was, &len, &err) == 0 && !strcmp(was, text);
}

/* How many stop the job. Images from before there was a check start jobs as they did. */
static unsigned stopping(const json_t *rows)
{
	unsigned n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
		n += json_is_true(json_object_get(r, "stops")) && strcmp(vh_finding_text(r, "check"), "checks");
	return n;
}

int vh_mpi_preflight_launch(const struct vh_mpi_preflight *p, struct vh_findings *ret, struct vh_err *err)
{
	vh_autofree char *path = stamp_path(p->cluster), *text = stamp_text(p);
	vh_autoerr ignored = VH_ERR_NONE;
	unsigned stops;
	int r;

	if (path && text && is_fresh(path, text))
		return 0;
	r = vh_mpi_preflight_run(p, ret, err);
	if (r < 0)
		return r;
	stops = stopping(ret->rows);
	if (stops) {
		vh_err_refuse(err, EREMOTEIO, "cluster %s: %u %s failed", p->cluster->name, stops, stops == 1 ? "check" : "checks");
		return vh_err_hint(err, "%s --no-check starts the job all the same", p->prog);
	}
	/* Who may not write there is asked again the next time. */
	if (ret->count[VH_WRONG] == 0 && path && text)
		vh_write_file(path, text, strlen(text), 0600, &ignored);
	return 0;
}
