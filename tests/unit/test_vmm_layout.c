// SPDX-License-Identifier: Apache-2.0
/* Layouts: from plans of made-up hosts, as JSON, as the PCI tree, as what the guest is told. */
#include <errno.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "vmm/guest/guest.h"
#include "vmm/host/host.h"
#include "vmm/layout/layout.h"
#include "vmm/place/place.h"
#include "vmm/want/want.h"

#define GIB (1ULL << 30)

static struct vh_layout solve(const char *xml, const struct vh_want *want)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_cleanup(vh_left_clear) struct vh_left left = { 0 };
	vh_autoplan plan = NULL;
	struct vh_layout layout = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_host_load(NULL, xml, &host, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_left_init(&left, host, NULL), 0);
	ck_assert_int_eq(vh_solve(&left, want, 0, &plan), 0);
	ck_assert_ptr_nonnull(plan);
	ck_assert_int_eq(vh_plan_layout(host, plan, &layout), 0);
	return layout;
}

/* Two guest nodes on tests/fixtures/two-nodes.xml, each with a GPU and an HCA. */
static struct vh_layout twin(void)
{
	struct vh_want want = {
		.name = "twin", .vcpus = 4, .memory = GIB, .page = VH_PAGE_SMALL, .n_cells = 2,
		.cells = { { .vcpus = 2, .memory = GIB / 2 }, { .vcpus = 2, .memory = GIB / 2 } },
	};

	want.devices[VH_DEVICE_GPU].count = want.devices[VH_DEVICE_HCA].count = 2;
	return solve("tests/fixtures/two-nodes.xml", &want);
}

START_TEST(the_processor_is_the_one_that_its_cpus_have)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	const int cpus[] = { 0, 2, 1, 3 };

	ck_assert_uint_eq(l.sockets, 2);
	ck_assert_uint_eq(l.dies, 1);
	ck_assert_uint_eq(l.cores, 1);
	ck_assert_uint_eq(l.threads, 2);
	ck_assert_mem_eq(l.cpu, cpus, sizeof(cpus));
	ck_assert_uint_eq(l.distances[1], 21);
}
END_TEST

START_TEST(uneven_nodes_make_smaller_sockets)
{
	const struct vh_want want = {
		.name = "uneven", .vcpus = 6, .memory = 3 * GIB, .page = VH_PAGE_SMALL, .n_cells = 2,
		.cells = { { .vcpus = 4, .memory = 2 * GIB }, { .vcpus = 2, .memory = GIB } },
	};
	vh_cleanup(vh_layout_clear) struct vh_layout l = solve("tests/fixtures/eight-gpus.xml", &want);

	ck_assert_uint_eq(l.sockets, 3);
	ck_assert_uint_eq(l.cores * l.threads, 2);
}
END_TEST

START_TEST(json_there_and_back)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin(), back = { 0 };
	vh_autojson j = vh_layout_to_json(&l);
	vh_autojson again = NULL;
	vh_autoerr err = VH_ERR_NONE;

	memcpy(l.devices[0].mac, "06:00:00:00:00:01", 18);
	ck_assert_msg(vh_layout_from_json(j, &back, &err) == 0, "%s", err.text);
	again = vh_layout_to_json(&back);
	ck_assert(json_equal(j, again));
}
END_TEST

static void refused(const char *key, const char *value)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_autojson j = vh_layout_to_json(&l);
	struct vh_layout out;
	struct vh_err err = VH_ERR_NONE;

	json_object_set_new(j, key, json_loads(value, JSON_DECODE_ANY, NULL));
	ck_assert_msg(vh_layout_from_json(j, &out, &err) == -EINVAL, "%s: %s", key, value);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_ptr_eq(strstr(err.text, "plan: "), err.text);
	vh_err_clear(&err);
}

#define CELL(node, memory, vcpus, distances) \
	"{\"node\": " node ", \"memory\": " memory ", \"vcpus\": " vcpus ", \"distances\": " distances "}"
#define DEVICE(address, kind, cell) "{\"address\": \"" address "\", \"kind\": \"" kind "\", \"node\": 0, \"cell\": " cell \
	", \"bars\": 0, \"name\": null, \"pf\": null, \"switch\": null}"

