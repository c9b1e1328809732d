// SPDX-License-Identifier: Apache-2.0
#include "vmm/want/want.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/doc/doc.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/want/nova.h"

enum { DEFAULT_MEMORY = 1 << 30, IOTHREADS_MAX = 64, VMS_MAX = 100000, NO_CELL = 255 };

static const char *const affinities[] = {
	[VH_AFFINITY_PREFERRED] = "preferred", [VH_AFFINITY_REQUIRED] = "required",
	[VH_AFFINITY_SOCKET] = "socket", [VH_AFFINITY_NONE] = "none", [VH_AFFINITY_LEGACY] = "legacy",
};
static const char *const policies[] = { "dedicated", "shared", "mixed" };
static const char *const threads[] = { "prefer", "isolate", "require" };

#define STR(member, text) { .name = text, .type = VH_KEY_STR, .offset = offsetof(struct vh_want_text, member) }

static const struct vh_key keys[] = {
	STR(name, "name"), STR(vcpus, "vcpus"), STR(memory, "memory"), STR(page_size, "page_size"),
	STR(cpu_policy, "cpu_policy"), STR(threads, "threads"), STR(emulator, "emulator"),
	STR(iothreads, "iothreads"), STR(numa, "numa"), STR(pairs, "pairs"), STR(vms, "vms"), STR(place, "place"),
	{ .name = "devices", .type = VH_KEY_STRV, .offset = offsetof(struct vh_want_text, devices) },
	{ .name = "flavor", .type = VH_KEY_STRMAP, .offset = offsetof(struct vh_want_text, flavor) },
	{ .name = "image", .type = VH_KEY_STRMAP, .offset = offsetof(struct vh_want_text, image) },
	{ 0 },
};

int vh_want_load(const char *path, struct vh_want_text *ret, struct vh_err *err)
{
	return vh_doc_load(path, keys, ret, err);
}

int vh_want_parse(const char *name, const char *text, size_t len, struct vh_want_text *ret, struct vh_err *err)
{
	return vh_doc_parse(name, text, len, keys, ret, err);
}

void vh_want_text_free(struct vh_want_text *text)
{
	vh_doc_free(keys, text);
}

/* --- values */

static int one_of(const char *what, const char *value, const char *const *names, size_t n, int *ret,
		  struct vh_err *err)
{
	const char *near;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(value, names[i])) {
			*ret = (int)i;
			return 0;
		}
	vh_err_refuse(err, EINVAL, "%s: '%.40s' is none of those there are", what, value);
	near = vh_nearest(value, names, n);
	return vh_err_hint(err, "%s%s?", near ? "" : "such as ", near ? near : names[0]);
}

static int number(const char *what, const char *value, uint64_t max, unsigned *ret, struct vh_err *err)
{
	uint64_t v;
	int r = vh_uint_parse(value, max, &v, err);

	if (r < 0) {
		err->exit = VH_EXIT_REFUSED;
		return vh_err_within(err, "%s", what);
	}
	*ret = (unsigned)v;
	return 0;
}

static int size(const char *what, const char *value, uint64_t *ret, struct vh_err *err)
{
	int r = vh_size_parse(value, ret, err);

	if (r < 0) {
		err->exit = VH_EXIT_REFUSED;
		return vh_err_within(err, "%s", what);
	}
	return 0;
}

static int read_page(const char *value, uint64_t *ret, struct vh_err *err)
{
	uint64_t page = 0;
	int r;

	if (!strcmp(value, "any") || !strcmp(value, "large") || !strcmp(value, "small")) {
		*ret = value[0] == 'a' ? VH_PAGE_ANY : value[0] == 'l' ? VH_PAGE_LARGE : VH_PAGE_SMALL;
		return 0;
	}
	r = size("page size", value, &page, err);
	if (r < 0)
		return r;
	if (page < VH_PAGE_SMALL || page & (page - 1)) {
		vh_err_refuse(err, EINVAL, "page size: '%.40s' is none", value);
		return vh_err_hint(err, "4K, 2M, 1G, small, large or any");
	}
	*ret = page;
	return 0;
}

static bool is_set(const char *value)
{
	return value[strcspn(value, "-+,^")];
}

