// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/table.h"
#include "lib/values.h"
#include "vmm/verbs.h"

enum { STOP_S = 60, STOP_MAX_S = 86400 };

struct stop_opts { bool force; const char *timeout; };

static const struct vh_col columns[] = {
	{ "NAME", "name", VH_COL_TEXT },
	{ "STATE", "state", VH_COL_TEXT },
	{ "VCPUS", "vcpus", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },
	{ "CPUS", "cpus", VH_COL_TEXT },
	{ "NODES", "nodes", VH_COL_TEXT },
	{ "OWNER", "owner", VH_COL_TEXT },
	{ NULL, NULL, 0 },
};

static int list(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	json_t *rows = NULL;
	int r = vh_virt_open(&v, cli->connect, cli->state, false, err);

	if (r == 0)
		r = vh_virt_list(v, &rows, err);
	else if (r == -ENOTCONN && !err->num)
		rows = json_array();
	if (!rows)
		return r;
	return vh_listing(cli, "vhpc.vm.list/1", "vms", columns, rows, err);
}

/* For what needs a VM to be there; a private daemon that has some is started for it. */
static int open_daemon(struct vh_cli *cli, struct vh_virt **ret, struct vh_err *err)
{
	int r = vh_virt_open(ret, cli->connect, cli->state, false, err);

	if (r == -ENOTCONN && !err->num)
		return vh_err_refuse(err, ENOTCONN, "VM %s: no such VM: no libvirt daemon runs here", cli->argv[0]);
	return r;
}

static void say(const struct vh_cli *cli, const char *what)
{
	if (!cli->quiet)
		fprintf(stderr, "%s: VM %s: %s\n", cli->prog, cli->argv[0], what);
}

static int start(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	bool started;
	int r = open_daemon(cli, &v, err);

	if (r == 0)
		r = vh_virt_start(v, cli->argv[0], &started, err);
	if (r == 0)
		say(cli, started ? "started" : "runs already");
	return r;
}

static int stop(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	const struct stop_opts *opts = cli->opts;
	uint64_t seconds = STOP_S;
	int r = opts->timeout ? vh_uint_parse(opts->timeout, STOP_MAX_S, &seconds, err) : 0;

	if (r < 0)
		return err->exit = VH_EXIT_USAGE, vh_err_within(err, "--timeout");
	r = open_daemon(cli, &v, err);
	if (r == 0)
		r = vh_virt_stop(v, cli->argv[0], (int)seconds * 1000, opts->force, err);
	if (r == 0)
		say(cli, "is off");
	return r;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int console(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	struct sigaction action = { .sa_handler = on_signal };
	int r = open_daemon(cli, &v, err);

	if (r < 0)
		return r;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (isatty(STDIN_FILENO))
		say(cli, "console, Ctrl-] leaves it");
	return vh_virt_console(v, cli->argv[0], STDIN_FILENO, STDOUT_FILENO, &interrupted, err);
}

static const struct vh_opt stop_options[] = {
	{ "force", 0, VH_OPT_FLAG, offsetof(struct stop_opts, force), NULL,
	  "cut its power at the deadline" },
	{ "timeout", 0, VH_OPT_STR, offsetof(struct stop_opts, timeout), "SECONDS",
	  "how long it has to shut down (default 60)" },
	{ 0 },
};

static const struct vh_verb verbs[] = {
	{ "list", "", 0, 0, "the VMs of the libvirt daemon, whose they are, and where they are pinned",
	  VH_VERB_JSON, NULL, 0, list },
	{ "plan", "", 0, 0, "where VMs would go, and why; changes nothing", VH_VERB_JSON, vh_plan_options,
	  sizeof(struct vh_plan_opts), vh_verb_plan },
	{ "host", "", 0, 0, "the host as VMs are placed on it, and what is taken of it", VH_VERB_JSON, vh_host_options,
	  sizeof(struct vh_host_opts), vh_verb_host },
	{ "start", "NAME", 1, 1, "start a VM that is off", 0, NULL, 0, start },
	{ "stop", "NAME", 1, 1, "shut a VM down", 0, stop_options, sizeof(struct stop_opts), stop },
	{ "console", "NAME", 1, 1, "the VM's serial console; Ctrl-] leaves it", 0, NULL, 0, console },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc vm", "virtual machines, through libvirt", verbs };

	return vh_main(&prog, argc, argv);
}
