// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/bench/bench.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/json.h"
#include "lib/files/own.h"
#include "lib/show/progress.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "mpirun-wrap/launcher/launcher.h"

enum { SSH_DEADLINE_MS = 60000, GRACE_MS = 150000 };

/* A transport of the pair, and the options that make it the only one. */
struct way { const char *kind, *name; char *hosts, **options; };

struct bench {
	const struct vh_mpi_bench *b;
	const struct vh_mpi_node *pair[2];
	struct vh_mpi_job job;	/* of a job on the pair */
	char dir[40];
	struct way ways[VH_MPI_TRANSPORTS];
	size_t n_ways;
	char *self, *pingpong, *data;
	size_t len;
};

static void bench_clear(struct bench *x)
{
	for (size_t i = 0; i < x->n_ways; i++) {
		free(x->ways[i].hosts);
		vh_strv_free(x->ways[i].options);
	}
	vh_mpi_job_clear(&x->job);
	free(x->self);
	free(x->pingpong);
	free(x->data);
}

/* --- the pair and its transports */

static const struct vh_mpi_node *find(const struct vh_mpi_cluster *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->n_nodes; i++)
		if (strlen(c->nodes[i].name) == n && !strncmp(c->nodes[i].name, name, n))
			return &c->nodes[i];
	return NULL;
}

static int choose_pair(struct bench *x, struct vh_err *err)
{
	const struct vh_mpi_cluster *c = x->b->cluster;
	const char *between = x->b->between;
	size_t n = between ? strcspn(between, ",") : 0;

	if (!between) {
		x->pair[0] = &c->nodes[0];
		x->pair[1] = &c->nodes[c->n_nodes > 1];
		return 0;
	}
	if (!between[n] || strchr(between + n + 1, ','))
		return vh_err_usage(err, "--between %s: it takes two nodes, A,B", between);
	x->pair[0] = find(c, between, n);
	x->pair[1] = find(c, between + n + 1, strlen(between + n + 1));
	return x->pair[0] && x->pair[1] ? 0 : vh_err_refuse(err, ENOENT, "cluster %s has no node '%s'", c->name, x->pair[0] ? between + n + 1 : between);
}

static int add_way(struct bench *x, enum vh_mpi_transport t, char *hosts)
{
	const struct vh_mpi_way *way = &x->job.ops->ways[t];
	const struct vh_mpi_device *d = x->pair[0]->devices;
	struct way *w = &x->ways[x->n_ways++];
	int r = hosts ? 0 : -ENOMEM;

	*w = (struct way){ .kind = vh_mpi_transports[t].kind, .name = way->name ? way->name : x->job.ops->names[t], .hosts = hosts };
	for (const char *const *o = way->options; r == 0 && *o; o++)
		r = (*o)[strlen(*o) - 1] == '=' ? vh_strv_pushf(&w->options, "%s%s:%u", *o, d->name, d->port) : vh_strv_push(&w->options, *o);
	return r;
}

/* Pure: from what the record says of the two. */
static int find_ways(struct bench *x, struct vh_err *err)
{
	const struct vh_mpi_cluster *c = x->b->cluster;
	const struct vh_mpi_node *a = x->pair[0], *b = x->pair[1];
	int r = 0;

	for (int t = 0; r == 0 && t < VH_MPI_TRANSPORTS; t++)
		if (vh_mpi_transports[t].joins(c, a, a))
			r = add_way(x, t, vh_strf("%s:2", a->name));
		else if (vh_mpi_transports[t].joins(c, a, b))
			r = add_way(x, t, vh_strf("%s:1,%s:1", a->name, b->name));
	if (r < 0)
		return vh_err_nomem(err);
	return x->n_ways ? 0 : vh_err_refuse(err, ENODEV, "one node of one slot has no pair of ranks");
}

/* --- the program in the nodes */

static int on_node(const struct bench *x, const struct vh_mpi_node *n, const char *command, const char *input, size_t len, struct vh_err *err)
{
	struct vh_spawn ssh = { .input = input, .input_len = len, .deadline_ms = SSH_DEADLINE_MS };
	vh_autostrv argv = NULL;
	int r = vh_mpi_ssh(x->b->cluster, n, &argv, err);

	if (r == 0 && vh_strv_push(&argv, command) < 0)
		r = vh_err_nomem(err);
	ssh.argv = argv;
	if (r == 0)
		r = vh_spawn_ok(&ssh, NULL, err);
	return r < 0 ? vh_err_within(err, "%s", n->name) : 0;
}

