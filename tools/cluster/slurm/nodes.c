// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/slurm/nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hostlist.h"
#include "lib/strv.h"

static int put_list(FILE *f, const char *head, char *const *names, const char *tail)
{
	vh_autofree char *list = vh_hostlist_format(names);

	return list && fprintf(f, "%s%s%s\n", head, list, tail) > 0 ? 0 : -ENOMEM;
}

int put_nodes(FILE *f, const struct slurm *s, long host, const char *head, const char *tail)
{
	vh_autostrv names = NULL;

	for (size_t i = 0; i < s->n_nodes; i++)
		if ((host == EVERY_HOST || s->nodes[i].host == (size_t)host) && vh_strv_push(&names, s->nodes[i].name) < 0)
			return -ENOMEM;
	if (!names)
		return 0;
	return put_list(f, head, names, tail) < 0 ? -ENOMEM : 1;
}

struct run { char **names; char *text; };

static void run_clear(struct run *run)
{
	vh_strv_free(run->names);
	free(run->text);
	*run = (struct run){ 0 };
}

static int put_run(FILE *f, struct run *run)
{
	vh_autofree char *tail = run->names ? vh_strf(" %s", run->text) : NULL;
	int r = !run->names ? 0 : tail ? put_list(f, "NodeName=", run->names, tail) : -ENOMEM;

	run_clear(run);
	return r;
}

static int add(FILE *f, struct run *run, const struct slurm_node *n, char *text)
{
	vh_autofree char *own = text;
	int r = own ? 0 : -ENOMEM;

	if (r == 0 && run->text && strcmp(run->text, own))
		r = put_run(f, run);
	if (r < 0 || !*own)
		return r;
	if (!run->text)
		run->text = vh_steal(&own);
	return vh_strv_push(&run->names, n->name);
}

int put_runs(FILE *f, const struct slurm *s, char *(*of)(const struct slurm_node *n))
{
	vh_cleanup(run_clear) struct run run = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_nodes; i++)
		r = add(f, &run, &s->nodes[i], of(&s->nodes[i]));
	return r < 0 ? r : put_run(f, &run);
}

char *text_of(int (*put)(FILE *f, const struct slurm *s), const struct slurm *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int r = f ? put(f, s) : -ENOMEM;

	if (f && fclose(f) == 0 && r >= 0)
		return text;
	free(text);
	return NULL;
}
