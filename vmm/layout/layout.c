// SPDX-License-Identifier: Apache-2.0
/* Layouts as values: what they sum up to, and what they hold of a host. */
#include "vmm/layout/layout.h"

#include <errno.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/host/host.h"

void vh_layout_clear(struct vh_layout *l)
{
	free(l->cpu);
	free(l->cell);
	free(l->floating);
	free(l->held);
	free(l->devices);
	*l = (struct vh_layout){ 0 };
}

uint64_t vh_layout_memory(const struct vh_layout *l)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->n_cells; i++)
		sum += l->cells[i].memory;
	return sum;
}

bool vh_layout_is_dedicated(const struct vh_layout *l)
{
	for (unsigned v = 0; v < l->vcpus; v++)
		if (l->cpu[v] < 0)
			return false;
	return true;
}

static bool has_cpu(const struct vh_host *here, unsigned cpu)
{
	for (size_t i = 0; here && i < here->n_cpus; i++)
		if (here->cpus[i].id == cpu)
			return true;
	return !here;
}

bool vh_layout_node_is_here(const struct vh_host *here, unsigned node)
{
	for (size_t i = 0; here && i < here->n_nodes; i++)
		if (here->nodes[i].id == node)
			return true;
	return !here;
}

/* Those of n numbers that are here; -1 are none. */
static void add_numbers(const struct vh_host *here, struct vh_numbers *out, const int *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] >= 0 && has_cpu(here, (unsigned)v[i]))
			out->v[out->n++] = (unsigned)v[i];
}

void vh_numbers_clear(struct vh_numbers *n)
{
	free(n->v);
	*n = (struct vh_numbers){ 0 };
}

static bool makes(struct vh_numbers *out, const struct vh_layout *l)
{
	out->n = 0;
	out->v = calloc(l->vcpus + l->n_held + l->n_floating + 2, sizeof(*out->v));
	return out->v;
}

int vh_layout_own(const struct vh_layout *l, const struct vh_host *here, struct vh_numbers *ret)
{
	if (!makes(ret, l))
		return -ENOMEM;
	add_numbers(here, ret, l->cpu, l->vcpus);
	for (size_t i = 0; i < l->n_held; i++)
		add_numbers(here, ret, (const int []){ (int)l->held[i] }, 1);
	add_numbers(here, ret, &l->emulator, 1);
	return 0;
}

int vh_layout_used(const struct vh_layout *l, const struct vh_host *here, struct vh_numbers *ret)
{
	if (!makes(ret, l))
		return -ENOMEM;
	add_numbers(here, ret, l->cpu, l->vcpus);
	for (size_t i = 0; i < l->n_floating; i++)
		add_numbers(here, ret, (const int []){ (int)l->floating[i] }, 1);
	return 0;
}

char *vh_layout_vcpu_cpus(const struct vh_layout *l, const struct vh_host *here, unsigned vcpu)
{
	struct vh_numbers cpus;
	char *list = NULL;

	if (!makes(&cpus, l))
		return NULL;
	add_numbers(here, &cpus, &l->cpu[vcpu], 1);
	for (size_t i = 0; l->cpu[vcpu] < 0 && i < l->n_floating; i++)
		add_numbers(here, &cpus, (const int []){ (int)l->floating[i] }, 1);
	list = vh_cpu_list(cpus.v, cpus.n);
	vh_numbers_clear(&cpus);
	return list;
}

char *vh_layout_emulator_cpus(const struct vh_layout *l, const struct vh_host *here)
{
	struct vh_numbers cpus;
	char *list;

	if (l->emulator >= 0)
		return has_cpu(here, (unsigned)l->emulator) ? vh_strf("%d", l->emulator) : strdup("");
	if (vh_layout_used(l, here, &cpus) < 0)
		return NULL;
	list = vh_cpu_list(cpus.v, cpus.n);
	vh_numbers_clear(&cpus);
	return list;
}

char *vh_layout_cpus(const struct vh_layout *l)
{
	struct vh_numbers cpus;
	char *list;

	if (vh_layout_used(l, NULL, &cpus) < 0)
		return NULL;
	list = vh_cpu_list(cpus.v, cpus.n);
	vh_numbers_clear(&cpus);
	return list;
}

char *vh_layout_nodes(const struct vh_layout *l)
{
	unsigned nodes[VH_CELLS_MAX];

	for (size_t i = 0; i < l->n_cells; i++)
		nodes[i] = l->cells[i].node;
	return vh_cpu_list(nodes, l->n_cells);
}
