// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "tools/cluster/cli/way.h"

/* The node that the first argument names ("2", "GROUP-2" or its whole name), else the head. */
static const char *choose_node(const struct way *w, int *argc, char ***argv)
{
	for (size_t i = 0; *argc > 0 && w->nodes[i]; i++) {
		if (way_is(w, i, **argv)) {
			(*argc)--;
			(*argv)++;
			return w->nodes[i];
		}
	}
	return w->nodes[w->head];
}

int verb_ssh(struct vh_cli *cli, struct vh_err *err)
{
	const struct ssh_opts *o = cli->opts;
	vh_autostrv argv = NULL;
	autoway way = { 0 };
	const char *node;
	int argc = cli->argc - 1, r = way_find(cli, cli->argv[0], o->user, &way, err);
	char **rest = cli->argv + 1;

	if (r < 0)
		return r;
	node = choose_node(&way, &argc, &rest);
	if (argc > 0 && !strcmp(*rest, "--")) {
		argc--;
		rest++;
	}
	for (const char *const *w = (const char *const []){ "ssh", "-F", way.config, "-l", way.user, node, NULL }; r == 0 && *w; w++)
		r = vh_strv_push(&argv, *w);
	/* ssh takes options behind the host too: a command that looks like one is none. */
	if (r == 0 && argc > 0)
		r = vh_strv_push(&argv, "--");
	for (; r == 0 && argc > 0; argc--)
		r = vh_strv_push(&argv, *rest++);
	return r < 0 ? vh_err_nomem(err) : vh_spawn_exec(argv, err);
}
