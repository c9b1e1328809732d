// SPDX-License-Identifier: Apache-2.0
/* Hosts read as the command line says; what is left out of them is said. */
#include <stdio.h>

#include "lib/strv.h"
#include "vmm/cli/cli.h"
#include "vmm/hosts/hosts.h"

static struct vh_hosts_query query(const struct vh_cli *cli, const char *reserve)
{
	return (struct vh_hosts_query){
		.root = cli->root, .connect = cli->connect, .state = cli->state, .reserve = reserve,
	};
}

static void say_notes(const struct vh_cli *cli, struct vh_hosts_query *q)
{
	for (char **note = q->notes; note && *note && !cli->quiet; note++)
		fprintf(stderr, "%s: %s\n", cli->prog, *note);
	vh_strv_free(q->notes);
}

int vh_load_host(const struct vh_cli *cli, const char *where, const char *reserve, struct vh_plan_host *ret,
		 struct vh_err *err)
{
	struct vh_hosts_query q = query(cli, reserve);
	int r = vh_plan_host_load(&q, where, ret, err);

	say_notes(cli, &q);
	return r;
}

int vh_load_hosts(const struct vh_cli *cli, const char *hosts, const char *timeout, const char *reserve,
		  struct vh_plan_hosts *ret, struct vh_err *err)
{
	struct vh_hosts_query q = query(cli, reserve);
	int r = vh_plan_hosts_load(&q, hosts, timeout, ret, err);

	say_notes(cli, &q);
	return r;
}
