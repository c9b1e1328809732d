// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan/plan.h"

#include <stdlib.h>
#include <string.h>

const struct vh_mpi_option *vh_mpi_option_find(const char *word, const struct vh_mpi_option *options, const char **ret_inline)
{
	const char *name = word + 1 + (word[1] == '-');
	size_t n = strcspn(name, "=");

	*ret_inline = name[n] ? name + n + 1 : NULL;
	for (; options->name; options++)
		if (strlen(options->name) == n && !strncmp(options->name, name, n))
			return options;
	return NULL;
}

static void note_option(struct vh_mpi_args *a, const struct vh_mpi_option *o, const char *word, const char *value)
{
	switch (o->meaning) {
	case VH_MPI_RANKS:
		a->ranks = value ? strtoull(value, NULL, 10) : 0;
		break;
	case VH_MPI_HOSTS:
	case VH_MPI_PLACEMENT:
		a->hosts |= o->meaning == VH_MPI_HOSTS;
		if (!a->placement) {
			a->placement = word;
			a->placement_value = o->words > 0 ? value : NULL;
		}
		break;
	case VH_MPI_OVERSUBSCRIBE:
		a->oversubscribe = true;
		break;
	case VH_MPI_CONTEXTS:
		a->contexts = true;
		break;
	case VH_MPI_OTHER:
		break;
	}
}

/* An option that is not known is taken to have no argument: mpirun will say what it is. */
void vh_mpi_args_read(char *const *args, const struct vh_mpi_option *options, struct vh_mpi_args *ret)
{
	size_t i = 0;

	*ret = (struct vh_mpi_args){ 0 };
	while (args && args[i] && args[i][0] == '-' && args[i][1]) {
		const char *word = args[i++], *value;
		const struct vh_mpi_option *o = vh_mpi_option_find(word, options, &value);

		if (!o)
			continue;
		if (!value && o->words > 0)
			value = args[i];
		note_option(ret, o, word, value);
		for (unsigned k = word[1 + strcspn(word + 1, "=")] == '=' ? 1 : 0; k < o->words && args[i]; k++)
			i++;
	}
	ret->program = i;
	for (; args && args[i]; i++)
		if (!strcmp(args[i], ":"))
			ret->contexts = true;
}
