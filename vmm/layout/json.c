// SPDX-License-Identifier: Apache-2.0
/* Layouts as JSON: a VM of `vhpc.vm.plan/1` (docs/formats/vm.md), there and back. */
#include <errno.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/layout/layout.h"

enum { CPU_MAX = 1 << 20, NODE_MAX = 1024, IOTHREADS_MAX = 64 };

/* --- to JSON */

static json_t *number_or_null(int64_t v)
{
	return v < 0 ? json_null() : json_integer(v);
}

static json_t *text_or_null(const char *s)
{
	return *s ? json_string(s) : json_null();
}

static json_t *numbers_to_json(const unsigned *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(v[i]));
	return list;
}

static json_t *cells_to_json(const struct vh_layout *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n_cells; i++) {
		json_t *vcpus = json_array();

		for (unsigned v = 0; v < l->vcpus; v++)
			if (l->cell[v] == i)
				json_array_append_new(vcpus, json_integer(v));
		json_array_append_new(list, json_pack("{s:i, s:i, s:I, s:o, s:o}", "cell", (int)i, "node",
						      (int)l->cells[i].node, "memory", (json_int_t)l->cells[i].memory,
						      "vcpus", vcpus, "distances",
						      numbers_to_json(&l->distances[i * l->n_cells], l->n_cells)));
	}
	return list;
}

static json_t *pins(const struct vh_layout *l)
{
	json_t *list = json_array();

	for (unsigned v = 0; v < l->vcpus; v++)
		json_array_append_new(list, number_or_null(l->cpu[v]));
	return list;
}

static json_t *devices(const struct vh_layout *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n_devices; i++) {
		const struct vh_layout_device *d = &l->devices[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o*}", "address", d->address,
			"kind", vh_device_kind_name(d->kind), "name", text_or_null(d->name), "pf", text_or_null(d->pf),
			"node", number_or_null(d->node), "cell", number_or_null(d->cell), "switch",
			text_or_null(d->sw), "bars", (json_int_t)d->bars, "mac", *d->mac ? json_string(d->mac) : NULL));
	}
	return list;
}

json_t *vh_layout_to_json(const struct vh_layout *l)
{
	return json_pack("{s:I, s:{s:i, s:i, s:i, s:i}, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "page_size",
			 (json_int_t)l->page, "topology", "sockets", (int)l->sockets, "dies", (int)l->dies, "cores",
			 (int)l->cores, "threads", (int)l->threads, "cells", cells_to_json(l), "pins", pins(l), "floating",
			 numbers_to_json(l->floating, l->n_floating), "held", numbers_to_json(l->held, l->n_held), "emulator",
			 number_or_null(l->emulator), "iothreads", (int)l->iothreads, "devices", devices(l));
}

/* --- from JSON */

static int bad_layout(struct vh_err *err, const char *what)
{
	return vh_err_refuse(err, EINVAL, "plan: %s", what);
}

static bool is_number(const json_t *j, json_int_t least, json_int_t most)
{
	return json_is_integer(j) && json_integer_value(j) >= least && json_integer_value(j) <= most;
}

/* A number, or null as -1. */
static bool get_number(const json_t *o, const char *key, json_int_t most, int *ret)
{
	const json_t *j = json_object_get(o, key);

	*ret = -1;
	if (json_is_integer(j))
		*ret = is_number(j, 0, most) ? (int)json_integer_value(j) : -1;
	return json_is_null(j) || *ret >= 0;
}

static bool get_count(const json_t *o, const char *key, json_int_t least, json_int_t most, unsigned *ret)
{
	const json_t *j = json_object_get(o, key);

	if (!is_number(j, least, most))
		return false;
	*ret = (unsigned)json_integer_value(j);
	return true;
}

static bool get_size(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *j = json_object_get(o, key);

	if (!is_number(j, 0, VH_NODE_MEMORY_MAX))
		return false;
	*ret = (uint64_t)json_integer_value(j);
	return true;
}

