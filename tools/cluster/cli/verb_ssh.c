// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"

/* The node that the first argument names ("2", "GROUP-2" or its whole name), else the head. */
static const struct node *choose_node(const struct cluster *c, int *argc, char ***argv)
{
	for (size_t i = 0; *argc > 0 && i < c->n_nodes; i++) {
		if (node_is(c, &c->nodes[i], **argv)) {
			(*argc)--;
			(*argv)++;
			return &c->nodes[i];
		}
	}
	return cluster_head(c);
}

int verb_ssh(struct vh_cli *cli, struct vh_err *err)
{
	const struct ssh_opts *o = cli->opts;
	vh_autofree char *name = NULL, *config = NULL, *key = NULL;
	vh_autostrv argv = NULL;
	autosession s = { .lock = -1 };
	const struct node *node;
	int argc = cli->argc - 1, r = cluster_name(cli->argv[0], &name, err);
	char **rest = cli->argv + 1;

	if (r == 0)
		r = session_load(cli, name, &s, err);
	if (r == 0)
		r = files_key(&s.cluster, &key, err);
	if (r < 0)
		return r;
	node = choose_node(&s.cluster, &argc, &rest);
	if (argc > 0 && !strcmp(*rest, "--")) {
		argc--;
		rest++;
	}
	config = vh_strf("%s/ssh_config", s.cluster.dir);
	r = config ? 0 : -ENOMEM;
	for (const char *const *w = (const char *const []){ "ssh", "-F", config, "-l", o->user ? o->user : s.cluster.pools[0].image.user, node->name, NULL };
	     r == 0 && *w; w++)
		r = vh_strv_push(&argv, *w);
	/* ssh takes options behind the host too: a command that looks like one is none. */
	if (r == 0 && argc > 0)
		r = vh_strv_push(&argv, "--");
	for (; r == 0 && argc > 0; argc--)
		r = vh_strv_push(&argv, *rest++);
	return r < 0 ? vh_err_nomem(err) : vh_spawn_exec(argv, err);
}
