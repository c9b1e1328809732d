// SPDX-License-Identifier: Apache-2.0
#include "tools/validate/measure.h"

#include <errno.h>
#include <string.h>

#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { DEADLINE_MS = 120000 };

static const char *const job_names[N_JOBS] = { "fma", "triad", "pingpong" };

const char *measure_name(enum job job)
{
	return job_names[job];
}

bool measure_runs(const struct target *t, enum job job, enum side side)
{
	return side != SIDE_PAIR || (job == JOB_PINGPONG && t->node[1]);
}

static int push_words(char ***argv, const char *const *words)
{
	for (; *words; words++)
		if (vh_strv_push(argv, *words) < 0)
			return -ENOMEM;
	return 0;
}

/* --- the two kernels: here, or by ssh in the first VM */

static int kernel_argv(const struct target *t, const struct conditions *c, enum job job, enum side side, char ***argv)
{
	const char *name = job_names[job], *seconds = c->quick ? "0.3" : "2";
	vh_autofree char *command = NULL, *cpu = NULL;
	char *ssh[6];

	if (side == SIDE_HOST) {
		cpu = vh_strf("%d", t->cpus[0]);
		return cpu ? push_words(argv, (const char *const []){ t->kernels, name, "--path", c->path, "--cpu", cpu,
								      "--seconds", seconds, NULL }) : -ENOMEM;
	}
	command = vh_strf("%s/vhpc-kernels %s --path %s --cpu 0 --seconds %s", t->dir, name, c->path, seconds);
	target_ssh(t, 0, command, ssh);
	return command ? push_words(argv, (const char *const *)ssh) : -ENOMEM;
}

/* --- the ping-pong */

/* On this machine alone: shared memory, and no address of any network. */
static int host_mpirun(const struct target *t, char ***argv)
{
	bool v4 = !strncmp(t->mpi_version, "4.", 2);
	const char *const words[] = { "mpirun", "-n", "2", "--oversubscribe", "--bind-to", "none",
				      "--mca", "pml", "ob1", "--mca", "btl", v4 ? "self,vader" : "self,sm", t->pingpong, NULL };

	return push_words(argv, words);
}

static int cluster_mpirun(const struct target *t, const struct conditions *c, enum side side, char ***argv)
{
	vh_autofree char *hosts = side == SIDE_VM ? vh_strf("%s:2", t->node[0]) : vh_strf("%s:1,%s:1", t->node[0], t->node[1]);
	vh_autofree char *program = vh_strf("%s/pingpong", t->dir);
	const char *const words[] = { t->wrap, "--state", c->state, "--cluster", t->cluster, "-n", "2", "--oversubscribe",
				      "--bind-to", "none", "--map-by", "node", "--host", hosts, program, NULL };

	return hosts && program ? push_words(argv, words) : -ENOMEM;
}

static int pingpong_argv(const struct target *t, const struct conditions *c, enum side side, char ***argv)
{
	int r = side == SIDE_HOST ? host_mpirun(t, argv) : cluster_mpirun(t, c, side, argv);

	if (r == 0 && c->quick)
		r = vh_strv_push(argv, "--quick");
	if (r < 0 || (side == SIDE_HOST && t->cpus[0] < 0))
		return r;
	if (vh_strv_push(argv, "--cpus") < 0)
		return -ENOMEM;
	if (side == SIDE_HOST)
		return vh_strv_pushf(argv, "%d,%d", t->cpus[0], t->cpus[1]);
	return vh_strv_push(argv, side == SIDE_VM && t->vcpus > 1 ? "0,1" : "0,0");
}

/* --- launching */

static int launch(const struct target *t, const struct conditions *c, enum job job, enum side side, struct results *r,
		  struct vh_err *err)
{
	char *as_root[] = { (char *)"OMPI_ALLOW_RUN_AS_ROOT=1", (char *)"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", NULL };
	vh_autostrv argv = NULL;
	vh_autooutput out = { 0 };
	struct vh_spawn spawn = { .env = side == SIDE_HOST ? as_root : NULL, .deadline_ms = DEADLINE_MS };
	int ret = job == JOB_PINGPONG ? pingpong_argv(t, c, side, &argv) : kernel_argv(t, c, job, side, &argv);

	if (ret < 0)
		return vh_err_nomem(err);
	spawn.argv = argv;
	ret = vh_spawn_ok(&spawn, &out, err);
	return ret < 0 ? ret : results_add(r, side, out.out, err);
}

int measure(const struct target *t, const struct conditions *c, enum job job, enum side side, struct results *r,
	    struct vh_err *err)
{
	int ret = launch(t, c, job, side, r, err);

	if (ret == 0 || ret == -ENOENT)
		return ret;
	vh_err_clear(err);
	return launch(t, c, job, side, r, err);
}

/* --- conditions */

static int ask_paths(char *const *argv, json_t **ret, struct vh_err *err)
{
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = DEADLINE_MS };
	vh_autooutput out = { 0 };
	int r = vh_spawn_ok(&spawn, &out, err);

	if (r < 0)
		return r;
	*ret = json_loads(out.out, 0, NULL);
	return json_is_array(json_object_get(*ret, "paths")) ? 0 : vh_err_set(err, EBADMSG, "vhpc-kernels paths: no list");
}

static bool has_text(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s && !strcmp(s, name))
			return true;
	}
	return false;
}

/* The host's are ours to believe; what the guest says only selects among them. */
static int choose_path(const json_t *host, const json_t *vm, struct conditions *c, struct vh_err *err)
{
	const json_t *here = json_object_get(host, "paths"), *there = json_object_get(vm, "paths");

	for (size_t i = 0; i < json_array_size(here); i++) {
		const char *name = json_string_value(json_array_get(here, i));

		if (!name || strlen(name) >= sizeof(c->path) || !has_text(there, name))
			continue;
		strcpy(c->path, name);
		return 0;
	}
	return vh_err_set(err, ENOTSUP, "host and guest have no instructions in common");
}

static void copy_model(const json_t *doc, char model[128])
{
	const char *s = json_string_value(json_object_get(doc, "cpu"));

	snprintf(model, 128, "%s", s ? s : "unknown");
	/* A guest may say anything; and a letter of several bytes may be cut. */
	vh_plain(model);
	for (char *p = model; *p; p++)
		if (*p & 0x80)
			*p = '?';
}

int measure_conditions(const struct target *t, struct conditions *c, struct vh_err *err)
{
	vh_autofree char *command = vh_strf("%s/vhpc-kernels paths", t->dir);
	char *here[] = { t->kernels, (char *)"paths", NULL }, *there[6];
	vh_autojson host = NULL, *vm = NULL;
	int r = command ? ask_paths(here, &host, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	target_ssh(t, 0, command, there);
	r = ask_paths(there, &vm, err);
	if (r < 0)
		return vh_err_within(err, "%s", t->node[0]);
	copy_model(host, c->host_cpu);
	copy_model(vm, c->vm_cpu);
	return choose_path(host, vm, c, err);
}
