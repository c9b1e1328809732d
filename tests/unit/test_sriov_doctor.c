// SPDX-License-Identifier: Apache-2.0
/* What the doctor finds at each step, and GPUs with what they bring along. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/change/change.h"
#include "sriov/doctor/doctor.h"
#include "sriov/function/function.h"
#include "sriov/inventory/inventory.h"
#include "sriov/inventory/nvml.h"
#include "sriov/pci/pci.h"
#include "tests/unit/sriov_fake.h"
#include "tests/unit/unit.h"

#define NIC_PATH "pci0000:3a/0000:3a:02.0/0000:3b:00.0"
#define NIC "0000:3b:00.0"
#define HCA_PATH "pci0000:5d/0000:5d:00.0/0000:5e:00.0"
#define HCA "0000:5e:00.0"
#define PORT "sys/devices/" HCA_PATH "/infiniband/mlx5_0/ports/1"

static json_t *examine(struct fake *f, const char *device)
{
	vh_autofindings found = VH_FINDINGS_NONE;
	json_t *rows = NULL;

	OK(vh_sriov_doctor_with(f->s, device, &found, oe));
	OK(vh_findings_end(&found, &rows, oe));
	return rows;
}

/* The finding of that step as "state: found (mend)". */
static char *finding(const json_t *rows, const char *device, const char *step)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *mend = json_string_value(json_object_get(row, "mend"));

		if (!strcmp(vh_finding_text(row, "object"), device) &&
		    !strcmp(vh_finding_text(row, "check"), step))
			return vh_strf("%s: %s%s%s%s", vh_finding_text(row, "verdict"),
				       json_string_value(json_object_get(row, "found")), mend ? " (" : "",
				       mend ? mend : "", mend ? ")" : "");
	}
	return strdup("none");
}

#define FINDS(rows, device, step, want) do { \
		vh_autofree char *is_ = finding(rows, device, step); \
		ck_assert_str_eq(is_, want); \
	} while (0)

static void hca(struct fake *f)
{
	fake_pf(f, HCA_PATH, "ib0", true, 8);
	fake_file(f, "4: ACTIVE", PORT "/state");
	fake_file(f, "InfiniBand", PORT "/link_layer");
	fake_file(f, "0x1", PORT "/sm_lid");
	fake_file(f, "0xffff", PORT "/pkeys/0");
	fake_file(f, "0x0000", PORT "/pkeys/1");
	fake_file(f, "0c42:a103:0000:0002", "sys/devices/" HCA_PATH "/infiniband/mlx5_0/node_guid");
	OK(vh_sriov_create(f->s, HCA, 2, -1, oe));
	for (int i = 0; i < 2; i++) {
		vh_autofree char *guid = vh_strf("02:00:00:00:00:00:00:0%d", i + 1);
		vh_autofree char *vf = vh_strf(HCA "/%d", i);
		const struct vh_sriov_attr attrs[] = { { "node-guid", guid }, { "port-guid", guid } };

		OK(vh_sriov_set(f->s, vf, attrs, 2, oe));
	}
}

START_TEST(all_is_well)
{
	vh_autojson rows = NULL;
	vh_autojson vf = NULL;

	FAKE(f);
	hca(&f);
	rows = examine(&f, NULL);
	FINDS(rows, HCA, "firmware", "ok: it offers 8 VFs");
	FINDS(rows, HCA, "driver", "ok: mlx5_core");
	FINDS(rows, HCA, "VFs", "ok: 2 of 8");
	FINDS(rows, HCA, "IOMMU", "ok: 3 groups");
	FINDS(rows, HCA, "group, vfio, guid", "ok: 2 of 2 VFs");
	FINDS(rows, HCA, "subnet manager", "ok: mlx5_0 port 1: at LID 1");
	FINDS(rows, HCA, "P_Key", "ok: mlx5_0 port 1: 1 full, 0 limited");
	FINDS(rows, HCA, "port", "ok: mlx5_0 port 1: ACTIVE");
	ck_assert_uint_eq(json_array_size(rows), 8);
	OK(vh_sriov_bind(f.s, HCA "/1", "vfio-pci", oe));
	vf = examine(&f, HCA "/1");
	FINDS(vf, "0000:5e:00.2", "group", "ok: group 101, of 1");
	FINDS(vf, "0000:5e:00.2", "vfio", "ok: vfio-pci has it");
	FINDS(vf, "0000:5e:00.2", "guid", "ok: 02:00:00:00:00:00:00:02");
}
END_TEST

