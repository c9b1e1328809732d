// SPDX-License-Identifier: Apache-2.0
/* vhpc vm plan: where VMs would go, and why. It changes nothing. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/json.h"
#include "lib/show/table.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/cli/cli.h"
#include "vmm/draw/draw.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"

#define OPTION(name, member, arg, help) \
	{ name, 0, VH_OPT_STR, offsetof(struct vh_plan_opts, member), arg, help }

const struct vh_opt vh_plan_options[] = {
	OPTION("host", host, "HOST", "live, an hwloc XML file, or a captured host's directory"),
	OPTION("hosts", hosts, "DIR|HOSTLIST", "such files in a directory, or hosts over ssh as node[01-16], to choose from"),
	OPTION("timeout", timeout, "SECONDS", "how long a host of a list has to answer (default 15)"),
	VH_WANT_OPTIONS(offsetof(struct vh_plan_opts, want))
	VH_WANT_PLAN_OPTIONS(offsetof(struct vh_plan_opts, want))
	OPTION("reserve", reserve, "CPUS", "CPUs that are kept for the host"),
	OPTION("svg", svg, "FILE", "draw the host and the VM"),
	{ "explain", 0, VH_OPT_FLAG, offsetof(struct vh_plan_opts, explain), NULL,
	  "say why there, and what each alternative lacks" },
	{ 0 },
};

struct planning {
	struct vh_plan_hosts on;
	struct vh_want want;
	struct vh_fleet *fleet;
	json_t *rows;
};

static void planning_clear(struct planning *p)
{
	vh_fleet_free(p->fleet);
	vh_plan_hosts_clear(&p->on);
	json_decref(p->rows);
}

/* --- hosts */

static int load_hosts(const struct vh_cli *cli, struct planning *p, struct vh_err *err)
{
	const struct vh_plan_opts *o = cli->opts;
	int r;

	if (o->host && o->hosts)
		return vh_err_usage(err, "--host and --hosts exclude each other");
	if (o->timeout && !o->hosts)
		return vh_err_usage(err, "--timeout goes with --hosts");
	if (o->hosts)
		return vh_load_hosts(cli, o->hosts, o->timeout, o->reserve, &p->on, err);
	p->on.hosts = calloc(1, sizeof(*p->on.hosts));
	if (!p->on.hosts)
		return vh_err_nomem(err);
	r = vh_load_host(cli, o->host, o->reserve, p->on.hosts, err);
	p->on.n = r == 0;
	return r;
}

static int make_fleet(struct planning *p, struct vh_err *err)
{
	p->fleet = vh_fleet_new(p->on.n);
	if (!p->fleet)
		return vh_err_nomem(err);
	for (size_t i = 0; i < p->on.n; i++)
		vh_fleet_adopt(p->fleet, i, p->on.hosts[i].name, &p->on.hosts[i].left);
	return 0;
}

/* --- placing */

static int refuse_vm(const struct planning *p, const char *name, unsigned placed, struct vh_err *err)
{
	struct vh_want want = p->want;

	snprintf(want.name, sizeof(want.name), "%s", name);
	vh_fleet_refuse(p->fleet, &want, err);
	return placed ? vh_err_within(err, "%u of %u VMs are placed", placed, want.vms) : -err->num;
}

static int draw_plan(const struct vh_plan_opts *o, const struct planning *p, const char *name, size_t host,
		     const struct vh_plan *plan, struct vh_err *err)
{
	vh_autofree char *title = vh_strf("%s on %s", name, p->on.hosts[host].name);

	return title ? vh_plan_svg(o->svg, title, vh_fleet_left(p->fleet, host), plan, err) : vh_err_nomem(err);
}

static void print_score(const struct vh_plan *plan)
{
	printf("why here:");
	for (int i = 0; i < VH_SCORES; i++)
		printf("%s %s %lld", i ? "," : "", vh_score_names[i],
		       (long long)(i == VH_SCORE_HOLE || i == VH_SCORE_HOLES ? -plan->score[i] : plan->score[i]));
	printf("\n");
}

/* Whether two choices, of as many nodes, end the same way. */
static bool ends_alike(const json_t *a, const json_t *b)
{
	return json_array_size(json_object_get(a, "nodes")) == json_array_size(json_object_get(b, "nodes")) &&
	       json_equal(json_object_get(a, "fits"), json_object_get(b, "fits")) &&
	       json_equal(json_object_get(a, "why"), json_object_get(b, "why"));
}

/* One line for choices that follow each other and end the same way. */
static json_t *join_others(const json_t *others)
{
	json_t *rows = json_array();
	size_t n = json_array_size(others);

	for (size_t i = 0, next; i < n; i = next) {
		const json_t *first = json_array_get(others, i);
		json_t *row = json_copy((json_t *)first);

		for (next = i + 1; next < n && ends_alike(first, json_array_get(others, next));)
			next++;
		if (next > i + 1)
			json_object_set_new(row, "choices", json_integer((json_int_t)(next - i)));
		if (next > i + 1)
			json_object_set(row, "to", json_object_get(json_array_get(others, next - 1), "nodes"));
		json_array_append_new(rows, row);
	}
	return rows;
}

static void print_others(const json_t *others)
{
	static const struct vh_col columns[] = {
		{ "OTHER NODES", "nodes", VH_COL_TEXT }, { "TO", "to", VH_COL_TEXT }, { "CHOICES", "choices", VH_COL_RIGHT },
		{ "FITS", "fits", VH_COL_BOOL }, { "WHY NOT", "why", VH_COL_TEXT }, { NULL, NULL, 0 },
	};
	vh_autojson rows = join_others(others);

	if (json_array_size(rows))
		vh_table_print(stdout, columns, rows);
}

