// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/way.h"

#include <string.h>

#include "lib/strv.h"
#include "tools/cluster/cli/session.h"

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
