// SPDX-License-Identifier: Apache-2.0
/* The machine that an image is verified in is a cluster of one node, made and taken away by
 * vhpc-cluster, a program beside this one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "lib/json.h"
#include "lib/files/read.h"
#include "images/verify/verify.h"
#include "lib/clock.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { APPLY_MS = 10 * 60 * 1000, DESTROY_MS = 3 * 60 * 1000, ASK_MS = 3 * 60 * 1000, MPI_MS = 3 * 60 * 1000 };

char *vh_verify_cluster(const char *image)
{
	return vh_strf("verify-%.48s", image);
}

/* Of the clock on the wall, by which files have their times. */
static double wall_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_cluster(const struct vh_verify_run *run, const char *verb, const char *what, const char *input,
		       int deadline_ms, struct vh_err *err)
{
	vh_autofree char *program = vh_strf("%s/vhpc-cluster", run->bin);
	const char *argv[] = { program, verb, "--quiet", "--state", run->state, what, "--store", run->store, NULL, NULL, NULL };
	size_t n = strcmp(verb, "apply") ? 6 : 8;

	if (!program)
		return vh_err_nomem(err);
	argv[n] = run->connect ? "--connect" : NULL;
	argv[n + 1] = run->connect;
	return vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .input = input, .input_len = input ? strlen(input) : 0,
			   .deadline_ms = deadline_ms }, NULL, err);
}

/* Larger than the image's disk, so that growing it is seen. */
static int apply_cluster(const struct vh_verify_run *run, enum vh_boot boot, const char *name, struct vh_err *err)
{
	uint64_t size = vh_image_disk_size(run->image, boot);
	vh_autofree char *disk = size ? vh_strf("disk: %llu\n", (unsigned long long)size + (1ULL << 30)) : strdup("");
	vh_autofree char *manifest = disk ? vh_strf("name: %s\nimage: %s\nnodes: 1\nvcpus: 2\nmemory: 1G\ncpu_policy: shared\n"
						    "boot: %s\n%s", name, run->image->name, vh_boot_names[boot], disk) : NULL;
	return manifest ? run_cluster(run, "apply", "/dev/stdin", manifest, APPLY_MS, err) : vh_err_nomem(err);
}

struct ask { double began; };

static void on_line(void *arg, const char *line)
{
	struct ask *ask = arg;
	if (ask->began == 0 && !strncmp(line, "@uptime ", 8))
		ask->began = wall_seconds();
}

static int ssh(const struct vh_verify_run *run, const char *name, const char *user, const char *command,
	       struct vh_spawn *spawn, struct vh_output *out, struct vh_err *err)
{
	vh_autofree char *config = vh_strf("%s/clusters/%s/ssh_config", run->state, name), *node = vh_strf("%s-1", name);
	const char *const argv[] = { "ssh", "-F", config, "-l", user, node, command, NULL };

	if (!config || !node)
		return vh_err_nomem(err);
	spawn->argv = (char *const *)argv;
	return vh_spawn_run(spawn, out, err);
}

/* libvirt makes the console's log as it starts the machine. */
static double started(const struct vh_verify_run *run, const char *name)
{
	vh_autofree char *log = vh_strf("%s/clusters/%s/%s-1/console.log", run->state, name, name);
	struct statx st;

	if (!log || statx(AT_FDCWD, log, 0, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME))
		return 0;
	return (double)st.stx_btime.tv_sec + st.stx_btime.tv_nsec / 1e9;
}

static int ask_node(const struct vh_verify_run *run, const char *name, struct vh_verify *ret, struct vh_err *err)
{
	vh_autofree char *script = vh_verify_script(run->doc);
	vh_autooutput out = { 0 };
	struct ask asked = { 0 };
	double start = started(run, name);

	if (!script)
		return vh_err_nomem(err);
	struct vh_spawn spawn = { .input = script, .input_len = strlen(script), .deadline_ms = ASK_MS, .on_line = on_line,
				  .arg = &asked };
	int r = ssh(run, name, "root", "sh", &spawn, &out, err);
	if (r == 0)
		r = vh_verify_judge(run->doc, out.out ? out.out : "", ret, err);
	if (r == 0 && start > 0 && asked.began > 0 && ret->uptime >= 0)
		ret->phases.firmware = asked.began - ret->uptime - start;
	return r;
}

/* Two ranks that talk to each other; what measures them is built on this host, of its Open MPI. */
static int run_mpi(const struct vh_verify_run *run, const char *name, struct vh_verify *ret, struct vh_err *err)
{
	static const char command[] =
		"f=$(mktemp) && trap 'rm -f \"$f\"' EXIT && cat >\"$f\" && chmod 700 \"$f\" && "
		"timeout 150 mpirun -n 2 --oversubscribe \"$f\" --quick --table";
	vh_autofree char *built = vh_strf("%s/../bench/pingpong", run->bin), *program = NULL;
	vh_autooutput out = { 0 };
	size_t len = 0;
	int r;

	if (!built)
		return vh_err_nomem(err);
	if ((r = vh_host_file(access(built, R_OK) == 0 ? built : VHPC_PREFIX "/lib/vhpc/guest/pingpong", &program, &len, err)) < 0)
		return r;
	struct vh_spawn spawn = { .input = program, .input_len = len, .deadline_ms = MPI_MS };
	double began = vh_now();
	if ((r = ssh(run, name, run->image->user, command, &spawn, &out, err)) < 0)
		return r;
	ret->phases.mpi = vh_now() - began;
	vh_autofree char *status = vh_strf("exit %d%s%.200s", out.status, out.status ? ": " : "", out.status ? out.err : "");
	if (!status)
		return vh_err_nomem(err);
	return vh_judge_add(&(struct vh_judge){ .object = vh_boot_names[ret->boot], .findings = &ret->findings, .err = err },
			    "mpirun -n 2", "exit 0", status, out.status == 0);
}

static int read_accel(const struct vh_verify_run *run, const char *name, char accel[8], struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/clusters/%s/cluster.json", run->state, name);
	vh_autojson doc = path ? json_load_file(path, 0, NULL) : NULL;
	const char *s = json_string_value(json_object_get(doc, "accel"));

	if (!path)
		return vh_err_nomem(err);
	if (!s)
		return vh_err_set(err, EBADMSG, "%s: cannot be read", path);
	snprintf(accel, 8, "%s", s);
	return 0;
}

int vh_verify_boot(const struct vh_verify_run *run, enum vh_boot boot, struct vh_verify *ret, struct vh_err *err)
{
	vh_autofree char *name = vh_verify_cluster(run->image->name);
	int r;

	if (!name)
		return vh_err_nomem(err);
	ret->boot = boot;
	if ((r = apply_cluster(run, boot, name, err)) < 0 || (r = read_accel(run, name, ret->accel, err)) < 0 ||
	    (r = ask_node(run, name, ret, err)) < 0)
		return r;
	return !strcmp(run->image->mpi, "openmpi") ? run_mpi(run, name, ret, err) : 0;
}

int vh_verify_end(const struct vh_verify_run *run, struct vh_err *err)
{
	vh_autofree char *name = vh_verify_cluster(run->image->name);
	return name ? run_cluster(run, "destroy", name, NULL, DESTROY_MS, err) : vh_err_nomem(err);
}
