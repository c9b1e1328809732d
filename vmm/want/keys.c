// SPDX-License-Identifier: Apache-2.0
/* What each key of a request means, there and back. */
#include "vmm/want/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/values.h"
#include "vmm/want/read.h"

enum { IOTHREADS_MAX = 64, VMS_MAX = 100000 };

static const char *const affinities[] = {
	[VH_AFFINITY_PREFERRED] = "preferred", [VH_AFFINITY_REQUIRED] = "required",
	[VH_AFFINITY_SOCKET] = "socket", [VH_AFFINITY_NONE] = "none", [VH_AFFINITY_LEGACY] = "legacy",
};
static const char *const policies[] = { "dedicated", "shared", "mixed" };
static const char *const thread_policies[] = { "prefer", "isolate", "require" };
static const char *const emulators[] = { "share", "isolate" };
static const char *const places[] = { "pack", "spread" };

static void write_text(json_t *doc, const char *key, const char *value)
{
	json_object_set_new(doc, key, json_string(value));
}

static void write_number(json_t *doc, const char *key, uint64_t value)
{
	json_object_set_new(doc, key, json_integer((json_int_t)value));
}

static int read_name(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	if (!vh_is_hostname(value))
		return vh_err_refuse(err, EINVAL, "'%.64s' is no host name", value);
	snprintf(in->want->name, sizeof(in->want->name), "%s", value);
	return 0;
}

static void write_name(const struct vh_want *want, json_t *doc)
{
	write_text(doc, "name", want->name);
}

static int read_vcpus(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	return vh_want_read_number("vCPUs", value, VH_VCPUS_MAX, &in->want->vcpus, err);
}

static void write_vcpus(const struct vh_want *want, json_t *doc)
{
	write_number(doc, "vcpus", want->vcpus);
}

static int read_memory(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	return vh_want_read_size("memory", value, &in->want->memory, err);
}

static void write_memory(const struct vh_want *want, json_t *doc)
{
	write_number(doc, "memory", want->memory);
}

static int read_page_size(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	uint64_t page = 0;
	int r;

	if (!strcmp(value, "any") || !strcmp(value, "large") || !strcmp(value, "small")) {
		in->want->page = value[0] == 'a' ? VH_PAGE_ANY : value[0] == 'l' ? VH_PAGE_LARGE : VH_PAGE_SMALL;
		return 0;
	}
	r = vh_want_read_size("page size", value, &page, err);
	if (r < 0)
		return r;
	if (page < VH_PAGE_SMALL || page & (page - 1)) {
		vh_err_refuse(err, EINVAL, "page size: '%.40s' is none", value);
		return vh_err_hint(err, "4K, 2M, 1G, small, large or any");
	}
	in->want->page = page;
	return 0;
}

static void write_page_size(const struct vh_want *want, json_t *doc)
{
	if (want->page == VH_PAGE_ANY || want->page == VH_PAGE_LARGE)
		write_text(doc, "page_size", want->page == VH_PAGE_ANY ? "any" : "large");
	else
		write_number(doc, "page_size", want->page);
}

/* "dedicated", "shared", "mixed:2"; of "mixed:0-1,3" the set is read when the vCPUs are known. */
static int read_cpu_policy(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	vh_autofree char *name = strndup(value, strcspn(value, ":"));
	int policy = 0, r;

	if (!name)
		return vh_err_nomem(err);
	r = vh_want_read_choice("CPU policy", name, policies, vh_array_len(policies), &policy, err);
	if (r < 0)
		return r;
	in->want->policy = (enum vh_want_policy)policy;
	value += strlen(name);
	if (policy != VH_WANT_MIXED && *value)
		return vh_err_refuse(err, EINVAL, "CPU policy: %s takes no number", name);
	if (policy == VH_WANT_MIXED && !*value)
		return vh_err_refuse(err, EINVAL, "CPU policy: mixed:N, or mixed:SET, says which vCPUs are dedicated");
	if (!*value || vh_want_is_set(value))
		return 0;
	return vh_want_read_number("CPU policy", value + 1, VH_VCPUS_MAX, &in->want->dedicated, err);
}

static void write_cpu_policy(const struct vh_want *want, json_t *doc)
{
	write_text(doc, "cpu_policy", policies[want->policy]);
	write_number(doc, "dedicated", want->policy == VH_WANT_DEDICATED ? want->vcpus : want->dedicated);
}

static int read_threads(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	int choice = 0, r = vh_want_read_choice("thread policy", value, thread_policies,
						     vh_array_len(thread_policies), &choice, err);

	if (r == 0)
		in->want->threads = (enum vh_thread_policy)choice;
	return r;
}

static void write_threads(const struct vh_want *want, json_t *doc)
{
	write_text(doc, "threads", thread_policies[want->threads]);
}

static int read_emulator(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	int choice = 0, r = vh_want_read_choice("emulator threads", value, emulators, vh_array_len(emulators),
						     &choice, err);

	in->want->emulator = choice;
	return r;
}

static void write_emulator(const struct vh_want *want, json_t *doc)
{
	json_object_set_new(doc, "emulator_isolated", json_boolean(want->emulator));
}

static int read_iothreads(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	return vh_want_read_number("I/O threads", value, IOTHREADS_MAX, &in->want->iothreads, err);
}

static void write_iothreads(const struct vh_want *want, json_t *doc)
{
	write_number(doc, "iothreads", want->iothreads);
}

