// SPDX-License-Identifier: Apache-2.0
/* What a node tells an mpirun that somebody starts there himself: the cluster's nodes, and the settings of the plan. */
#include "mpirun-wrap/launch/launch.h"

#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/mark.h"
#include "lib/strv.h"

static const char mark[] = VH_NODE_MARK "\n";
static const char login_file[] = "/etc/ssh/sshd_config.d/10-vhpc-mpi.conf";

char *vh_mpi_params_text(const struct vh_mpi_job *job, const char *option, const char *was)
{
	const char *ours = strstr(was, mark);
	const size_t kept = ours ? (size_t)(ours - was) : strlen(was);
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "%.*s%s%s", (int)kept, was, kept && was[kept - 1] != '\n' ? "\n" : "", mark);
	for (char *const *w = job->argv; *w; w++)
		if (!strcmp(*w, option) && w[1] && w[2]) {
			fprintf(f, "%s = %s\n", w[1], w[2]);
			w += 2;
		}
	return fclose(f) == 0 ? vh_steal(&text) : NULL;
}

/* sshd takes a value with blanks in quotes. */
static void variable(FILE *f, const char *name, size_t len, const char *value)
{
	fprintf(f, " \"%.*s=%s\"", (int)len, name, value);
}

char *vh_mpi_login_text(const struct vh_mpi_job *job)
{
	vh_autofree char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (const char *const *e = job->ops->node_env; *e; e++)
		variable(f, *e, strcspn(*e, "="), strchr(*e, '=') + 1);
	for (char *const *w = job->argv; *w; w++)
		if (!strcmp(*w, "-x") && w[1] && strchr(w[1], '='))
			variable(f, w[1], strcspn(w[1], "="), strchr(w[1], '=') + 1);
		else if (!strcmp(*w, "-genv") && w[1] && w[2])
			variable(f, w[1], strlen(w[1]), w[2]);
	if (fclose(f) != 0)
		return NULL;
	return len ? vh_strf("SetEnv%s\n", text) : strdup("");
}

static int write_under(const char *root, const char *path, const char *text, struct vh_err *err)
{
	vh_autofree char *full = vh_strf("%s%s", root, path);

	return full && text ? vh_write_file(full, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

/* Where the MPI has no such file no such program of its reads one. */
static int write_params(const struct vh_mpi_job *job, const struct vh_mpi_params *p, const char *root, struct vh_err *err)
{
	vh_autofree char *full = vh_strf("%s%s", root, p->path), *was = NULL, *text = NULL;
	vh_autoerr ignored = VH_ERR_NONE;
	size_t len;

	if (!full)
		return vh_err_nomem(err);
	if (vh_host_file(full, &was, &len, &ignored) < 0)
		return 0;
	text = vh_mpi_params_text(job, p->option, was);
	return write_under(root, p->path, text, err);
}

int vh_mpi_defaults_write(const struct vh_mpi_job *job, const char *root, struct vh_err *err)
{
	vh_autofree char *login = vh_mpi_login_text(job);
	int r = write_under(root, VH_MPI_NODE_HOSTS, job->hostfile, err);

	for (const struct vh_mpi_params *p = job->ops->params; r == 0 && p->path; p++)
		r = write_params(job, p, root, err);
	return r < 0 ? r : write_under(root, login_file, login, err);
}

void vh_mpi_defaults_forget(const struct vh_mpi_ops *ops)
{
	for (const char *const *e = ops->node_env; *e; e++) {
		vh_autofree char *name = strndup(*e, strcspn(*e, "="));
		const char *value = name ? getenv(name) : NULL;

		if (value && !strcmp(value, strchr(*e, '=') + 1))
			unsetenv(name);
	}
}
