// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "lib/values.h"
#include "vmm/draw/draw.h"
#include "vmm/host/host.h"
#include "vmm/place/place.h"

enum { WIDTH = 100 };

char vh_plan_mark(const struct vh_left *left, const struct vh_plan *plan, unsigned cpu)
{
	char unused = left->cpu[cpu] || left->floats[cpu] ? '.' : 'x';

	if (!plan)
		return unused;
	for (unsigned i = 0; i < plan->vcpus; i++)
		if (plan->cpu[i] == (int)cpu)
			return '#';
	if (plan->emulator == (int)cpu)
		return 'e';
	for (size_t i = 0; i < plan->n_held; i++)
		if (plan->held[i] == cpu)
			return '+';
	for (size_t i = 0; i < plan->n_floating; i++)
		if (plan->floating[i] == cpu)
			return '~';
	return unused;
}

bool vh_plan_has_device(const struct vh_plan *plan, size_t device)
{
	for (size_t i = 0; plan && i < plan->n_devices; i++)
		if (plan->devices[i] == device)
			return true;
	return false;
}

uint64_t vh_plan_memory(const struct vh_plan *plan, size_t node)
{
	uint64_t sum = 0;

	for (size_t i = 0; plan && i < plan->n_cells; i++)
		sum += plan->cells[i].node == node ? plan->cells[i].memory : 0;
	return sum;
}

/* Caches in brackets, cores parted by a space: "[## #. ..] [.. .. xx]". */
static void picture_cpus(FILE *f, const struct vh_left *left, const struct vh_plan *plan, unsigned node)
{
	const struct vh_host *host = left->host;
	const struct vh_host_cpu *before = NULL;
	int column = 0;

	for (unsigned i = 0; i < host->n_cpus; i++) {
		const struct vh_host_cpu *cpu = &host->cpus[i];
		bool same;

		if (cpu->node != node)
			continue;
		same = before && before->l3 == cpu->l3;
		if (!same) {
			column = before && column < WIDTH ? column : 0;
			fprintf(f, "%s%s[", before ? "]" : "", column ? " " : "\n    ");
		} else if (before->core != cpu->core && column > WIDTH) {
			fprintf(f, "\n     ");
			column = 0;
		} else if (before->core != cpu->core) {
			fputc(' ', f);
		}
		fputc(vh_plan_mark(left, plan, i), f);
		column += 2;
		before = cpu;
	}
	fprintf(f, before ? "]\n" : "\n");
}

static void picture_devices(FILE *f, const struct vh_host *host, const struct vh_plan *plan, int node)
{
	size_t quiet[VH_DEVICE_KINDS] = { 0 };

	for (size_t i = 0; i < host->n_devices; i++) {
		const struct vh_host_device *d = &host->devices[i];

		if (d->node != node)
			continue;
		if (!vh_plan_has_device(plan, i)) {
			quiet[d->kind]++;
			continue;
		}
		fprintf(f, "    # %s %s %s%s%s\n", vh_device_kind_name(d->kind), d->address, d->name,
			d->sw[0] ? " behind switch " : "", d->sw);
	}
	for (int k = 0; k < VH_DEVICE_KINDS; k++)
		if (quiet[k])
			fprintf(f, "    . %zu %s\n", quiet[k], vh_device_kind_name((enum vh_device_kind)k));
}

static void picture_node(FILE *f, const struct vh_left *left, const struct vh_plan *plan, size_t node)
{
	const struct vh_host_node *n = &left->host->nodes[node];
	uint64_t here = vh_plan_memory(plan, node);
	char total[16], used[16];

	fprintf(f, "  node %u%s%s  %s", n->id, n->kind[0] ? " " : "", n->kind,
		vh_size_format(total, sizeof(total), n->memory));
	if (here)
		fprintf(f, "  # %s", vh_size_format(used, sizeof(used), here));
	picture_cpus(f, left, plan, n->id);
	picture_devices(f, left->host, plan, (int)node);
}

void vh_plan_picture(FILE *f, const struct vh_left *left, const struct vh_plan *plan)
{
	const struct vh_host *host = left->host;
	unsigned packages = 0;

	for (size_t i = 0; i < host->n_nodes; i++)
		packages = host->nodes[i].package >= packages ? host->nodes[i].package + 1 : packages;
	for (unsigned p = 0; p < packages; p++) {
		fprintf(f, "package %u\n", p);
		for (size_t i = 0; i < host->n_nodes; i++)
			if (host->nodes[i].package == p)
				picture_node(f, left, plan, i);
	}
	picture_devices(f, host, plan, -1);
	fprintf(f, "%s. free   x taken\n", plan ? "# the VM's   + kept idle for it   e emulator   ~ shared with others   " : "");
}
