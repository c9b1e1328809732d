// SPDX-License-Identifier: Apache-2.0
/* What was measured, for people and as JSON (docs/formats/validate.md). */
#include "tools/validate/validate.h"

#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"

static json_t *cpus_json(const struct target *t)
{
	return t->cpus[0] < 0 ? json_null() : json_pack("[i, i]", t->cpus[0], t->cpus[1]);
}

static json_t *conditions_json(const struct validation *v)
{
	const struct target *t = &v->target;
	const struct results *r = &v->results;

	return json_pack("{s:s, s:{s:s, s:s}, s:{s:s, s:o}, s:{s:s, s:s, s:i}, s:s, s:b, s:I, s:f, s:{s:s, s:s, s:s}}",
			 "accel", t->accel, "mpi", "name", "openmpi", "version", t->mpi_version,
			 "host", "cpu", v->conditions.host_cpu, "cpus", cpus_json(t),
			 "vm", "name", t->node[0], "cpu", v->conditions.vm_cpu, "vcpus", (int)t->vcpus,
			 "instructions", v->conditions.path, "quick", v->o.quick, "runs", (json_int_t)v->o.runs,
			 "load", v->load, "transport", "host", r->transport[SIDE_HOST], "vm", r->transport[SIDE_VM],
			 "pair", r->transport[SIDE_PAIR]);
}

int validation_print_json(const struct validation *v, struct vh_err *err)
{
	json_t *doc = json_pack("{s:s, s:o, s:o, s:O}", "cluster", v->target.cluster, "conditions", conditions_json(v),
				"results", results_json(&v->results), "errors", v->errors);

	return doc ? vh_json_print("vhpc.validate/1", doc, err) : vh_err_nomem(err);
}

static const char *or_none(const char *s)
{
	return *s ? s : "not measured";
}

static void print_conditions(const struct validation *v)
{
	const struct target *t = &v->target;
	const struct results *r = &v->results;

	printf("\nA ratio is what the guest reaches of the host: 1 is equal, less is slower. Values and RATIO are the best\n"
	       "batches; TYPICAL is the ratio of the lower quartiles, which a lucky moment of one side does not move.\n");
	printf("Accelerator %s%s, %u %s per side taking turns; %s instructions on both sides.\n", t->accel,
	       strcmp(t->accel, "tcg") ? "" : " (every guest instruction is emulated)", (unsigned)v->o.runs,
	       v->o.runs == 1 ? "run" : "runs", v->conditions.path);
	printf("Host: %s; ", v->conditions.host_cpu);
	if (t->cpus[0] >= 0)
		printf("pinned to CPUs %d and %d, where the VM runs.\n", t->cpus[0], t->cpus[1]);
	else
		printf("not pinned.\n");
	printf("VM: %s, %u vCPUs, %s.\n", t->node[0], t->vcpus, v->conditions.vm_cpu);
	printf("MPI: Open MPI %s, 2 ranks; on the host over %s, in the VM over %s, between VMs over %s.\n",
	       t->mpi_version, or_none(r->transport[SIDE_HOST]), or_none(r->transport[SIDE_VM]),
	       or_none(r->transport[SIDE_PAIR]));
	printf("Load of the host before the start: %.2f.\n", v->load);
}

int validation_print_table(const struct validation *v)
{
	static const struct vh_col columns[] = {
		{ "KERNEL", "name", VH_COL_TEXT }, { "UNIT", "unit", VH_COL_TEXT },
		{ "HOST", "host", VH_COL_RIGHT }, { "VM", "vm", VH_COL_RIGHT }, { "RATIO", "ratio", VH_COL_RIGHT },
		{ "TYPICAL", "typical_ratio", VH_COL_RIGHT }, { "VM TO VM", "pair", VH_COL_RIGHT },
		{ "RATIO", "pair_ratio", VH_COL_RIGHT }, { "TYPICAL", "pair_typical_ratio", VH_COL_RIGHT }, { 0 }
	};
	vh_autojson rows = results_rows(&v->results);

	vh_table_print(stdout, columns, rows);
	print_conditions(v);
	return 0;
}