/* "dedicated", "shared", "mixed:2"; of "mixed:0-1,3" the set is read when the vCPUs are known. */
static int read_policy(const char *value, struct vh_want *want, struct vh_err *err)
{
	vh_autofree char *name = strndup(value, strcspn(value, ":"));
	int policy = 0, r;

	if (!name)
		return vh_err_nomem(err);
	r = one_of("CPU policy", name, policies, vh_array_len(policies), &policy, err);
	if (r < 0)
		return r;
	want->policy = (enum vh_want_policy)policy;
	value += strlen(name);
	if (policy != VH_WANT_MIXED && *value)
		return vh_err_refuse(err, EINVAL, "CPU policy: %s takes no number", name);
	if (policy == VH_WANT_MIXED && !*value)
		return vh_err_refuse(err, EINVAL, "CPU policy: mixed:N, or mixed:SET, says which vCPUs are dedicated");
	return *value && !is_set(value) ? number("CPU policy", value + 1, VH_VCPUS_MAX, &want->dedicated, err) : 0;
}

static int device_kind(const char *name, int *ret_kind, bool *ret_vf, struct vh_err *err)
{
	static const char *const names[] = {
		"hca", "nic", "gpu", "nvme", "hca-vf", "nic-vf", "gpu-vf", "nvme-vf",
	};
	int r = one_of("device", name, names, vh_array_len(names), ret_kind, err);

	if (r < 0)
		return r;
	*ret_vf = *ret_kind >= VH_DEVICE_KINDS;
	*ret_kind %= VH_DEVICE_KINDS;
	return 0;
}

/* "hca", "gpu:2", "hca-vf:1:required", "gpu:socket". */
static int read_device(const char *value, struct vh_want *want, struct vh_err *err)
{
	vh_autofree char *copy = strdup(value);
	char *rest = copy, *name = strsep(&rest, ":"), *part;
	struct vh_want_devices w = { .count = 1 };
	int kind = 0, affinity = 0, r;

	if (!copy)
		return vh_err_nomem(err);
	r = device_kind(name, &kind, &w.vf, err);
	while (r == 0 && (part = strsep(&rest, ":"))) {
		if (*part >= '0' && *part <= '9') {
			r = number("device", part, VH_PLAN_DEVICES_MAX, &w.count, err);
		} else {
			r = one_of("device affinity", part, affinities, vh_array_len(affinities), &affinity, err);
			w.affinity = r < 0 ? w.affinity : (enum vh_affinity)affinity;
		}
	}
	if (r < 0)
		return r;
	if (want->devices[kind].count)
		return vh_err_refuse(err, EINVAL, "device: %s is asked for twice", vh_device_kind_name(
				     (enum vh_device_kind)kind));
	want->devices[kind] = w;
	return 0;
}

/* --- guest nodes */

static int split_evenly(struct vh_want *want, unsigned n, struct vh_err *err)
{
	uint64_t unit = want->page > VH_PAGE_SMALL ? want->page : 2 << 20;

	if (!n || n > VH_CELLS_MAX || n > want->vcpus || n > want->memory / unit)
		return vh_err_refuse(err, EINVAL, "guest NUMA nodes: %u of %u vCPUs and %llu MiB cannot be", n,
				     want->vcpus, (unsigned long long)want->memory >> 20);
	want->n_cells = n;
	for (unsigned i = 0; i < n; i++)
		want->cells[i] = (struct vh_want_cell){
			.vcpus = want->vcpus / n + (i < want->vcpus % n),
			.memory = (want->memory / unit / n + (i < want->memory / unit % n)) * unit,
		};
	want->cells[0].memory += want->memory % unit;
	return 0;
}

/* How many of a guest node, "4", or which, "0-2+6": then they are marked as its own. */
static int read_cell_vcpus(const char *text, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	struct vh_want_cell *c = &want->cells[want->n_cells];
	bool in[VH_VCPUS_MAX];

	if (!is_set(text))
		return number("guest NUMA nodes", text, VH_VCPUS_MAX, &c->vcpus, err);
	if (vh_vcpus_parse(text, '+', VH_VCPUS_MAX, in) < 0)
		return vh_err_refuse(err, EINVAL, "guest NUMA nodes: '%.40s' is no set of vCPUs", text);
	for (unsigned i = 0; i < VH_VCPUS_MAX; i++) {
		if (!in[i])
			continue;
		if (sets->cell[i] != NO_CELL)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: vCPU %u is in two of them", i);
		sets->cell[i] = (unsigned char)want->n_cells;
		c->vcpus++;
	}
	return 0;
}