/* Text of at most size - 1 bytes, or null as "". */
static bool get_text(const json_t *o, const char *key, char *ret, size_t size)
{
	const json_t *j = json_object_get(o, key);
	const char *text = json_is_null(j) || !j ? "" : json_string_value(j);

	if (!text || strlen(text) >= size || (j && json_string_length(j) != strlen(text)))
		return false;
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

static int read_numbers(const json_t *list, const char *what, unsigned **ret, size_t *ret_n, struct vh_err *err)
{
	size_t n = json_array_size(list);

	*ret = calloc(n + 1, sizeof(**ret));
	if (!*ret)
		return vh_err_nomem(err);
	if (!json_is_array(list) || n > VH_VCPUS_MAX)
		return bad_layout(err, what);
	for (*ret_n = 0; *ret_n < n; ++*ret_n) {
		const json_t *j = json_array_get(list, *ret_n);

		if (!is_number(j, 0, CPU_MAX))
			return bad_layout(err, what);
		(*ret)[*ret_n] = (unsigned)json_integer_value(j);
	}
	return 0;
}

static int read_pins(const json_t *list, struct vh_layout *l, struct vh_err *err)
{
	size_t n = json_array_size(list);

	if (!n || n > VH_VCPUS_MAX)
		return bad_layout(err, "pins: no CPU, or null, for each of 1 to 4096 vCPUs");
	l->cpu = calloc(n, sizeof(*l->cpu));
	l->cell = calloc(n, sizeof(*l->cell));
	if (!l->cpu || !l->cell)
		return vh_err_nomem(err);
	for (size_t v = 0; v < n; v++) {
		const json_t *j = json_array_get(list, v);

		if (!json_is_null(j) && !is_number(j, 0, CPU_MAX))
			return bad_layout(err, "pins: no CPU, or null, for each vCPU");
		l->cpu[v] = json_is_null(j) ? -1 : (int)json_integer_value(j);
		l->cell[v] = VH_CELLS_MAX;
	}
	l->vcpus = (unsigned)n;
	return 0;
}

static int read_cell(const json_t *j, size_t i, struct vh_layout *l, struct vh_err *err)
{
	const json_t *vcpus = json_object_get(j, "vcpus"), *distances = json_object_get(j, "distances"), *item;
	size_t k;

	if (!get_count(j, "node", 0, NODE_MAX - 1, &l->cells[i].node) || !get_size(j, "memory", &l->cells[i].memory) ||
	    !l->cells[i].memory || !json_is_array(vcpus) || json_array_size(distances) != l->n_cells)
		return bad_layout(err, "cells: no node, memory, vcpus and distances of each guest node");
	json_array_foreach(vcpus, k, item) {
		if (!is_number(item, 0, (json_int_t)l->vcpus - 1) || l->cell[json_integer_value(item)] != VH_CELLS_MAX)
			return bad_layout(err, "cells: a vCPU that is not there, or in two guest nodes");
		l->cell[json_integer_value(item)] = (unsigned)i;
	}
	json_array_foreach(distances, k, item) {
		if (!is_number(item, k == i ? 10 : 11, k == i ? 10 : 254))
			return bad_layout(err, "cells: distances are 10 to itself and 11 to 254 to others");
		l->distances[i * l->n_cells + k] = (unsigned)json_integer_value(item);
	}
	return 0;
}

static int read_cells(const json_t *list, struct vh_layout *l, struct vh_err *err)
{
	int r = 0;

	l->n_cells = json_array_size(list);
	if (!l->n_cells || l->n_cells > VH_CELLS_MAX) {
		l->n_cells = 0;
		return bad_layout(err, "cells: not 1 to 16 guest nodes");
	}
	for (size_t i = 0; r == 0 && i < l->n_cells; i++)
		r = read_cell(json_array_get(list, i), i, l, err);
	for (unsigned v = 0; r == 0 && v < l->vcpus; v++)
		if (l->cell[v] == VH_CELLS_MAX)
			r = bad_layout(err, "cells: a vCPU is in none");
	return r;
}

static bool get_kind(const json_t *o, enum vh_device_kind *ret)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));

	for (int k = 0; kind && k < VH_DEVICE_KINDS; k++)
		if (!strcmp(kind, vh_device_kind_name((enum vh_device_kind)k))) {
			*ret = (enum vh_device_kind)k;
			return true;
		}
	return false;
}

static int read_device(const json_t *j, struct vh_layout *l, struct vh_err *err)
{
	struct vh_layout_device *d = &l->devices[l->n_devices];

	if (!get_text(j, "address", d->address, sizeof(d->address)) || !vh_is_pci_address(d->address) ||
	    !get_text(j, "pf", d->pf, sizeof(d->pf)) || (*d->pf && strcmp(d->pf, "?") && !vh_is_pci_address(d->pf)) ||
	    !get_text(j, "switch", d->sw, sizeof(d->sw)) || (*d->sw && !vh_is_pci_address(d->sw)) ||
	    !get_text(j, "name", d->name, sizeof(d->name)) || !get_text(j, "mac", d->mac, sizeof(d->mac)) ||
	    (*d->mac && !vh_is_mac(d->mac)))
		return bad_layout(err, "devices: an address, PF, switch, name or MAC that is none");
	if (!get_kind(j, &d->kind) || !get_number(j, "node", NODE_MAX - 1, &d->node) ||
	    !get_number(j, "cell", (json_int_t)l->n_cells - 1, &d->cell) || !get_size(j, "bars", &d->bars))
		return bad_layout(err, "devices: a kind, node, guest node or size of BARs that is none");
	for (size_t i = 0; i < l->n_devices; i++)
		if (!strcmp(l->devices[i].address, d->address))
			return bad_layout(err, "devices: one stands there twice");
	l->n_devices++;
	return 0;
}