START_TEST(each_step_can_be_wrong)
{
	vh_autojson rows = NULL;

	FAKE(f);
	hca(&f);
	OK(vh_lease_take(f.s->store, "vf", "0000:5e:00.1", "vm/a", 0, oe));
	f.shared->pf[0].vf[1].value[VH_FN_PORT_GUID] = 0;
	fake_file(&f, "1: DOWN", PORT "/state");
	fake_file(&f, "2: Polling", PORT "/phys_state");
	fake_file(&f, "0x0", PORT "/sm_lid");
	fake_file(&f, "0x7fff", PORT "/pkeys/0");
	fake_device(&f, "pci0000:5d/0000:5d:00.0/0000:5f:00.0", "0x060400", "pcieport", 100);
	rows = examine(&f, HCA);
	FINDS(rows, "0000:5e:00.1", "group", "wrong: group 100 holds the bridge 0000:5f:00.0 "
	      "(another slot, or ACS turned on in the firmware)");
	FINDS(rows, "0000:5e:00.1", "vfio", "wrong: leased to a VM, and mlx5_core has it "
	      "(vhpc sriov bind 0000:5e:00.1 vfio-pci)");
	FINDS(rows, "0000:5e:00.2", "guid", "wrong: its port-guid is all zero "
	      "(vhpc sriov set 0000:5e:00.2 --node-guid GUID --port-guid GUID)");
	FINDS(rows, HCA, "subnet manager", "wrong: mlx5_0 port 1 knows none "
	      "(opensm in the fabric, with virt_enabled 2 for VFs; then ibstat)");
	FINDS(rows, HCA, "P_Key", "wrong: mlx5_0 port 1: 1, all limited: such members do not reach each other "
	      "(make its GUID a full member in OpenSM's partitions.conf, then SIGHUP to opensm)");
	FINDS(rows, HCA, "port", "wrong: mlx5_0 port 1: 1: DOWN, physically 2: Polling "
	      "(cable and switch port; on a VF: vhpc sriov set VF --policy follow, and a GUID)");
	f.shared->pf[0].vf[1].value[VH_FN_PORT_GUID] = f.shared->pf[0].vf[0].value[VH_FN_NODE_GUID];
	json_decref(rows);
	rows = examine(&f, HCA);
	FINDS(rows, "0000:5e:00.2", "guid", "wrong: 0000:5e:00.1 has the same port-guid "
	      "(vhpc sriov set 0000:5e:00.2 --node-guid GUID --port-guid GUID)");
}
END_TEST

START_TEST(firmware_driver_and_number)
{
	vh_autojson rows = NULL;
	vh_autojson none = NULL;

	FAKE(f);
	fake_pf(&f, NIC_PATH, "ens1", false, 8);
	none = examine(&f, NULL);
	ck_assert_uint_eq(json_array_size(none), 0);
	rows = examine(&f, NIC);
	FINDS(rows, NIC, "VFs", "wrong: none of 8 is made (vhpc sriov create " NIC " -n 8)");
	FINDS(rows, NIC, "port", "ok: ens1: up");
	OK(vh_sriov_create(f.s, NIC, 3, -1, oe));
	ck_assert_int_eq(f.s->ops->write(&f, f.root, "sys/bus/pci/devices/" NIC "/sriov_numvfs", "0"), 0);
	ck_assert_int_eq(f.s->ops->write(&f, f.root, "sys/bus/pci/devices/" NIC "/driver/unbind", NIC), 0);
	fake_file(&f, "down", "sys/devices/" NIC_PATH "/net/ens1/operstate");
	json_decref(rows);
	rows = examine(&f, NULL);
	FINDS(rows, NIC, "VFs", "wrong: 0, and 3 are wanted (vhpc sriov restore)");
	FINDS(rows, NIC, "driver", "wrong: none is bound (vhpc sriov release " NIC ")");
	FINDS(rows, NIC, "port", "wrong: ens1: down (ip link set ens1 up; cable and switch port)");
	fake_file(&f, "0", "sys/devices/" NIC_PATH "/sriov_totalvfs");
	json_decref(rows);
	rows = examine(&f, NIC);
	FINDS(rows, NIC, "firmware", "wrong: it offers no VFs (mstconfig -d " NIC
	      " set SRIOV_EN=1 NUM_OF_VFS=16, then reboot)");
}
END_TEST

