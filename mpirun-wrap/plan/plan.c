// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/strv.h"

/* What changes the environment of the ranks when it is set here: threads, libraries. */
static const char *const forwarded[] = { "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "UCX_", "NCCL_", "FI_" };

bool vh_mpi_forwarded(const char *variable)
{
	for (size_t i = 0; i < vh_array_len(forwarded); i++)
		if (!strncmp(variable, forwarded[i], strlen(forwarded[i])) && strchr(variable, '='))
			return true;
	return false;
}

int vh_mpi_note(struct vh_mpi_job *job, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = vh_vstrf(fmt, ap);
	va_end(ap);
	return text ? vh_strv_push(&job->notes, text) : -ENOMEM;
}

static struct vh_mpi_setting *grow(struct vh_mpi_job *job)
{
	struct vh_mpi_setting *grown = reallocarray(job->settings, job->n_settings + 1, sizeof(*grown));

	if (grown)
		job->settings = grown;
	return grown ? &grown[job->n_settings] : NULL;
}

int vh_mpi_setting_add(struct vh_mpi_job *job, const char *what, char *value, const char *why)
{
	vh_autofree char *v = value;
	struct vh_mpi_setting *s = grow(job);
	char *name = strdup(what);

	if (!s || !name || !v) {
		free(name);
		return -ENOMEM;
	}
	*s = (struct vh_mpi_setting){ .what = name, .value = vh_steal(&v), .why = why };
	job->n_settings++;
	return 0;
}

int vh_mpi_setting_users(struct vh_mpi_job *job, const char *what, const char *value, char *ours, const char *why)
{
	vh_autofree char *planned = ours;
	struct vh_mpi_setting *s;

	if (vh_strv_has(job->users, what))
		return 0;
	if (vh_mpi_setting_add(job, what, strdup(value), why) < 0 || vh_strv_push(&job->users, what) < 0)
		return -ENOMEM;
	s = &job->settings[job->n_settings - 1];
	s->user = true;
	s->ours = vh_steal(&planned);
	if (!s->ours || !strcmp(s->ours, s->value))
		return 0;
	return vh_mpi_note(job, "%s is yours (%s): the plan's '%s' is left out", what, s->value, s->ours);
}

void vh_mpi_job_clear(struct vh_mpi_job *job)
{
	vh_strv_free(job->argv);
	vh_strv_free(job->env);
	vh_strv_free(job->users);
	vh_strv_free(job->notes);
	free(job->hostfile);
	free(job->rankfile);
	free(job->ranks.count);
	free(job->ranks.cpus);
	free(job->rails.ports);
	free(job->rails.has);
	for (size_t i = 0; i < job->n_settings; i++) {
		free(job->settings[i].what);
		free(job->settings[i].value);
		free(job->settings[i].ours);
	}
	free(job->settings);
	*job = (struct vh_mpi_job){ 0 };
}
