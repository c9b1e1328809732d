// SPDX-License-Identifier: Apache-2.0
/* The way to a node, and vhpc cluster ssh, which goes it. */
#include "tools/cluster/cli/cli.h"

#include <string.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "tools/cluster/cli/session.h"
#include "tools/cluster/cli/verbs/verb_ssh.h"
#include "tools/cluster/manifest/manifest.h"

void way_clear(struct way *w)
{
	free(w->cluster);
	free(w->config);
	free(w->user);
	vh_strv_free(w->nodes);
}

bool way_is(const struct way *w, size_t i, const char *word)
{
	return !strcmp(word, w->nodes[i]) || !strcmp(word, w->nodes[i] + strlen(w->cluster) + 1);
}

int way_find(const struct vh_cli *cli, const char *file_or_name, const char *user, struct way *ret, struct vh_err *err)
{
	vh_autofree char *key = NULL;
	autosession s = { .lock = -1 };
	const struct cluster *c = &s.cluster;
	autoway w = { 0 };
	int r = cluster_name(file_or_name, &w.cluster, err);

	if (r == 0)
		r = session_load(cli, w.cluster, &s, err);
	if (r == 0)
		r = cluster_check_own(c, "ssh", err);
	if (r == 0)
		r = files_key(c, &key, err);
	for (size_t i = 0; r == 0 && i < c->n_nodes; i++)
		if (vh_strv_push(&w.nodes, c->nodes[i].name) < 0)
			r = vh_err_nomem(err);
	if (r < 0)
		return r;
	w.config = vh_strf("%s/ssh_config", c->dir);
	w.user = strdup(user ? user : c->pools[0].image.user);
	w.head = (size_t)(cluster_head(c) - c->nodes);
	if (!w.config || !w.user)
		return vh_err_nomem(err);
	*ret = w;
	w = (struct way){ 0 };
	return 0;
}

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