/* "4:8G,2:4G": vCPUs and memory of each; these give the VM's own where it has none. */
static int read_cells(const char *value, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	vh_autofree char *copy = strdup(value);
	char *rest = copy, *cell, *memory;
	int r = 0;

	if (!copy)
		return vh_err_nomem(err);
	while (r == 0 && (cell = strsep(&rest, ","))) {
		struct vh_want_cell *c = &want->cells[want->n_cells];

		if (want->n_cells == VH_CELLS_MAX)
			return vh_err_refuse(err, ERANGE, "guest NUMA nodes: more than %d", VH_CELLS_MAX);
		memory = strchr(cell, ':');
		if (!memory)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: '%.40s' is not VCPUS:MEMORY", cell);
		*memory++ = 0;
		r = read_cell_vcpus(cell, want, sets, err);
		if (r == 0)
			r = size("guest NUMA nodes", memory, &c->memory, err);
		want->n_cells++;
	}
	return r;
}

static int read_numa(const char *value, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	unsigned n = 0;
	int r;

	if (!strcmp(value, "auto"))
		return 0;
	if (strchr(value, ':'))
		return read_cells(value, want, sets, err);
	r = number("guest NUMA nodes", value, VH_CELLS_MAX, &n, err);
	return r < 0 ? r : split_evenly(want, n, err);
}

static void sum_cells(const struct vh_want_text *text, struct vh_want *want)
{
	uint64_t memory = 0;
	unsigned vcpus = 0;

	for (size_t i = 0; i < want->n_cells; i++) {
		vcpus += want->cells[i].vcpus;
		if (__builtin_add_overflow(memory, want->cells[i].memory, &memory))
			memory = UINT64_MAX;
	}
	if (want->n_cells && !text->vcpus)
		want->vcpus = vcpus;
	if (want->n_cells && !text->memory)
		want->memory = memory;
}

/* Guest nodes of which only the number of vCPUs is given get them one after the other. */
static int place_in_cells(const struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	unsigned given = 0, next = 0;

	for (unsigned i = 0; i < VH_VCPUS_MAX; i++)
		given += sets->cell[i] != NO_CELL;
	for (unsigned i = 0; given && i < want->vcpus; i++)
		if (sets->cell[i] == NO_CELL)
			return vh_err_refuse(err, EINVAL, "guest NUMA nodes: vCPU %u is in none of them", i);
	for (size_t c = 0; !given && c < want->n_cells; c++)
		for (unsigned i = 0; i < want->cells[c].vcpus && next < VH_VCPUS_MAX; i++)
			sets->cell[next++] = (unsigned char)c;
	return 0;
}

/* Of a mixed VM "mixed:4": the first of them; "mixed:0-1,3" or "mixed:^0": these. */
static int mark_dedicated(const char *policy, struct vh_want *want, struct vh_vcpu_sets *sets, struct vh_err *err)
{
	const char *set = policy ? strchr(policy, ':') : NULL;

	for (unsigned i = 0; i < want->dedicated && i < VH_VCPUS_MAX; i++)
		sets->own[i] = true;
	if (!set || !is_set(set) || want->policy != VH_WANT_MIXED)
		return 0;
	if (vh_vcpus_parse(set + 1, ',', want->vcpus, sets->own) < 0)
		return vh_err_refuse(err, EINVAL, "CPU policy: '%.40s' is no set of the VM's %u vCPUs", set + 1, want->vcpus);
	return 0;
}

/* --- the whole */

static int read_counts(const struct vh_want_text *t, struct vh_want *want, struct vh_err *err)
{
	int r = t->vcpus ? number("vCPUs", t->vcpus, VH_VCPUS_MAX, &want->vcpus, err) : 0;

	if (r == 0 && t->memory)
		r = size("memory", t->memory, &want->memory, err);
	if (r == 0 && t->page_size)
		r = read_page(t->page_size, &want->page, err);
	if (r == 0 && t->iothreads)
		r = number("I/O threads", t->iothreads, IOTHREADS_MAX, &want->iothreads, err);
	if (r == 0 && t->pairs)
		r = number("pairs", t->pairs, VH_PLAN_DEVICES_MAX, &want->pairs, err);
	if (r == 0 && t->vms)
		r = number("VMs", t->vms, VMS_MAX, &want->vms, err);
	if (r == 0 && !want->vms)
		r = vh_err_refuse(err, EINVAL, "VMs: 0 of them");
	return r;
}