static void write_numa(const struct vh_want *want, json_t *doc)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < want->n_cells; i++)
		json_array_append_new(cells, json_pack("{s:i, s:I}", "vcpus", (int)want->cells[i].vcpus, "memory",
						       (json_int_t)want->cells[i].memory));
	json_object_set_new(doc, "cells", cells);
}

static int read_device_kind(const char *name, int *ret_kind, bool *ret_vf, struct vh_err *err)
{
	static const char *const names[] = {
		"hca", "nic", "gpu", "nvme", "hca-vf", "nic-vf", "gpu-vf", "nvme-vf",
	};
	int r = vh_want_read_choice("device", name, names, vh_array_len(names), ret_kind, err);

	if (r < 0)
		return r;
	*ret_vf = *ret_kind >= VH_DEVICE_KINDS;
	*ret_kind %= VH_DEVICE_KINDS;
	return 0;
}

/* One of the list: "hca", "gpu:2", "hca-vf:1:required", "gpu:socket". */
static int read_device(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	vh_autofree char *copy = strdup(value);
	char *rest = copy, *name = strsep(&rest, ":"), *part;
	struct vh_want_devices w = { .count = 1 };
	int kind = 0, affinity = 0, r;

	if (!copy)
		return vh_err_nomem(err);
	r = read_device_kind(name, &kind, &w.vf, err);
	while (r == 0 && (part = strsep(&rest, ":"))) {
		if (*part >= '0' && *part <= '9') {
			r = vh_want_read_number("device", part, VH_PLAN_DEVICES_MAX, &w.count, err);
		} else {
			r = vh_want_read_choice("device affinity", part, affinities, vh_array_len(affinities), &affinity,
						     err);
			w.affinity = r < 0 ? w.affinity : (enum vh_affinity)affinity;
		}
	}
	if (r < 0)
		return r;
	if (in->want->devices[kind].count)
		return vh_err_refuse(err, EINVAL, "device: %s is asked for twice", vh_device_kind_name(
				     (enum vh_device_kind)kind));
	in->want->devices[kind] = w;
	return 0;
}

static void write_devices(const struct vh_want *want, json_t *doc)
{
	json_t *devices = json_array();

	for (int k = 0; k < VH_DEVICE_KINDS; k++) {
		const struct vh_want_devices *w = &want->devices[k];

		if (w->count)
			json_array_append_new(devices, json_pack("{s:s, s:b, s:i, s:s}", "kind",
				vh_device_kind_name((enum vh_device_kind)k), "vf", w->vf, "count", (int)w->count,
				"affinity", affinities[w->affinity]));
	}
	json_object_set_new(doc, "devices", devices);
}

static int read_pairs(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	return vh_want_read_number("pairs", value, VH_PLAN_DEVICES_MAX, &in->want->pairs, err);
}

static void write_pairs(const struct vh_want *want, json_t *doc)
{
	write_number(doc, "pairs", want->pairs);
}

static int read_vms(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	int r = vh_want_read_number("VMs", value, VMS_MAX, &in->want->vms, err);

	return r < 0 || in->want->vms ? r : vh_err_refuse(err, EINVAL, "VMs: 0 of them");
}

static void write_vms(const struct vh_want *want, json_t *doc)
{
	write_number(doc, "vms", want->vms);
}

static int read_place(const char *value, struct vh_want_reading *in, struct vh_err *err)
{
	int choice = 0, r = vh_want_read_choice("place", value, places, vh_array_len(places), &choice, err);

	in->want->spread = choice;
	return r;
}

static void write_place(const struct vh_want *want, json_t *doc)
{
	write_text(doc, "place", places[want->spread]);
}

/* --- the table */

#define ROW(member, kind, read, write, ...) \
	{ #member, VH_KEY_##kind, offsetof(struct vh_want_text, member), read, write },
#define NO_ROW(...)

/* What is read of flavor and image comes before (nova.c). */
static const struct {
	const char *key;
	enum vh_key_type type;
	size_t offset;
	int (*read)(const char *value, struct vh_want_reading *in, struct vh_err *err);
	void (*write)(const struct vh_want *want, json_t *doc);
} rows[] = { VH_WANT_KEYS(ROW, ROW, NO_ROW, ) };

/* Without the rest of its request: what vCPUs and memory are must not matter. */
int vh_want_check_value(const char *key, const char *value, struct vh_err *err)
{
	const struct vh_want_text text = { 0 };
	struct vh_want want = { .vcpus = VH_VCPUS_MAX, .memory = INT64_MAX, .page = VH_PAGE_SMALL };
	struct vh_want_reading in = { .text = &text, .want = &want };

	memset(in.sets.cell, VH_WANT_NO_CELL, sizeof(in.sets.cell));
	for (size_t i = 0; i < vh_array_len(rows); i++)
		if (!strcmp(rows[i].key, key))
			return rows[i].read(value, &in, err);
	return vh_err_set(err, EINVAL, "no key of a request");
}

int vh_want_read_keys(struct vh_want_reading *in, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(rows); i++) {
		const void *said = (const char *)in->text + rows[i].offset;

		if (rows[i].type == VH_KEY_STRV)
			for (char **one = *(char **const *)said; r == 0 && one && *one; one++)
				r = rows[i].read(*one, in, err);
		else if (*(char *const *)said)
			r = rows[i].read(*(char *const *)said, in, err);
	}
	return r;
}

json_t *vh_want_to_json(const struct vh_want *want)
{
	json_t *doc = json_object();

	for (size_t i = 0; i < vh_array_len(rows); i++)
		rows[i].write(want, doc);
	return doc;
}
