// SPDX-License-Identifier: Apache-2.0
#include "tools/validate/target.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/json.h"
#include "lib/files/own.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/values.h"

enum { PLAN_DEADLINE_MS = 30000, SSH_DEADLINE_MS = 60000 };

/* --- our programs */

static int find_programs(struct target *t, const char *bin, struct vh_err *err)
{
	int r = vh_own_guest("guest", "vhpc-kernels", &t->kernels, err);

	if (r == 0)
		r = vh_own_guest("bench", "pingpong", &t->pingpong, err);
	t->wrap = vh_strf("%s/mpirun-wrap", bin);
	return r == 0 && !t->wrap ? vh_err_nomem(err) : r;
}

/* --- the cluster */

/* The one cluster of the state directory. */
static int only_cluster(const char *state, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/clusters", state);
	vh_autostrv found = NULL;
	struct dirent *e;
	DIR *d = path ? opendir(path) : NULL;

	while (d && (e = readdir(d))) {
		vh_autofree char *record = vh_strf("%s/%s/cluster.json", path, e->d_name);

		if (record && vh_is_hostname(e->d_name) && access(record, F_OK) == 0)
			vh_strv_push(&found, e->d_name);
	}
	if (d)
		closedir(d);
	vh_strv_sort(found);
	if (vh_strv_len(found) == 0) {
		vh_err_refuse(err, ENOENT, "no cluster is applied");
		return vh_err_hint(err, "vhpc cluster apply FILE");
	}
	if (vh_strv_len(found) > 1)
		return vh_err_usage(err, "%zu clusters are applied (%s, %s%s): say which (--cluster NAME)",
				    vh_strv_len(found), found[0], found[1], found[2] ? ", ..." : "");
	*ret = strdup(found[0]);
	return *ret ? 0 : vh_err_nomem(err);
}

/* A refusal of another program of ours, without its name. */
static int pass_on(const struct vh_output *out, struct vh_err *err)
{
	const char *text = strstr(out->err, ": ");

	text = text ? text + 2 : out->err;
	vh_err_set(err, EINVAL, "%.*s", (int)strcspn(text, "\n"), text);
	return vh_err_as(err, out->status == VH_EXIT_REFUSED ? VH_EXIT_REFUSED : VH_EXIT_FAILED);
}

/* mpirun-wrap reads and checks the cluster's record: its plan says it all. */
static int ask_wrap(const struct target *t, const char *state, const char *name, json_t **ret, struct vh_err *err)
{
	char *argv[] = { t->wrap, (char *)"--state", (char *)state, (char *)"--cluster", (char *)name, (char *)"--plan",
			 (char *)"--json", (char *)"true", NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = PLAN_DEADLINE_MS };
	vh_autooutput out = { 0 };
	int r = vh_spawn_run(&spawn, &out, err);

	if (r < 0)
		return r;
	if (out.status != 0)
		return pass_on(&out, err);
	*ret = json_loads(out.out, 0, NULL);
	return *ret ? 0 : vh_err_set(err, EBADMSG, "mpirun-wrap --plan: no JSON");
}

static int copy_text(const json_t *from, const char *key, char **ret, struct vh_err *err)
{
	const char *s = json_string_value(json_object_get(from, key));

	if (!s)
		return vh_err_set(err, EBADMSG, "mpirun-wrap --plan: no '%s'", key);
	*ret = strdup(s);
	return *ret ? 0 : vh_err_nomem(err);
}

static int read_plan(struct target *t, const json_t *plan, struct vh_err *err)
{
	const json_t *nodes = json_object_get(plan, "nodes");
	int r = copy_text(plan, "cluster", &t->cluster, err);

	if (r == 0)
		r = copy_text(plan, "accel", &t->accel, err);
	if (r == 0)
		r = copy_text(plan, "ssh_config", &t->ssh_config, err);
	if (r == 0)
		r = copy_text(json_object_get(plan, "mpi"), "version", &t->mpi_version, err);
	for (size_t i = 0; r == 0 && i < MAX_PAIR && i < json_array_size(nodes); i++)
		r = copy_text(json_array_get(nodes, i), "name", &t->node[i], err);
	t->vcpus = (unsigned)json_integer_value(json_object_get(json_array_get(nodes, 0), "slots"));
	return r;
}

/* Where libvirt says that the first VM runs. Not knowing it is no failure. */
static void read_pinning(struct target *t, const struct vh_cli *cli, const char *bin)
{
	vh_autofree char *vm = vh_strf("%s/vhpc-vm", bin);
	char *argv[] = { vm, (char *)"list", (char *)"--json", (char *)"--state", (char *)cli->state,
			 cli->connect ? (char *)"--connect" : NULL, (char *)cli->connect, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = PLAN_DEADLINE_MS };
	vh_autoerr err = VH_ERR_NONE;
	vh_autooutput out = { 0 };
	vh_autojson doc = NULL;
	const json_t *vms;

	if (!vm || vh_spawn_ok(&spawn, &out, &err) < 0)
		return;
	doc = json_loads(out.out, 0, NULL);
	vms = json_object_get(doc, "vms");
	for (size_t i = 0; i < json_array_size(vms); i++) {
		const json_t *row = json_array_get(vms, i);
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *cpus = json_string_value(json_object_get(row, "cpus"));
		vh_autofree unsigned *list = NULL;
		size_t n = 0;

		if (!name || !cpus || strcmp(name, t->node[0]) || vh_cpulist_parse(cpus, &list, &n) < 0 || n == 0)
			continue;
		t->cpus[0] = (int)list[0];
		t->cpus[1] = (int)list[n > 1 && t->vcpus > 1 ? 1 : 0];
	}
}

