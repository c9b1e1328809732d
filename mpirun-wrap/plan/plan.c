// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/strv.h"

int vh_mpi_note(struct vh_mpi_plan *plan, const char *fmt, ...)
{
	vh_autofree char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return vh_strv_push(&plan->notes, text);
}

static struct vh_mpi_setting *grow(struct vh_mpi_plan *plan)
{
	struct vh_mpi_setting *grown = reallocarray(plan->settings, plan->n_settings + 1, sizeof(*grown));

	if (grown)
		plan->settings = grown;
	return grown ? &grown[plan->n_settings] : NULL;
}

int vh_mpi_setting_add(struct vh_mpi_plan *plan, const char *what, char *value, const char *why)
{
	vh_autofree char *v = value;
	struct vh_mpi_setting *s = grow(plan);
	char *name = strdup(what);

	if (!s || !name || !v) {
		free(name);
		return -ENOMEM;
	}
	*s = (struct vh_mpi_setting){ .what = name, .value = vh_steal(&v), .why = why };
	plan->n_settings++;
	return 0;
}

int vh_mpi_setting_users(struct vh_mpi_plan *plan, const char *what, const char *value, char *ours, const char *why)
{
	vh_autofree char *planned = ours;
	struct vh_mpi_setting *s;

	if (vh_strv_has(plan->users, what))
		return 0;
	if (vh_mpi_setting_add(plan, what, strdup(value), why) < 0 || vh_strv_push(&plan->users, what) < 0)
		return -ENOMEM;
	s = &plan->settings[plan->n_settings - 1];
	s->user = true;
	s->ours = vh_steal(&planned);
	if (!s->ours || !strcmp(s->ours, s->value))
		return 0;
	return vh_mpi_note(plan, "%s is yours (%s): the plan's '%s' is left out", what, s->value, s->ours);
}

void vh_mpi_plan_clear(struct vh_mpi_plan *plan)
{
	vh_strv_free(plan->argv);
	vh_strv_free(plan->env);
	vh_strv_free(plan->users);
	vh_strv_free(plan->notes);
	free(plan->hostfile);
	free(plan->rankfile);
	free(plan->layout.count);
	free(plan->layout.cpus);
	free(plan->rails.ports);
	free(plan->rails.has);
	for (size_t i = 0; i < plan->n_settings; i++) {
		free(plan->settings[i].what);
		free(plan->settings[i].value);
		free(plan->settings[i].ours);
	}
	free(plan->settings);
	*plan = (struct vh_mpi_plan){ 0 };
}
