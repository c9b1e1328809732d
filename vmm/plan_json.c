// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "lib/table.h"
#include "vmm/explain.h"

static json_t *cpu_id(const struct vh_host *host, int cpu)
{
	return cpu < 0 ? json_null() : json_integer(host->cpus[cpu].id);
}

static json_t *ids(const struct vh_host *host, const unsigned *cpus, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(host->cpus[cpus[i]].id));
	return list;
}

static json_t *cells(const struct vh_host *host, const struct vh_plan *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_cells; i++) {
		json_t *vcpus = json_array();

		for (unsigned v = 0; v < p->vcpus; v++)
			if (p->cell[v] == i)
				json_array_append_new(vcpus, json_integer(v));
		json_array_append_new(list, json_pack("{s:i, s:i, s:I, s:o}", "cell", (int)i, "node",
						      (int)host->nodes[p->cells[i].node].id, "memory",
						      (json_int_t)p->cells[i].memory, "vcpus", vcpus));
	}
	return list;
}

static json_t *pins(const struct vh_host *host, const struct vh_plan *p)
{
	json_t *list = json_array();

	for (unsigned v = 0; v < p->vcpus; v++)
		json_array_append_new(list, cpu_id(host, p->cpu[v]));
	return list;
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *devices(const struct vh_host *host, const struct vh_plan *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_devices; i++) {
		const struct vh_host_device *d = &host->devices[p->devices[i]];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:I}", "address", d->address,
			"kind", vh_device_kind_name(d->kind), "name", text_or_null(d->name), "pf",
			text_or_null(d->pf), "node", d->node < 0 ? json_null() :
			json_integer(host->nodes[d->node].id), "switch", text_or_null(d->sw), "bars",
			(json_int_t)d->bars));
	}
	return list;
}

static json_t *score(const struct vh_plan *p)
{
	json_t *doc = json_object();

	for (int i = 0; i < VH_SCORES; i++)
		json_object_set_new(doc, vh_score_names[i], json_integer(
			i == VH_SCORE_HOLE || i == VH_SCORE_HOLES ? -p->score[i] : p->score[i]));
	return doc;
}

json_t *vh_plan_to_json(const struct vh_host *host, const struct vh_plan *p)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "page_size", (json_int_t)p->page,
			 "cells", cells(host, p), "pins", pins(host, p), "floating",
			 ids(host, p->floating, p->n_floating), "held", ids(host, p->held, p->n_held), "emulator",
			 cpu_id(host, p->emulator), "devices", devices(host, p), "score", score(p), "proven",
			 p->proven);
}