/* --- configuration space */

static void put_word(uint8_t *bytes, unsigned at, unsigned v)
{
	bytes[at] = (uint8_t)v;
	bytes[at + 1] = (uint8_t)(v >> 8);
}

struct space { bool ats, ats_on, ordering, acs, redirect, translated; };

static void config(const struct fake *f, const char *address, struct space s)
{
	vh_autofree char *path = vh_strf("%s/sys/bus/pci/devices/%s/config", f->dir, address);
	uint8_t bytes[VH_CONFIG_SIZE] = { 0xde, 0x10 };
	FILE *out = fopen(path, "we");

	put_word(bytes, 0x06, 0x10);
	put_word(bytes, 0x34, 0x40);
	put_word(bytes, 0x40, 0x6001);
	put_word(bytes, 0x60, VH_CAP_EXPRESS);
	put_word(bytes, 0x68, s.ordering ? 0x10 : 0);
	put_word(bytes, 0x100, s.ats ? VH_ECAP_ATS : 0x0001);
	put_word(bytes, 0x102, 0x1481);
	put_word(bytes, 0x106, s.ats_on ? 0x8000 : 0);
	put_word(bytes, 0x148, s.acs ? VH_ECAP_ACS : 0x0003);
	put_word(bytes, 0x14a, 0x0001);
	put_word(bytes, 0x14e, (s.redirect ? 4 : 0) | (s.translated ? 0x40 : 0));
	ck_assert(out && fwrite(bytes, sizeof(bytes), 1, out) == 1 && fclose(out) == 0);
}

#define UP "pci0000:40/0000:40:01.0/0000:41:00.0/"
#define GPU "0000:43:00.0"
#define NEAR "0000:45:00.0"

static void pair(const struct fake *f)
{
	fake_driver(f, "nvidia");
	fake_device(f, "pci0000:40/0000:40:01.0", "0x060400", "pcieport", 1);
	fake_device(f, "pci0000:40/0000:40:01.0/0000:41:00.0", "0x060400", "pcieport", 2);
	fake_device(f, UP "0000:42:00.0", "0x060400", "pcieport", 3);
	fake_device(f, UP "0000:42:01.0", "0x060400", "pcieport", 4);
	fake_device(f, UP "0000:42:00.0/" GPU, "0x030200", NULL, -1);
	fake_device(f, UP "0000:42:01.0/" NEAR, "0x020700", NULL, -1);
	fake_file(f, "", "sys/kernel/iommu_groups/9/devices/" GPU);
	fake_file(f, "", "sys/kernel/iommu_groups/9/devices/0000:43:00.1");
	fake_link(f, "../../../../../../kernel/iommu_groups/9", "sys/devices/" UP "0000:42:00.0/" GPU "/iommu_group");
}