/* The directory's name is ours alone: digits and letters. */
static int enter(struct bench *x, struct vh_err *err)
{
	vh_autofree char *command = vh_strf("mkdir -m 700 %s && cat >%s/pingpong && chmod 700 %s/pingpong", x->dir, x->dir, x->dir);
	int r = command ? vh_own_guest("bench", "pingpong", &x->pingpong, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_host_file(x->pingpong, &x->data, &x->len, err);
	for (int i = 0; r == 0 && i < 2; i++)
		if (i == 0 || x->pair[1] != x->pair[0])
			r = on_node(x, x->pair[i], command, x->data, x->len, err);
	return r;
}

static void leave(const struct bench *x)
{
	vh_autofree char *command = vh_strf("rm -rf %s", x->dir);

	for (int i = 0; command && i < 2; i++) {
		vh_autoerr ignored = VH_ERR_NONE;

		on_node(x, x->pair[i], command, NULL, 0, &ignored);
	}
}

/* --- measuring */

/* mpirun frames what it says with lines of dashes. Cuts in place. */
static const char *first_words(char *text)
{
	for (char *line; (line = strsep(&text, "\n")); )
		if (line[strspn(line, " -\t\r")])
			return vh_plain(line);
	return "it failed without a word";
}

static int launch(const struct bench *x, const struct way *w, json_t **ret, struct vh_err *err)
{
	vh_autofree char *program = vh_strf("%s/pingpong", x->dir), *seconds = vh_strf("%llu", (unsigned long long)x->b->seconds);
	vh_autostrv argv = NULL;
	const char *const begin[] = { x->self, "--quiet", "--state", x->b->state, "--cluster", x->b->what, "--no-check", "-n", "2",
				      "--host", w->hosts, NULL };
	const char *const end[] = { program, "--seconds", seconds, "--batches", NULL };
	vh_autooutput out = { 0 };
	int r = program && seconds ? 0 : -ENOMEM;

	for (const char *const *a = begin; r == 0 && *a; a++)
		r = vh_strv_push(&argv, *a);
	for (char *const *a = w->options; r == 0 && *a; a++)
		r = vh_strv_push(&argv, *a);
	for (const char *const *a = end; r == 0 && *a; a++)
		r = vh_strv_push(&argv, *a);
	if (r < 0)
		return vh_err_nomem(err);
	r = vh_spawn_run(&(struct vh_spawn){ .argv = argv, .deadline_ms = (int)x->b->seconds * 1000 + GRACE_MS }, &out, err);
	if (r < 0)
		return r;
	if (out.timed_out || out.status)
		return vh_err_set(err, EIO, "%s", out.timed_out ? "not done in time" : first_words(out.err));
	*ret = json_loads(out.out, 0, NULL);
	return *ret ? 0 : vh_err_set(err, EBADMSG, "pingpong: no JSON");
}

static void turn(const struct bench *x, const struct way *w, json_t *transport)
{
	vh_autojson run = NULL;
	vh_autoerr err = VH_ERR_NONE;

	if (json_object_get(transport, "error"))
		return;
	if (launch(x, w, &run, &err) == 0 && vh_mpi_bench_add(transport, run) < 0)
		vh_err_set(&err, EBADMSG, "pingpong: its JSON is not understood");
	if (err.text)
		json_object_set_new(transport, "error", vh_json_text(err.text));
}

static json_t *measure(const struct bench *x)
{
	struct vh_progress *p = vh_progress_start("mpirun-wrap", x->b->quiet);
	json_t *all = json_array();

	for (size_t i = 0; i < x->n_ways; i++)
		json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:[]}", "transport", x->ways[i].name, "kind", x->ways[i].kind,
						     "hosts", x->ways[i].hosts, "sizes"));
	for (uint64_t round = 0; round < x->b->rounds; round++)
		for (size_t i = 0; i < x->n_ways; i++) {
			vh_progress_step(p, "turn %llu of %llu: %s", (unsigned long long)round + 1, (unsigned long long)x->b->rounds, x->ways[i].name);
			turn(x, &x->ways[i], json_array_get(all, i));
		}
	for (size_t i = 0; i < x->n_ways; i++)
		vh_mpi_bench_sum(json_array_get(all, i));
	vh_progress_end(p, NULL);
	return all;
}

static int prepare(struct bench *x, struct vh_err *err)
{
	vh_autofree char *dir = vh_own_dir();
	uint64_t nonce;
	int r;

	x->self = dir ? vh_strf("%s/mpirun-wrap", dir) : NULL;
	if (!x->self)
		return vh_err_nomem(err);
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return vh_err_set(err, errno, "getrandom: %s", strerror(errno));
	snprintf(x->dir, sizeof(x->dir), "/tmp/vhpc-bench.%016llx", (unsigned long long)nonce);
	x->job.ops = vh_mpi_ops_find(x->b->cluster, err);
	if (!x->job.ops)
		return -ENOTSUP;
	if (!x->job.ops->ways) {
		vh_err_refuse(err, ENOTSUP, "--bench measures Open MPI alone; the nodes have %s", x->job.ops->shown);
		return vh_err_hint(err, "build tests/bench/pingpong.c with %s and run it as a job", x->job.ops->shown);
	}
	r = choose_pair(x, err);
	return r < 0 ? r : find_ways(x, err);
}

int vh_mpi_bench_run(const struct vh_mpi_bench *b, json_t **ret, struct vh_err *err)
{
	vh_cleanup(bench_clear) struct bench x = { .b = b };
	const struct vh_mpi_cluster *c = b->cluster;
	double load = 0;
	int r = prepare(&x, err);

	if (r < 0)
		return r;
	if (getloadavg(&load, 1) != 1)
		load = 0;
	r = enter(&x, err);
	if (r == 0) {
		*ret = json_pack("{s:s, s:[s, s], s:s, s:{s:s, s:s}, s:I, s:I, s:f, s:o}", "cluster", c->name, "between", x.pair[0]->name,
				 x.pair[1]->name, "accel", c->accel, "mpi", "name", c->mpi, "version", c->version, "rounds", (json_int_t)b->rounds,
				 "seconds", (json_int_t)b->seconds, "load", load, "transports", measure(&x));
		r = *ret ? 0 : vh_err_nomem(err);
	}
	leave(&x);
	return r;
}
