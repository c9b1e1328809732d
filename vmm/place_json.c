// SPDX-License-Identifier: Apache-2.0
#include "vmm/vmm.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/table.h"

static const char *const policies[] = { [VH_CPU_DEDICATED] = "dedicated", [VH_CPU_SHARED] = "shared" };

json_t *vh_placement_to_json(const struct vh_placement *p)
{
	vh_autojson cpus = json_array();
	vh_autojson memory = json_array();

	for (size_t i = 0; i < p->n_cpus; i++)
		json_array_append_new(cpus, json_integer(p->cpus[i]));
	for (size_t i = 0; i < p->n_nodes; i++)
		json_array_append_new(memory, json_pack("{s:i, s:I}", "node", (int)p->nodes[i],
							"bytes", (json_int_t)p->node_memory[i]));
	return json_pack("{s:s, s:i, s:O, s:O}", "policy", policies[p->policy], "vcpus", (int)p->vcpus,
			 "cpus", cpus, "memory", memory);
}

static int bad(struct vh_err *err, const char *what)
{
	return vh_err_set(err, EINVAL, "placement: %s", what);
}

static bool small(const json_t *j)
{
	return json_is_integer(j) && json_integer_value(j) >= 0 && json_integer_value(j) < INT_MAX;
}

static int read_cpus(const json_t *cpus, struct vh_placement *p, struct vh_err *err)
{
	size_t n = json_array_size(cpus);

	p->cpus = calloc(n + 1, sizeof(*p->cpus));
	if (!p->cpus)
		return vh_err_nomem(err);
	for (p->n_cpus = 0; p->n_cpus < n; p->n_cpus++) {
		const json_t *cpu = json_array_get(cpus, p->n_cpus);

		if (!small(cpu))
			return bad(err, "\"cpus\" is no list of CPUs");
		p->cpus[p->n_cpus] = (unsigned)json_integer_value(cpu);
	}
	if (!n || (p->policy == VH_CPU_DEDICATED && n != p->vcpus))
		return bad(err, "\"cpus\" and \"vcpus\" do not go together");
	return 0;
}

static int read_memory(const json_t *memory, struct vh_placement *p, struct vh_err *err)
{
	size_t n = json_array_size(memory);

	p->nodes = calloc(n + 1, sizeof(*p->nodes));
	p->node_memory = calloc(n + 1, sizeof(*p->node_memory));
	if (!p->nodes || !p->node_memory)
		return vh_err_nomem(err);
	for (p->n_nodes = 0; p->n_nodes < n; p->n_nodes++) {
		const json_t *item = json_array_get(memory, p->n_nodes);
		const json_t *node = json_object_get(item, "node"), *bytes = json_object_get(item, "bytes");

		if (!small(node) || !json_is_integer(bytes) || json_integer_value(bytes) <= 0)
			return bad(err, "\"memory\" is no list of nodes and bytes");
		p->nodes[p->n_nodes] = (unsigned)json_integer_value(node);
		p->node_memory[p->n_nodes] = (uint64_t)json_integer_value(bytes);
	}
	return n ? 0 : bad(err, "\"memory\" names no node");
}

static int read_all(const json_t *j, struct vh_placement *p, struct vh_err *err)
{
	const char *policy = json_string_value(json_object_get(j, "policy"));
	const json_t *vcpus = json_object_get(j, "vcpus");
	int r;

	if (!policy || (strcmp(policy, policies[0]) && strcmp(policy, policies[1])))
		return bad(err, "\"policy\" is neither dedicated nor shared");
	if (!small(vcpus) || !json_integer_value(vcpus))
		return bad(err, "\"vcpus\" is no number of vCPUs");
	p->policy = strcmp(policy, policies[VH_CPU_SHARED]) ? VH_CPU_DEDICATED : VH_CPU_SHARED;
	p->vcpus = (unsigned)json_integer_value(vcpus);
	r = read_cpus(json_object_get(j, "cpus"), p, err);
	return r < 0 ? r : read_memory(json_object_get(j, "memory"), p, err);
}

int vh_placement_from_json(const json_t *j, struct vh_placement *ret, struct vh_err *err)
{
	struct vh_placement p = { 0 };
	int r = read_all(j, &p, err);

	if (r == 0) {
		*ret = p;
		return 0;
	}
	free(p.cpus);
	free(p.nodes);
	free(p.node_memory);
	return r;
}
