// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/launcher/launcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/strv.h"

/* Releases of one MPI stand together. */
static const struct vh_mpi_ops *const all_ops[] = { &vh_ompi_41, &vh_ompi_50, &vh_mpich };

static bool in_series(const char *version, const char *series)
{
	size_t n = strlen(series);

	return !strncmp(version, series, n) && (n == 0 || version[n] == '.' || !version[n]);
}

/* "openmpi 4.1 and 5.0, and mpich"; malloc'd. */
static char *names_of_all(void)
{
	vh_autofree char *text = strdup("");

	for (size_t i = 0; text && i < vh_array_len(all_ops); i++) {
		const struct vh_mpi_ops *o = all_ops[i];
		const bool same = i > 0 && !strcmp(o->mpi, all_ops[i - 1]->mpi), more = i + 1 < vh_array_len(all_ops);
		char *longer = same ? vh_strf("%s and %s", text, o->series)
				    : vh_strf("%s%s%s%s%s", text, i == 0 ? "" : more ? ", " : ", and ", o->mpi, *o->series ? " " : "", o->series);

		free(text);
		text = longer;
	}
	return vh_steal(&text);
}

const struct vh_mpi_ops *vh_mpi_ops_find(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	vh_autofree char *all = NULL;

	for (size_t i = 0; i < vh_array_len(all_ops); i++)
		if (!strcmp(c->mpi, all_ops[i]->mpi) && in_series(c->version, all_ops[i]->series))
			return all_ops[i];
	vh_err_refuse(err, ENOTSUP, "the nodes of %s run %s %s, which this program cannot launch", c->name, c->mpi,
		      c->version);
	all = names_of_all();
	if (all)
		vh_err_hint(err, "it launches %s", all);
	return NULL;
}

char *vh_mpi_hostfile(const struct vh_mpi_ops *ops, const struct vh_mpi_cluster *c)
{
	vh_autofree char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < c->n_nodes; i++)
		fprintf(f, "%s%s%u\n", c->nodes[i].name, ops->slots_mark, c->nodes[i].slots);
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}