START_TEST(a_gpu_and_its_hca)
{
	vh_autojson rows = NULL;

	FAKE(f);
	pair(&f);
	config(&f, GPU, (struct space){ .ats = true, .ordering = true });
	config(&f, NEAR, (struct space){ .ats = true, .ats_on = true });
	config(&f, "0000:42:00.0", (struct space){ .acs = true, .redirect = true, .translated = true });
	config(&f, "0000:42:01.0", (struct space){ .acs = true });
	rows = examine(&f, GPU);
	FINDS(rows, GPU, "root complex", "ok: HCA " NEAR " shares a port with it");
	FINDS(rows, GPU, "ATS", "wrong: off (mstconfig -d " GPU " set ATS_ENABLED=true, then reboot)");
	FINDS(rows, NEAR, "ATS", "ok: on");
	FINDS(rows, GPU, "ACS", "wrong: 0000:42:00.0 sends the pair's traffic up to the root complex "
	      "(setpci -s 0000:42:00.0 ECAP_ACS+6.w=0040:0040, and ATS on in both; or ACS off)");
	FINDS(rows, GPU, "relaxed ordering", "ok: on");
	FINDS(rows, NEAR, "relaxed ordering", "wrong: off (setpci -s " NEAR " CAP_EXP+8.w=0010:0010)");
	config(&f, GPU, (struct space){ .ats = true, .ats_on = true, .ordering = true });
	json_decref(rows);
	rows = examine(&f, GPU);
	FINDS(rows, GPU, "ACS", "ok: 0000:42:00.0 lets what ATS translated go directly");
}
END_TEST

START_TEST(a_far_hca_and_unreadable_space)
{
	vh_autojson rows = NULL;

	FAKE(f);
	hca(&f);
	fake_device(&f, "pci0000:40/0000:40:01.0/" GPU, "0x030200", NULL, 9);
	fake_file(&f, "0", "sys/bus/pci/devices/" GPU "/numa_node");
	fake_file(&f, "1", "sys/bus/pci/devices/" HCA "/numa_node");
	rows = examine(&f, GPU);
	FINDS(rows, GPU, "root complex", "wrong: HCA " HCA " is across the link between processors "
	      "(a slot of the GPU's root complex for the HCA)");
	FINDS(rows, GPU, "ACS", "unknown: no switch joins it with HCA " HCA);
	FINDS(rows, GPU, "ATS", "unknown: its configuration space cannot be read whole: run as root");
}
END_TEST

START_TEST(damaged_configuration_space_ends)
{
	struct vh_config c = { .len = VH_CONFIG_SIZE };

	memset(c.bytes, 0xff, sizeof(c.bytes));
	ck_assert_uint_eq(vh_config_cap(&c, 0x10), 0);
	ck_assert_uint_eq(vh_config_ecap(&c, VH_ECAP_ATS), 0);
	memset(c.bytes, 0, sizeof(c.bytes));
	put_word(c.bytes, 0x06, 0x10);
	put_word(c.bytes, 0x34, 0x40);
	put_word(c.bytes, 0x40, 0x4001);
	put_word(c.bytes, 0x100, 0x0001);
	put_word(c.bytes, 0x102, 0x1001);
	ck_assert_uint_eq(vh_config_cap(&c, 0x10), 0);
	ck_assert_uint_eq(vh_config_ecap(&c, VH_ECAP_ATS), 0);
	c.len = 0x102;
	ck_assert_uint_eq(vh_config_ecap(&c, VH_ECAP_ATS), 0);
}
END_TEST