int target_open(struct target *t, const struct vh_cli *cli, const char *name, struct vh_err *err)
{
	vh_autofree char *bin = vh_own_dir(), *only = NULL;
	vh_autojson plan = NULL;
	int r;

	*t = (struct target){ .cpus = { -1, -1 } };
	if (!bin)
		return vh_err_nomem(err);
	r = find_programs(t, bin, err);
	if (r == 0 && (!name || !*name))
		r = only_cluster(cli->state, &only, err);
	if (r == 0)
		r = ask_wrap(t, cli->state, only ? only : name, &plan, err);
	if (r == 0)
		r = read_plan(t, plan, err);
	if (r == 0)
		read_pinning(t, cli, bin);
	return r;
}

void target_clear(struct target *t)
{
	free(t->cluster);
	free(t->accel);
	free(t->mpi_version);
	free(t->ssh_config);
	for (size_t i = 0; i < MAX_PAIR; i++)
		free(t->node[i]);
	free(t->wrap);
	free(t->kernels);
	free(t->pingpong);
	*t = (struct target){ .cpus = { -1, -1 } };
}

/* --- our directory in the guests */

void target_ssh(const struct target *t, unsigned node, const char *command, char *argv[6])
{
	argv[0] = (char *)"ssh";
	argv[1] = (char *)"-F";
	argv[2] = t->ssh_config;
	argv[3] = t->node[node];
	argv[4] = (char *)command;
	argv[5] = NULL;
}

static int ssh(const struct target *t, unsigned node, const char *command, const char *input, size_t len,
	       struct vh_err *err)
{
	char *argv[6];
	const struct vh_spawn spawn = { .argv = argv, .input = input, .input_len = len, .deadline_ms = SSH_DEADLINE_MS };

	if (!command)
		return vh_err_nomem(err);
	target_ssh(t, node, command, argv);
	return vh_spawn_ok(&spawn, NULL, err) < 0 ? vh_err_within(err, "%s", t->node[node]) : 0;
}

static int append_program(FILE *to, const char *path, size_t *ret_len, struct vh_err *err)
{
	vh_autofclose FILE *f = fopen(path, "re");
	char block[65536];
	size_t n;

	*ret_len = 0;
	if (!f)
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		fwrite(block, 1, n, to);
		*ret_len += n;
	}
	return ferror(f) || ferror(to) ? vh_err_set(err, EIO, "%s: cannot be copied", path) : 0;
}

/* Both programs behind one another, in one connection: under TCG each costs seconds. */
static int copy_programs(const struct target *t, unsigned node, struct vh_err *err)
{
	vh_autofree char *command = NULL, *data = NULL;
	size_t len = 0, kernels, pingpong;
	FILE *to = open_memstream(&data, &len);
	int r;

	if (!to)
		return vh_err_nomem(err);
	r = append_program(to, t->kernels, &kernels, err);
	if (r == 0)
		r = append_program(to, t->pingpong, &pingpong, err);
	if (fclose(to) != 0 && r == 0)
		r = vh_err_nomem(err);
	if (r < 0)
		return r;
	command = vh_strf("mkdir -m 700 %s && cd %s && head -c %zu >vhpc-kernels && head -c %zu >pingpong && chmod 700 *",
			  t->dir, t->dir, kernels, pingpong);
	return ssh(t, node, command, data, len, err);
}

int target_enter(struct target *t, struct vh_err *err)
{
	uint64_t nonce;
	int r = 0;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return vh_err_set(err, errno, "getrandom: %s", strerror(errno));
	snprintf(t->dir, sizeof(t->dir), "/tmp/vhpc-validate.%016llx", (unsigned long long)nonce);
	for (unsigned i = 0; r == 0 && i < MAX_PAIR && t->node[i]; i++) {
		r = copy_programs(t, i, err);
		if (r < 0 && i == 0)
			vh_err_as(err, VH_EXIT_REFUSED);	/* nothing is changed yet */
	}
	return r;
}

int target_leave(struct target *t, struct vh_err *err)
{
	vh_autofree char *command = vh_strf("rm -rf %s", t->dir);
	int r = 0;

	for (unsigned i = 0; *t->dir && i < MAX_PAIR && t->node[i]; i++) {
		vh_autoerr one = VH_ERR_NONE;

		if (ssh(t, i, command, NULL, 0, &one) < 0) {
			vh_err_move(err, &one);
			r = vh_err_within(err, "%s may be left behind", t->dir);
		}
	}
	*t->dir = '\0';
	return r;
}