static int read_devices(const json_t *list, struct vh_layout *l, struct vh_err *err)
{
	size_t n = json_array_size(list), i;
	const json_t *item;
	int r = 0;

	if (!json_is_array(list) || n > VH_PLAN_DEVICES_MAX)
		return bad_layout(err, "devices: more than 64, or no list");
	l->devices = calloc(n + 1, sizeof(*l->devices));
	if (!l->devices)
		return vh_err_nomem(err);
	json_array_foreach(list, i, item)
		if (r == 0)
			r = read_device(item, l, err);
	return r;
}

/* Whether none of n CPUs is in met, a bitmap, into which they all go. */
static bool meet(unsigned char *met, const int *cpus, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (cpus[i] < 0)
			continue;
		if (met[cpus[i] / 8] & 1 << cpus[i] % 8)
			return false;
		met[cpus[i] / 8] |= (unsigned char)(1 << cpus[i] % 8);
	}
	return true;
}

static int check_whole(const struct vh_layout *l, struct vh_err *err)
{
	vh_autofree unsigned char *met = calloc(CPU_MAX / 8 + 1, 1);
	uint64_t sum = 0;
	bool apart;

	if (!met)
		return vh_err_nomem(err);
	apart = meet(met, l->cpu, l->vcpus) && meet(met, (const int *)l->held, l->n_held) && meet(met, &l->emulator, 1) &&
		meet(met, (const int *)l->floating, l->n_floating);
	if (!apart)
		return bad_layout(err, "a CPU stands there twice");
	for (unsigned v = 0; v < l->vcpus; v++)
		if (l->cpu[v] < 0 && !l->n_floating)
			return bad_layout(err, "floating: no CPU for vCPUs that have none of their own");
	if (l->page < 4096 || l->page & (l->page - 1))
		return bad_layout(err, "page_size: no size of pages");
	for (size_t i = 0; i < l->n_cells; i++) {
		sum += l->cells[i].memory;
		if (l->page > 4096 && l->cells[i].memory % l->page)
			return bad_layout(err, "cells: memory that is no number of pages");
	}
	if (sum > VH_NODE_MEMORY_MAX)
		return bad_layout(err, "cells: more memory than there can be");
	if ((uint64_t)l->sockets * l->dies * l->cores * l->threads != l->vcpus)
		return bad_layout(err, "topology: its product is not the number of vCPUs");
	return 0;
}

static int read_all(const json_t *j, struct vh_layout *l, struct vh_err *err)
{
	const json_t *topology = json_object_get(j, "topology");
	int r = read_pins(json_object_get(j, "pins"), l, err);

	if (r < 0)
		return r;
	if (!get_size(j, "page_size", &l->page) || !get_number(j, "emulator", CPU_MAX, &l->emulator) ||
	    !get_count(j, "iothreads", 0, IOTHREADS_MAX, &l->iothreads))
		return bad_layout(err, "page_size, emulator or iothreads is no number");
	if (!get_count(topology, "sockets", 1, VH_VCPUS_MAX, &l->sockets) ||
	    !get_count(topology, "dies", 1, VH_VCPUS_MAX, &l->dies) ||
	    !get_count(topology, "cores", 1, VH_VCPUS_MAX, &l->cores) ||
	    !get_count(topology, "threads", 1, VH_VCPUS_MAX, &l->threads))
		return bad_layout(err, "topology: no sockets, dies, cores and threads");
	r = read_cells(json_object_get(j, "cells"), l, err);
	if (r == 0)
		r = read_numbers(json_object_get(j, "floating"), "floating: no list of CPUs", &l->floating,
				 &l->n_floating, err);
	if (r == 0)
		r = read_numbers(json_object_get(j, "held"), "held: no list of CPUs", &l->held, &l->n_held, err);
	if (r == 0)
		r = read_devices(json_object_get(j, "devices"), l, err);
	return r < 0 ? r : check_whole(l, err);
}

int vh_layout_from_json(const json_t *j, struct vh_layout *ret, struct vh_err *err)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = { 0 };
	int r = read_all(j, &l, err);

	if (r < 0)
		return r;
	*ret = l;
	l = (struct vh_layout){ 0 };
	return 0;
}
