// SPDX-License-Identifier: Apache-2.0
/* A plan as tables for people and as JSON for programs. */
#include "mpirun-wrap/plan/plan.h"

#include <string.h>

#include "lib/hostlist.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"

static json_t *texts(char *const *v)
{
	json_t *a = json_array();

	for (; v && *v; v++)
		json_array_append_new(a, vh_json_text(*v));
	return a;
}

/* "0-3", or nothing. */
static json_t *ranks_text(uint64_t first, unsigned n)
{
	if (n == 0)
		return json_string("");
	return n == 1 ? json_sprintf("%llu", (unsigned long long)first)
		      : json_sprintf("%llu-%llu", (unsigned long long)first, (unsigned long long)(first + n - 1));
}

/* "0-1 4-5": the CPUs of each of the node's ranks; "0-7" where ranks have one each, in order. */
static json_t *cpus_text(const struct vh_mpi_ranks *ranks, uint64_t first, unsigned n)
{
	vh_autofree char *text = NULL;
	bool ascending = ranks->cpus_a_rank == 1 && n > 1;

	for (unsigned k = 1; ascending && k < n; k++)
		ascending = vh_mpi_rank_cpus(ranks, first)[k] > vh_mpi_rank_cpus(ranks, first)[k - 1];
	text = ascending ? vh_cpulist_format(vh_mpi_rank_cpus(ranks, first), n) : strdup("");
	for (unsigned k = 0; text && !ascending && k < n; k++) {
		vh_autofree char *one = vh_cpulist_format(vh_mpi_rank_cpus(ranks, first + k), ranks->cpus_a_rank);
		char *longer = one ? vh_strf("%s%s%s", text, *text ? " " : "", one) : NULL;

		free(text);
		text = longer;
	}
	return text ? vh_json_text(text) : NULL;
}

static json_t *devices_json(const struct vh_mpi_node *n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n->n_devices; i++)
		json_array_append_new(a, json_sprintf("%s:%u", n->devices[i].name, n->devices[i].port));
	return a;
}

static json_t *nodes_json(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	const struct vh_mpi_ranks *ranks = &job->ranks;
	json_t *nodes = json_array();
	uint64_t rank = 0;

	for (size_t i = 0; i < c->n_nodes; i++) {
		const struct vh_mpi_node *n = &c->nodes[i];
		json_t *row = json_pack("{s:s, s:s, s:i, s:s, s:o}", "name", n->name, "address", n->address, "slots", (int)n->slots,
					"host", c->hosts ? c->hosts[n->host] : "", "devices", devices_json(n));

		if (row && ranks->count) {
			json_object_set_new(row, "count", json_integer(ranks->count[i]));
			json_object_set_new(row, "ranks", ranks_text(rank, ranks->count[i]));
			if (ranks->listed)
				json_object_set_new(row, "cpus", cpus_text(ranks, rank, ranks->count[i]));
			rank += ranks->count[i];
		}
		json_array_append_new(nodes, row);
	}
	return nodes;
}

static json_t *transports_json(const struct vh_mpi_job *job)
{
	json_t *a = json_array();

	for (int t = 0; t < VH_MPI_TRANSPORTS; t++)
		if (job->pairs[t])
			json_array_append_new(a, json_pack("{s:s, s:s, s:s, s:I}", "between", vh_mpi_transports[t].between,
							   "kind", vh_mpi_transports[t].kind, "transport", job->ops->names[t], "pairs", (json_int_t)job->pairs[t]));
	return a;
}

static json_t *settings_json(const struct vh_mpi_job *job)
{
	json_t *a = json_array();

	for (size_t i = 0; i < job->n_settings; i++) {
		const struct vh_mpi_setting *s = &job->settings[i];

		json_array_append_new(a, json_pack("{s:s, s:o, s:s, s:o*, s:s}", "what", s->what, "value", vh_json_text(s->value),
						   "from", s->user ? "user" : "plan", "planned", s->ours ? vh_json_text(s->ours) : NULL,
						   "why", s->why));
	}
	return a;
}

json_t *vh_mpi_job_json(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	const struct vh_mpi_ranks *ranks = &job->ranks;

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:{s:b, s:b, s:I, s:i}, s:o, s:o, s:s, s:s*, s:o, s:o, s:o, s:o}",
			 "cluster", c->name, "accel", c->accel, "cidr", c->cidr, "interface", c->interface,
			 "user", c->user, "ssh_config", c->ssh_config, "mpi", "name", c->mpi, "version", c->version,
			 "nodes", nodes_json(c, job),
			 "layout", "planned", ranks->ours, "bound", ranks->bound, "ranks", (json_int_t)ranks->n, "cpus_a_rank", (int)ranks->cpus_a_rank,
			 "transports", transports_json(job), "settings", settings_json(job),
			 "hostfile", job->hostfile, "rankfile", job->rankfile, "argv", texts(job->argv),
			 "env", texts(job->env), "users", texts(job->users), "notes", texts(job->notes));
}