static int read_choices(const struct vh_want_text *t, struct vh_want *want, struct vh_err *err)
{
	static const char *const emulators[] = { "share", "isolate" }, *const places[] = { "pack", "spread" };
	int choice = 0, r = t->cpu_policy ? read_policy(t->cpu_policy, want, err) : 0;

	if (r == 0 && t->threads && (r = one_of("thread policy", t->threads, threads, 3, &choice, err)) == 0)
		want->threads = (enum vh_thread_policy)choice;
	if (r == 0 && t->emulator && (r = one_of("emulator threads", t->emulator, emulators, 2, &choice, err)) == 0)
		want->emulator = choice;
	if (r == 0 && t->place && (r = one_of("place", t->place, places, 2, &choice, err)) == 0)
		want->spread = choice;
	for (char **d = t->devices; r == 0 && d && *d; d++)
		r = read_device(*d, want, err);
	return r;
}

static int read_all(const struct vh_want_text *t, struct vh_want *want, struct vh_err *err)
{
	struct vh_vcpu_sets sets = { .own = { false } };
	int r = read_counts(t, want, err);

	memset(sets.cell, NO_CELL, sizeof(sets.cell));
	if (r == 0)
		r = read_choices(t, want, err);
	if (r == 0 && t->numa)
		r = read_numa(t->numa, want, &sets, err);
	if (r < 0)
		return r;
	sum_cells(t, want);
	if (!want->vcpus || want->vcpus > VH_VCPUS_MAX)
		return vh_want_check(want, err);
	r = mark_dedicated(t->cpu_policy, want, &sets, err);
	if (r == 0)
		r = place_in_cells(want, &sets, err);
	if (r < 0)
		return r;
	vh_want_number(want, &sets);
	return vh_want_check(want, err);
}

int vh_want_read(const struct vh_want_text *given, struct vh_want *ret, struct vh_err *err)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text flavor = { 0 };
	struct vh_want_text text;
	struct vh_want want = { .vcpus = 1, .memory = DEFAULT_MEMORY, .page = VH_PAGE_SMALL, .vms = 1 };
	int r = vh_want_read_flavor(given, &flavor, err);

	if (r < 0)
		return r;
	text = flavor;
#define OURS(member) text.member = given->member ? given->member : flavor.member
	OURS(name), OURS(vcpus), OURS(memory), OURS(page_size), OURS(cpu_policy), OURS(threads), OURS(emulator);
	OURS(iothreads), OURS(numa), OURS(pairs), OURS(vms), OURS(place), OURS(devices);
#undef OURS
	snprintf(want.name, sizeof(want.name), "%s", text.name ? text.name : "vm");
	if (text.name && !vh_is_hostname(text.name))
		return vh_err_refuse(err, EINVAL, "'%.64s' is no host name", text.name);
	r = read_all(&text, &want, err);
	if (r == 0)
		*ret = want;
	return r;
}

static json_t *cells_to_json(const struct vh_want *want)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < want->n_cells; i++)
		json_array_append_new(cells, json_pack("{s:i, s:I}", "vcpus", (int)want->cells[i].vcpus, "memory",
						       (json_int_t)want->cells[i].memory));
	return cells;
}

json_t *vh_want_to_json(const struct vh_want *want)
{
	json_t *devices = json_array();

	for (int k = 0; k < VH_DEVICE_KINDS; k++) {
		const struct vh_want_devices *w = &want->devices[k];

		if (w->count)
			json_array_append_new(devices, json_pack("{s:s, s:b, s:i, s:s}", "kind",
				vh_device_kind_name((enum vh_device_kind)k), "vf", w->vf, "count", (int)w->count,
				"affinity", affinities[w->affinity]));
	}
	return json_pack("{s:s, s:i, s:I, s:o, s:s, s:i, s:s, s:b, s:i, s:o, s:o, s:i, s:i, s:s}", "name", want->name,
			 "vcpus", (int)want->vcpus, "memory", (json_int_t)want->memory, "page_size",
			 want->page == VH_PAGE_ANY ? json_string("any") : want->page == VH_PAGE_LARGE ?
			 json_string("large") : json_integer((json_int_t)want->page), "cpu_policy",
			 policies[want->policy], "dedicated", want->policy == VH_WANT_DEDICATED ? (int)want->vcpus :
			 (int)want->dedicated, "threads", threads[want->threads], "emulator_isolated",
			 want->emulator, "iothreads", (int)want->iothreads, "cells", cells_to_json(want), "devices",
			 devices, "pairs", (int)want->pairs, "vms", (int)want->vms, "place",
			 want->spread ? "spread" : "pack");
}