START_TEST(a_gpu_shows_what_it_brings_along)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson row = NULL;
	vh_autofree char *text = NULL;

	FAKE(f);
	pair(&f);
	fake_file(&f, "0x0000380000000000 0x0000380000ffffff 0x000000000014220c\n"
		  "0x0000390000000000 0x000039ffffffffff 0x000000000014220c", "sys/bus/pci/devices/" GPU "/resource");
	fake_file(&f, "GRID P40-1Q", "sys/bus/pci/devices/" GPU "/mdev_supported_types/nvidia-63/name");
	fake_file(&f, "24", "sys/bus/pci/devices/" GPU "/mdev_supported_types/nvidia-63/available_instances");
	fake_file(&f, "vfio-pci", "sys/bus/pci/devices/" GPU "/mdev_supported_types/nvidia-63/device_api");
	ck_assert_int_eq(vh_sriov_show(f.root, GPU, &row, &err), 0);
	ck_assert_str_eq(json_string_value(json_object_get(row, "hca")), NEAR);
	ck_assert_str_eq(json_string_value(json_object_get(row, "hca_distance")), "switch");
	ck_assert_int_eq(json_integer_value(json_object_get(row, "window")), 2LL << 40);
	text = json_dumps(json_object_get(row, "mdev_types"), JSON_COMPACT);
	ck_assert_str_eq(text, "[{\"type\":\"nvidia-63\",\"name\":\"GRID P40-1Q\",\"available\":24,\"api\":\"vfio-pci\"}]");
	ck_assert_uint_eq(json_array_size(json_object_get(row, "slot_functions")), 2);
	ck_assert(json_is_null(json_object_get(row, "mig")));
}
END_TEST

START_TEST(a_vf_of_a_gpu_shows_what_it_can_become)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *text = NULL;
	vh_autojson row = NULL;

	FAKE(f);
	fake_device(&f, "pci0000:40/0000:40:01.0/0000:41:00.4", "0x030200", "nvidia", 9);
	fake_file(&f, "ID    : vGPU Name\n557   : NVIDIA A40-1B\nnone\n558:NVIDIA A40-2B",
		  "sys/bus/pci/devices/0000:41:00.4/nvidia/creatable_vgpu_types");
	ck_assert_int_eq(vh_sriov_show(f.root, "41:00.4", &row, &err), 0);
	text = json_dumps(json_object_get(row, "vgpu_types"), JSON_COMPACT);
	ck_assert_str_eq(text, "[{\"type\":\"557\",\"name\":\"NVIDIA A40-1B\"},{\"type\":\"558\",\"name\":\"NVIDIA A40-2B\"}]");
}
END_TEST

START_TEST(mig_is_asked_of_the_library_that_is_there)
{
	char path[PATH_MAX] = "";
	bool on = false, pending = true;

	/* Made beside this program. */
	ck_assert_int_gt(readlink("/proc/self/exe", path, sizeof(path) - sizeof("nvml_fake.so")), 0);
	strcpy(strrchr(path, '/') + 1, "nvml_fake.so");
	if (access(path, R_OK) < 0)
		unit_skip("%s is not there", path);
	ck_assert_int_eq(vh_nvml_mig(path, "0000:43:00.0", &on, &pending), 0);
	ck_assert(on && !pending);
	ck_assert_int_eq(vh_nvml_mig(path, "0000:44:00.0", &on, &pending), -EOPNOTSUPP);
	ck_assert_int_eq(vh_nvml_mig(path, "0000:45:00.0", &on, &pending), -ENODEV);
	ck_assert_int_eq(vh_nvml_mig("/no/such.so", "0000:43:00.0", &on, &pending), -ENOENT);
}
END_TEST

START_TEST(an_hca_shows_its_guid_and_pkeys)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson row = NULL;

	FAKE(f);
	hca(&f);
	ck_assert_int_eq(vh_sriov_show(f.root, HCA, &row, &err), 0);
	ck_assert_str_eq(json_string_value(json_object_get(row, "node_guid")), "0c:42:a1:03:00:00:00:02");
	ck_assert_uint_eq(json_array_size(json_object_get(row, "pkeys")), 1);
	ck_assert(json_is_null(json_object_get(row, "attributes")));
}
END_TEST

UNIT_SUITE(sriov_doctor, all_is_well, each_step_can_be_wrong, firmware_driver_and_number, a_gpu_and_its_hca,
	   a_far_hca_and_unreadable_space, damaged_configuration_space_ends, a_gpu_shows_what_it_brings_along,
	   a_vf_of_a_gpu_shows_what_it_can_become, mig_is_asked_of_the_library_that_is_there,
	   an_hca_shows_its_guid_and_pkeys)