/* --- tables */

/* Of nodes first to end: each host once, as they follow; malloc'd, NULL: not named. */
static char *host_names(const struct vh_mpi_cluster *c, size_t first, size_t end)
{
	vh_autofree char **v = calloc(end - first + 1, sizeof(*v));
	size_t n = 0;

	for (size_t i = first; v && c->hosts && i < end; i++)
		if (*c->hosts[c->nodes[i].host] && (!n || v[n - 1] != c->hosts[c->nodes[i].host]))
			v[n++] = c->hosts[c->nodes[i].host];
	return n ? vh_hostlist_format(v) : NULL;
}

/* Nodes that follow each other and have as many slots and ranks, in one row; by host, where
 * there are few. */
static json_t *node_rows(const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	const struct vh_mpi_ranks *ranks = &job->ranks;
	const bool by_host = c->n_hosts <= 16;
	json_t *rows = json_array();
	uint64_t rank = 0;

	for (size_t i = 0, end; i < c->n_nodes; i = end) {
		const unsigned count = ranks->count ? ranks->count[i] : 0;
		vh_autofree char *names = NULL, *hosts = NULL, **v = NULL;
		json_t *row;

		for (end = i + 1; end < c->n_nodes; end++)
			if (c->nodes[end].slots != c->nodes[i].slots || (by_host && c->nodes[end].host != c->nodes[i].host) ||
			    (ranks->count && ranks->count[end] != count))
				break;
		v = calloc(end - i + 1, sizeof(*v));
		for (size_t k = i; v && k < end; k++)
			v[k - i] = c->nodes[k].name;
		names = v ? vh_hostlist_format(v) : NULL;
		hosts = host_names(c, i, end);
		row = json_pack("{s:s, s:s*, s:i, s:o}", "nodes", names ? names : "", "host", hosts, "slots", (int)c->nodes[i].slots, "devices", devices_json(&c->nodes[i]));
		if (row && ranks->count) {
			json_object_set_new(row, "each", json_integer(count));
			json_object_set_new(row, "ranks", ranks_text(rank, (unsigned)(count * (end - i))));
			if (ranks->listed)
				json_object_set_new(row, "cpus", cpus_text(ranks, rank, count));
			rank += (uint64_t)count * (end - i);
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

void vh_mpi_job_print(FILE *f, const struct vh_mpi_cluster *c, const struct vh_mpi_job *job)
{
	static const struct vh_col node_cols[] = {
		{ "NODES", "nodes", VH_COL_TEXT }, { "HOST", "host", VH_COL_TEXT }, { "SLOTS", "slots", VH_COL_RIGHT },
		{ "RANKS", "ranks", VH_COL_TEXT }, { "EACH", "each", VH_COL_RIGHT }, { "CPUS", "cpus", VH_COL_TEXT },
		{ "DEVICES", "devices", VH_COL_TEXT }, { 0 }
	};
	static const struct vh_col pair_cols[] = {
		{ "RANKS IN", "between", VH_COL_TEXT }, { "TRANSPORT", "transport", VH_COL_TEXT }, { "PAIRS", "pairs", VH_COL_RIGHT }, { 0 }
	};
	static const struct vh_col setting_cols[] = {
		{ "SETTING", "what", VH_COL_TEXT }, { "VALUE", "value", VH_COL_TEXT }, { "FROM", "from", VH_COL_TEXT },
		{ "WHY", "why", VH_COL_TEXT }, { 0 }
	};
	vh_autojson nodes = node_rows(c, job);
	vh_autojson transports = transports_json(job);
	vh_autojson settings = settings_json(job);

	fprintf(f, "cluster %s, %s %s\n\n", c->name, job->ops->shown, c->version);
	vh_table_print(f, node_cols, nodes);
	fputc('\n', f);
	vh_table_print(f, pair_cols, transports);
	fputc('\n', f);
	vh_table_print(f, setting_cols, settings);
	for (char *const *n = job->notes; n && *n; n++)
		fprintf(f, "%snote: %s\n", n == job->notes ? "\n" : "", *n);
}
