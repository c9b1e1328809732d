// SPDX-License-Identifier: Apache-2.0
/* What of this machine goes along to the head of a job: the variables that are for it or for ranks, the user's
 * directory, and the files that his options name. */
#include "mpirun-wrap/launch/launch.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/read.h"
#include "lib/strv.h"

/* --- variables */

/* Of launchers and of MPI libraries; what is for ranks' own libraries the plan names too (vh_mpi_forwarded). */
static const char *const prefixes[] = { "OMPI_", "PRTE_", "PMIX_", "HYDRA_", "MPICH_", "MPIR_" };

/* What these say is true of this machine alone. */
static const char *const of_here[] = { "PATH", "HOME", "SHELL", "USER", "LOGNAME", "PWD", "OLDPWD", "SSH_AUTH_SOCK" };

static bool has_prefix(const char *variable)
{
	for (size_t i = 0; i < vh_array_len(prefixes); i++)
		if (!strncmp(variable, prefixes[i], strlen(prefixes[i])))
			return true;
	return vh_mpi_forwarded(variable);
}

static bool is_of_here(const char *name, size_t len)
{
	for (size_t i = 0; i < vh_array_len(of_here); i++)
		if (strlen(of_here[i]) == len && !strncmp(of_here[i], name, len))
			return true;
	return false;
}

/* Whether list, of names between any of these separators, has the name. */
static bool listed(const char *list, const char *separators, const char *name, size_t len)
{
	while (list && *list) {
		size_t n = strcspn(list, separators);

		if (n == len && !strncmp(list, name, len))
			return true;
		list += n + strspn(list + n, separators);
	}
	return false;
}

/* Whether a word of the user's asks for the variable by its name alone. */
static bool asked_for(char *const *args, const char *name, size_t len)
{
	for (; args && args[0] && args[1]; args++) {
		if ((!strcmp(args[0], "-x") || !strcmp(args[0], "--x")) && strlen(args[1]) == len && !strncmp(args[1], name, len))
			return true;
		if (!strcmp(args[0], "mca_base_env_list") && listed(args[1], ";", name, len))
			return true;
		if ((!strcmp(args[0], "-genvlist") || !strcmp(args[0], "-envlist")) && listed(args[1], ",", name, len))
			return true;
	}
	return false;
}

int vh_mpi_env_along(char *const *args, char *const *env, char ***ret)
{
	vh_autostrv along = NULL;

	for (; env && *env; env++) {
		const size_t n = strcspn(*env, "=");

		if (!(*env)[n] || n == 0 || is_of_here(*env, n) || !(has_prefix(*env) || asked_for(args, *env, n)))
			continue;
		if (vh_strv_push(&along, *env) < 0)
			return -ENOMEM;
	}
	*ret = vh_steal(&along);
	return 0;
}

/* --- files */

static bool names_file(const struct vh_mpi_ops *ops, const char *option)
{
	for (const char *const *f = ops->files; *f; f++)
		if (!strcmp(*f, option))
			return true;
	return false;
}

/* Takes the file of this machine, where there is one, and has the word lead to it: "--hostfile=NAME" or "NAME". */
static int take_file(struct vh_wire_job *job, char **word, const char *name)
{
	vh_autofree char *data = NULL;
	vh_autoerr ignored = VH_ERR_NONE;
	size_t len;
	struct stat st;
	char *longer;
	int fd;

	if (stat(name, &st) < 0 || !S_ISREG(st.st_mode) || vh_host_file(name, &data, &len, &ignored) < 0)
		return 0;	/* the head may have it */
	fd = vh_wire_job_file(job, data, len);
	if (fd < 0)
		return fd;
	longer = vh_strf("%.*s/proc/self/fd/%d", (int)(name - *word), *word, fd);
	if (!longer)
		return -ENOMEM;
	free(*word);
	*word = longer;
	return 0;
}

int vh_mpi_files_along(const struct vh_mpi_ops *ops, char **args, struct vh_wire_job *job)
{
	int r = 0;

	while (r >= 0 && *args && (*args)[0] == '-' && (*args)[1]) {
		const char *inlined;
		char **word = args++;
		const struct vh_mpi_option *o = vh_mpi_option_find(*word, ops->options, &inlined);

		if (!o)
			continue;
		if (names_file(ops, o->name) && inlined)
			r = take_file(job, word, inlined);
		else if (names_file(ops, o->name) && *args)
			r = take_file(job, args, *args);
		for (unsigned k = inlined ? 1 : 0; k < o->words && *args; k++)
			args++;
	}
	return r;
}
