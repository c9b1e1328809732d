// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/plan/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "lib/strv.h"

static const struct vh_mpi_ops *const all_ops[] = { &vh_ompi_41, &vh_ompi_50, &vh_mpich };

static bool in_series(const char *version, const char *series)
{
	size_t n = strlen(series);

	return !strncmp(version, series, n) && (n == 0 || version[n] == '.' || !version[n]);
}

const struct vh_mpi_ops *vh_mpi_ops_find(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	for (size_t i = 0; i < vh_array_len(all_ops); i++)
		if (!strcmp(c->mpi, all_ops[i]->mpi) && in_series(c->version, all_ops[i]->series))
			return all_ops[i];
	vh_err_refuse(err, ENOTSUP, "the nodes of %s run %s %s, which this program cannot launch", c->name, c->mpi,
		      c->version);
	vh_err_hint(err, "it launches openmpi 4.1 and 5.0, and mpich");
	return NULL;
}

/* --- what the parts write down */

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

/* --- making it */

/* UCX carries everything where it serves every pair, or where nothing else speaks RDMA. */
static int choose_carrier(const struct vh_mpi_input *in, struct vh_mpi_plan *plan)
{
	uint64_t ivshm;

	vh_mpi_pairs_count(in->cluster, plan);
	ivshm = plan->pairs[VH_MPI_IVSHM];
	if (!plan->pairs[VH_MPI_RDMA])
		return 0;
	plan->ucx = !plan->ops->verbs || (!ivshm && !plan->pairs[VH_MPI_TCP]);
	vh_mpi_pairs_count(in->cluster, plan);
	return plan->ucx && ivshm ? vh_mpi_note(plan, "memory shared between VMs is left unused: with %s %s UCX carries all pairs of a job that spans hosts with RDMA",
						plan->ops->shown, in->cluster->version) : 0;
}

static int make(const struct vh_mpi_input *in, struct vh_mpi_plan *plan, struct vh_err *err)
{
	int r = vh_mpi_layout_make(in, plan, err);

	if (r == 0)
		r = vh_mpi_rails_make(in, plan, err);
	if (r == 0 && choose_carrier(in, plan) < 0)
		r = vh_err_nomem(err);
	/* Without a '/' in its own name Open MPI does not take our prefix for the nodes'. */
	if (r == 0 && vh_strv_push(&plan->argv, plan->ops->program) < 0)
		r = vh_err_nomem(err);
	if (r == 0)
		r = plan->ops->settings(in, plan, err);
	for (char *const *a = in->args; r == 0 && a && *a; a++)
		if (vh_strv_push(&plan->argv, *a) < 0)
			r = vh_err_nomem(err);
	if (r == 0 && !(plan->hostfile = plan->ops->hostfile(in->cluster)))
		r = vh_err_nomem(err);
	return r;
}

int vh_mpi_plan_make(const struct vh_mpi_input *in, struct vh_mpi_plan *ret, struct vh_err *err)
{
	vh_autoplan plan = { .ops = vh_mpi_ops_find(in->cluster, err) };
	int r;

	if (!plan.ops)
		return -ENOTSUP;
	vh_mpi_args_read(in->args, plan.ops->options, &plan.args);
	r = make(in, &plan, err);
	if (r < 0)
		return r;
	*ret = plan;
	plan = (struct vh_mpi_plan){ 0 };
	return 0;
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
