// SPDX-License-Identifier: Apache-2.0
/* vhpc vm start, stop, destroy, console */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/cli/cli.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

enum { STOP_S = 60, STOP_MAX_S = 86400 };

const struct vh_opt vh_stop_options[] = {
	{ "force", 0, VH_OPT_FLAG, offsetof(struct vh_stop_opts, force), NULL,
	  "cut its power at the deadline" },
	{ "timeout", 0, VH_OPT_STR, offsetof(struct vh_stop_opts, timeout), "SECONDS",
	  "how long it has to shut down (default 60)" },
	{ 0 },
};

int vh_open_daemon(struct vh_cli *cli, struct vh_virt **ret, struct vh_err *err)
{
	int r = vh_virt_open(ret, cli->connect, cli->state, false, err);

	if (r == -ENOTCONN && !err->num)
		return vh_err_refuse(err, ENOTCONN, "VM %s: no such VM: no libvirt daemon runs here", cli->argv[0]);
	return r;
}

void vh_say(const struct vh_cli *cli, const char *name, const char *what)
{
	if (!cli->quiet)
		fprintf(stderr, "%s: VM %s: %s\n", cli->prog, name, what);
}

int vh_verb_start(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	struct vh_start how = { 0 };
	bool started;
	int r = vh_open_daemon(cli, &v, err);

	if (r == 0)
		r = vh_vm_start(v, cli->state, cli->argv[0], &how, &started, err);
	if (r == 0)
		vh_say(cli, cli->argv[0], started ? "started" : "runs already");
	return r;
}

static int end_vm(struct vh_cli *cli, uint64_t seconds, bool force, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	int r = vh_open_daemon(cli, &v, err);

	if (r == 0)
		r = vh_virt_stop(v, cli->argv[0], (int)seconds * 1000, force, err);
	if (r == 0)
		r = vh_vm_ended(v, cli->state, cli->argv[0], err);
	if (r == 0)
		vh_say(cli, cli->argv[0], "is off");
	return r;
}

int vh_verb_stop(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_stop_opts *opts = cli->opts;
	uint64_t seconds = STOP_S;
	int r = opts->timeout ? vh_uint_parse(opts->timeout, STOP_MAX_S, &seconds, err) : 0;

	if (r < 0)
		return vh_err_as(err, VH_EXIT_USAGE), vh_err_within(err, "--timeout");
	return end_vm(cli, seconds, opts->force, err);
}

int vh_verb_destroy(struct vh_cli *cli, struct vh_err *err)
{
	return end_vm(cli, 0, true, err);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

int vh_verb_console(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	struct sigaction action = { .sa_handler = on_signal };
	int r = vh_open_daemon(cli, &v, err);

	if (r < 0)
		return r;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (isatty(STDIN_FILENO))
		vh_say(cli, cli->argv[0], "console, Ctrl-] leaves it");
	return vh_virt_console(v, cli->argv[0], STDIN_FILENO, STDOUT_FILENO, &interrupted, err);
}