START_TEST(json_that_does_not_hold_together)
{
	static const char *const bad[][2] = {
		{ "page_size", "1000" }, { "page_size", "null" }, { "page_size", "-4096" }, { "page_size", "3221225472" },
		{ "pins", "[]" }, { "pins", "[0, 0, 1, 3]" }, { "pins", "[0, 2, 1]" }, { "pins", "[0, 2, 1, -3]" },
		{ "pins", "[0, 2, 1, null]" }, { "pins", "[0, 2, 1, 99999999]" }, { "pins", "{}" },
		{ "held", "[0]" }, { "held", "null" }, { "emulator", "2" }, { "emulator", "true" }, { "floating", "[1]" },
		{ "iothreads", "65" }, { "iothreads", "-1" }, { "topology", "{}" },
		{ "topology", "{\"sockets\": 2, \"dies\": 1, \"cores\": 2, \"threads\": 2}" },
		{ "topology", "{\"sockets\": 0, \"dies\": 1, \"cores\": 2, \"threads\": 2}" },
		{ "cells", "[]" }, { "cells", "[" CELL("0", "1048576", "[0, 1, 2]", "[10]") "]" },
		{ "cells", "[" CELL("0", "1048576", "[0, 1, 2, 4]", "[10]") "]" },
		{ "cells", "[" CELL("0", "1048576", "[0, 1, 2, 3, 3]", "[10]") "]" },
		{ "cells", "[" CELL("0", "0", "[0, 1, 2, 3]", "[10]") "]" },
		{ "cells", "[" CELL("0", "9223372036854775807", "[0, 1, 2, 3]", "[10]") "]" },
		{ "cells", "[" CELL("4096", "1048576", "[0, 1, 2, 3]", "[10]") "]" },
		{ "cells", "[" CELL("0", "1048576", "[0, 1, 2, 3]", "[11]") "]" },
		{ "cells", "[" CELL("0", "1048576", "[0, 1, 2, 3]", "[10, 20]") "]" },
		{ "devices", "{}" }, { "devices", "[" DEVICE("../../etc", "gpu", "0") "]" },
		{ "devices", "[" DEVICE("0000:01:00.8", "gpu", "0") "]" }, { "devices", "[" DEVICE("0000:01:00.0", "cpu", "0") "]" },
		{ "devices", "[" DEVICE("0000:01:00.0", "gpu", "2") "]" },
		{ "devices", "[" DEVICE("0000:01:00.0", "gpu", "0") "," DEVICE("0000:01:00.0", "gpu", "0") "]" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++)
		refused(bad[i][0], bad[i][1]);
}
END_TEST

START_TEST(devices_hang_on_their_guest_node_and_switch)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };
	char address[20];

	/* Those of node 0 on a switch, those of node 1 on a port each. */
	ck_assert_int_eq(vh_guest_pci(&l, &pci), 0);
	ck_assert_uint_eq(pci.n_ports, 8);
	ck_assert_uint_eq(pci.ports[0].model, VH_PORT_EXPANDER);
	ck_assert_uint_eq(pci.ports[2].model, VH_PORT_UPSTREAM);
	ck_assert_uint_eq(pci.ports[pci.on[0] - 1].model, VH_PORT_DOWNSTREAM);
	ck_assert_uint_eq(pci.ports[pci.on[0] - 1].on, pci.ports[pci.on[1] - 1].on);
	ck_assert_uint_eq(pci.ports[pci.on[2] - 1].model, VH_PORT_ROOT);
	ck_assert_str_eq(vh_guest_address(&pci, 3, address), "0000:ff:00.0");
	ck_assert_uint_eq(pci.hole, 0);
}
END_TEST

START_TEST(the_window_holds_all_bars)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };

	l.devices[2].bars = l.devices[3].bars = 128 * GIB + (32 << 20);
	ck_assert_int_eq(vh_guest_pci(&l, &pci), 0);
	ck_assert_uint_eq(pci.hole, 512 * GIB);
}
END_TEST

START_TEST(as_many_devices_as_there_can_be)
{
	struct vh_layout_device devices[VH_PLAN_DEVICES_MAX] = { { .cell = 0 } };
	struct vh_layout l = { .n_cells = 1, .devices = devices, .n_devices = VH_PLAN_DEVICES_MAX };
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };

	ck_assert_int_eq(vh_guest_pci(&l, &pci), 0);
	ck_assert_uint_eq(pci.n_ports, 1 + VH_PLAN_DEVICES_MAX);
	for (size_t i = 1; i < pci.n_ports; i++) {
		ck_assert_uint_lt(pci.ports[i].slot, 32);
		ck_assert_uint_lt(pci.ports[i].function, 8);
		ck_assert_uint_gt(pci.ports[i].bus, pci.ports[i - 1].bus);
	}
	ck_assert_uint_eq(pci.bus[VH_PLAN_DEVICES_MAX - 1], 255);
}
END_TEST