/* The vCPUs and host CPUs of each guest node as lists. */
static json_t *table_rows(const json_t *plan)
{
	json_t *rows = json_array(), *cell;
	size_t i;

	json_array_foreach(json_object_get(plan, "cells"), i, cell) {
		const json_t *vcpus = json_object_get(cell, "vcpus"), *pins = json_object_get(plan, "pins");
		size_t n = json_array_size(vcpus), own = 0;
		vh_autofree unsigned *ids = calloc(n + 1, sizeof(*ids)), *cpus = calloc(n + 1, sizeof(*cpus));
		vh_autofree char *v = NULL, *c = NULL;

		for (size_t k = 0; ids && cpus && k < n; k++) {
			const json_t *pin;

			ids[k] = (unsigned)json_integer_value(json_array_get(vcpus, k));
			pin = json_array_get(pins, ids[k]);
			if (json_is_integer(pin))
				cpus[own++] = (unsigned)json_integer_value(pin);
		}
		v = ids && n ? vh_cpu_list(ids, n) : NULL;
		c = cpus && own ? vh_cpu_list(cpus, own) : NULL;
		json_array_append_new(rows, json_pack("{s:O, s:O, s:O, s:O, s:s?, s:s}", "cell",
			json_object_get(cell, "cell"), "node", json_object_get(cell, "node"), "memory",
			json_object_get(cell, "memory"), "page", json_object_get(plan, "page_size"), "vcpus", v,
			"cpus", c ? c : "shared"));
	}
	return rows;
}

static void print_plan(const char *name, const char *host, const json_t *plan)
{
	static const struct vh_col cells[] = {
		{ "GUEST NODE", "cell", VH_COL_TEXT }, { "NODE", "node", VH_COL_TEXT }, { "MEMORY", "memory", VH_COL_SIZE },
		{ "PAGES", "page", VH_COL_SIZE }, { "VCPUS", "vcpus", VH_COL_TEXT }, { "CPUS", "cpus", VH_COL_TEXT },
		{ NULL, NULL, 0 },
	};
	static const struct vh_col devices[] = {
		{ "DEVICE", "address", VH_COL_TEXT }, { "KIND", "kind", VH_COL_TEXT }, { "NAME", "name", VH_COL_TEXT },
		{ "NODE", "node", VH_COL_TEXT }, { "SWITCH", "switch", VH_COL_TEXT }, { NULL, NULL, 0 },
	};
	vh_autojson rows = table_rows(plan);

	printf("%s on %s\n", name, host);
	vh_table_print(stdout, cells, rows);
	if (json_array_size(json_object_get(plan, "devices")))
		vh_table_print(stdout, devices, json_object_get(plan, "devices"));
}

static int report_vm(const struct vh_cli *cli, struct planning *p, const char *name, size_t host,
		     struct vh_plan *plan, struct vh_err *err)
{
	const struct vh_plan_opts *o = cli->opts;
	const struct vh_left *left = vh_fleet_left(p->fleet, host);
	vh_autojson doc = vh_plan_to_json(left->host, plan);
	vh_autojson others = NULL;
	int r = 0;

	/* All that is said is said of the host as it was before. */
	vh_fleet_remove(p->fleet, host, plan);
	if (o->explain)
		others = vh_explain_others(left, &p->want, plan);
	if (o->svg)
		r = draw_plan(o, p, name, host, plan, err);
	if (r == 0 && !cli->json) {
		print_plan(name, p->on.hosts[host].name, doc);
		if (p->want.vms <= 1)
			vh_plan_picture(stdout, left, plan);
		if (o->explain) {
			print_score(plan);
			print_others(others);
		}
	}
	vh_fleet_take(p->fleet, host, plan);
	if (others)
		json_object_set(doc, "others", others);
	json_object_set_new(doc, "name", json_string(name));
	json_object_set_new(doc, "host", json_string(p->on.hosts[host].name));
	json_array_append(p->rows, doc);
	return r;
}

static int place_all(const struct vh_cli *cli, struct planning *p, struct vh_err *err)
{
	unsigned n = p->want.vms ? p->want.vms : 1;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		vh_autofree char *name = n > 1 ? vh_strf("%s-%u", p->want.name, i + 1) : strdup(p->want.name);
		vh_autoplan plan = NULL;
		size_t host = 0;

		if (!name || vh_fleet_place(p->fleet, &p->want, &host, &plan) < 0)
			return vh_err_nomem(err);
		r = plan ? report_vm(cli, p, name, host, plan, err) : refuse_vm(p, name, i, err);
	}
	return r;
}

int vh_verb_plan(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(planning_clear) struct planning p = { .rows = json_array() };
	const struct vh_plan_opts *o = cli->opts;
	int r = vh_want_from_opts(&o->want, &p.want, err);

	if (r == 0 && o->svg && p.want.vms > 1)
		r = vh_err_usage(err, "--svg draws one VM");
	if (r == 0)
		r = load_hosts(cli, &p, err);
	if (r == 0)
		r = make_fleet(&p, err);
	if (r == 0)
		r = place_all(cli, &p, err);
	if (r < 0 || !cli->json)
		return r;
	return vh_json_print("vhpc.vm.plan/1", json_pack("{s:o, s:O, s:O*}", "request", vh_want_to_json(&p.want), "vms",
							 p.rows, "unreachable", p.on.unreachable), err);
}
