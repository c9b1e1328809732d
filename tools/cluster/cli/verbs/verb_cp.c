// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/cli/verbs/verb_ssh.h"
#include "tools/cluster/copy/copy.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* What is half there is taken away before we end. */
static void end_by_signals(void)
{
	const struct sigaction act = { .sa_handler = interrupt };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
}

/* The nodes that the first len bytes of arg name: one, or with "all" all of them. *ret is a strv. */
static int find_nodes(const struct way *w, const char *arg, size_t len, char ***ret, struct vh_err *err)
{
	vh_autofree char *word = strndup(arg, len);
	vh_autostrv nodes = NULL;
	const bool all = word && !strcmp(word, "all");
	int r = word ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && w->nodes[i]; i++)
		if (all || way_is(w, i, word))
			r = vh_strv_push(&nodes, w->nodes[i]);
	if (r < 0)
		return vh_err_nomem(err);
	if (!nodes) {
		vh_err_refuse(err, ENOENT, "cluster %s: has no node %s", w->cluster, word);
		return vh_err_hint(err, "a file here with a colon in its name is ./%s", arg);
	}
	*ret = vh_steal(&nodes);
	return 0;
}

static int bring(const struct way *w, struct copy *c, char *const *paths, size_t n, const char *to, struct vh_err *err)
{
	vh_autostrv nodes = NULL;
	const size_t len = copy_node_len(to);
	int r = find_nodes(w, to, len, &nodes, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (copy_node_len(paths[i]))
			r = vh_err_usage(err, "%s: nodes are copied to from this host alone", paths[i]);
	return r < 0 ? r : copy_to_nodes(c, paths, n, nodes, to + len + 1, err);
}

/* Where one argument means all nodes, each has a directory of its own here. */
static int fetch(const struct way *w, struct copy *c, char *const *args, size_t n, const char *to, struct vh_err *err)
{
	vh_autofree struct copy_from *from = calloc(n * vh_strv_len(w->nodes), sizeof(*from));
	vh_autostrv names = NULL;
	size_t n_from = 0;
	bool apart = false;
	int r = from ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		const size_t len = copy_node_len(args[i]);

		vh_strv_free(vh_steal(&names));
		r = len ? find_nodes(w, args[i], len, &names, err)
			: vh_err_usage(err, "%s and %s: one of them has to be on a node (NODE:PATH, all:PATH)", args[i], to);
		apart |= !strncmp(args[i], "all:", 4);
		for (size_t k = 0; r == 0 && w->nodes[k]; k++)
			if (vh_strv_has(names, w->nodes[k]))
				from[n_from++] = (struct copy_from){ w->nodes[k], args[i] + len + 1 };
	}
	return r < 0 ? r : copy_from_nodes(c, from, n_from, to, apart, err);
}

int verb_cp(struct vh_cli *cli, struct vh_err *err)
{
	const struct ssh_opts *o = cli->opts;
	vh_autofree char *title = NULL;
	autoway way = { 0 };
	char *const *args = cli->argv + 1, *to = cli->argv[cli->argc - 1];
	const size_t n = (size_t)cli->argc - 2;
	struct copy c = { .stop = &interrupted };
	char size[16];
	int r = way_find(cli, cli->argv[0], o->user, &way, err);

	if (r < 0)
		return r;
	title = vh_strf("cluster %s", way.cluster);
	if (!title)
		return vh_err_nomem(err);
	end_by_signals();
	c.config = way.config;
	c.user = way.user;
	c.progress = vh_progress_start(title, cli->quiet);
	r = copy_node_len(to) ? bring(&way, &c, args, n, to, err) : fetch(&way, &c, args, n, to, err);
	if (r < 0) {
		vh_progress_end(c.progress, NULL);
		return r;
	}
	vh_progress_end(c.progress, "%s in %llu files copied, checksums are right",
			vh_size_format(size, sizeof(size), c.bytes), (unsigned long long)c.files);
	return 0;
}