static json_t *compare(const struct vh_layout *l, const char *xml)
{
	vh_autofree char *dir = unit_tmpdir(), *path = unit_file(dir, "guest.xml", xml);
	vh_autoerr err = VH_ERR_NONE;
	vh_autofindings found = VH_FINDINGS_NONE;
	json_t *rows = NULL;

	ck_assert_msg(vh_guest_compare(l, "g", path, &found, &err) == 0, "%s", err.text);
	ck_assert_int_eq(vh_findings_end(&found, &rows, &err), 0);
	return rows;
}

static size_t count_wrong(const json_t *rows)
{
	const json_t *row;
	size_t i, n = 0;

	json_array_foreach(rows, i, row)
		n += vh_finding_is(row, VH_WRONG);
	return n;
}

START_TEST(hwloc_reads_what_the_guest_is_told)
{
	static const char *const hosts[] = { "tests/fixtures/two-nodes.xml", "tests/fixtures/eight-gpus.xml" };

	for (size_t i = 0; i < vh_array_len(hosts); i++)
		for (unsigned cells = 0; cells <= 2; cells++) {
			struct vh_want want = { .name = "g", .vcpus = cells == 1 ? 2 : 4, .memory = GIB, .page = VH_PAGE_SMALL, .n_cells = cells,
						.cells = { { .vcpus = 2, .memory = GIB / (cells ? cells : 1) }, { .vcpus = 2, .memory = GIB / 2 } } };
			vh_cleanup(vh_layout_clear) struct vh_layout l = { 0 };
			vh_autofree char *xml = NULL;
			vh_autojson rows = NULL;

			want.devices[VH_DEVICE_HCA].count = 2;
			l = solve(hosts[i], &want);
			ck_assert_int_eq(vh_guest_hwloc(&l, &xml), 0);
			rows = compare(&l, xml);
			ck_assert_msg(count_wrong(rows) == 0, "%s, %u: %s\n%s", hosts[i], cells, json_dumps(rows, 0), xml);
		}
}
END_TEST

/* What hwloc printed inside a VM of that plan, emulated: its threads are cores. */
START_TEST(a_guest_that_ran_is_as_planned)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_autofindings found = VH_FINDINGS_NONE;
	vh_autoerr err = VH_ERR_NONE;

	l.cores = 2;
	l.threads = 1;
	ck_assert_msg(vh_guest_compare(&l, "g", "tests/fixtures/two-nodes-guest.xml", &found, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(found.count[VH_OK], 11);
	ck_assert_uint_eq(json_array_size(found.rows), 11);
}
END_TEST

START_TEST(another_guest_is_told_apart)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_autofree char *xml = NULL;
	vh_autojson rows = NULL;

	ck_assert_int_eq(vh_guest_hwloc(&l, &xml), 0);
	l.distances[1] = 31;
	l.devices[0].cell = 1;
	l.cells[1].memory *= 2;
	l.cell[0] = 1;
	l.threads = 1;
	l.cores = 2;
	rows = compare(&l, xml);
	ck_assert_uint_ge(count_wrong(rows), 6);
}
END_TEST

START_TEST(nccl_is_told_of_switches_and_nodes)
{
	vh_cleanup(vh_layout_clear) struct vh_layout l = twin();
	vh_autofree char *xml = NULL;
	static const char *const parts[] = {
		"<cpu numaid=\"0\" affinity=\"00000003\" arch=\"x86_64\">", "<cpu numaid=\"1\" affinity=\"0000000c\" arch=\"x86_64\">",
		"class=\"0x060400\">", "class=\"0x030200\"/>", "<pci busid=\"0000:ff:00.0\" class=\"0x020700\"/>",
	};

	ck_assert_int_eq(vh_guest_nccl(&l, &xml), 0);
	for (size_t i = 0; i < vh_array_len(parts); i++)
		ck_assert_msg(strstr(xml, parts[i]), "%s is not in\n%s", parts[i], xml);
	/* Only the two of one switch are below one. */
	ck_assert_ptr_eq(strstr(strstr(xml, "0x060400") + 1, "0x060400"), NULL);
}
END_TEST

UNIT_SUITE(vmm_layout, the_processor_is_the_one_that_its_cpus_have, uneven_nodes_make_smaller_sockets, json_there_and_back,
	   json_that_does_not_hold_together, devices_hang_on_their_guest_node_and_switch, the_window_holds_all_bars,
	   as_many_devices_as_there_can_be, hwloc_reads_what_the_guest_is_told, a_guest_that_ran_is_as_planned, another_guest_is_told_apart,
	   nccl_is_told_of_switches_and_nodes)
