// SPDX-License-Identifier: Apache-2.0
/* The inventory of a host made of plain files: a NIC with 8 VFs, an HCA, a GPU, an NVMe,
 * what is none of these, and what is damaged. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/json.h"
#include "lib/strv.h"
#include "sriov/inventory/inventory.h"
#include "tests/unit/unit.h"

#define PORT "pci0000:3a/0000:3a:02.0"
#define BELOW(complex, ports) "\"root_complex\":\"" complex "\",\"upstream\":[" ports "],"
#define NIC "0000:3b:00.0"
#define HCA "0000:5e:00.0"

struct host {
	char *dir;
	struct vh_root *root;
};

static void attribute(const struct host *h, const char *device, const char *name, const char *text)
{
	vh_autofree char *path = vh_strf("sys/devices/%s/%s", device, name);
	vh_autofree char *line = vh_strf("%s\n", text);

	free(unit_file(h->dir, path, line));
}

/* A link in the device's directory, "name" -> target. */
static void link_to(const struct host *h, const char *device, const char *name, const char *target)
{
	vh_autofree char *path = vh_strf("%s/sys/devices/%s/%s", h->dir, device, name);

	ck_assert_msg(symlink(target, path) == 0, "%s: %s", path, strerror(errno));
}

/* path: below sys/devices, the device's address last. */
static void device(const struct host *h, const char *path, const char *class, const char *vendor,
		   const char *numa)
{
	vh_autofree char *target = vh_strf("../../../devices/%s", path);
	vh_autofree char *entry = vh_strf("%s/sys/bus/pci/devices/%s", h->dir, strrchr(path, '/') + 1);

	attribute(h, path, "class", class);
	attribute(h, path, "vendor", vendor);
	attribute(h, path, "device", "0x101e");
	attribute(h, path, "numa_node", numa);
	ck_assert_int_eq(symlink(target, entry), 0);
}

/* VF n of the NIC is 3b:00.(n+1) up to 6, then 3b:01.0; written in an order of its own. */
static void vfs(const struct host *h)
{
	static const int order[] = { 7, 2, 0, 5, 1, 6, 3, 4 };

	for (size_t i = 0; i < vh_array_len(order); i++) {
		int n = order[i];
		vh_autofree char *address = vh_strf("0000:3b:%02x.%d", (n + 1) / 8, (n + 1) % 8);
		vh_autofree char *path = vh_strf(PORT "/%s", address);
		vh_autofree char *back = vh_strf("../%s", address);
		vh_autofree char *name = vh_strf("virtfn%d", n);
		vh_autofree char *group = vh_strf("../../../../kernel/iommu_groups/%d", 60 + n);

		device(h, path, "0x020000", "0x15b3", "1");
		link_to(h, path, "physfn", "../" NIC);
		link_to(h, path, "driver", "../../../../bus/pci/drivers/vfio-pci");
		link_to(h, path, "iommu_group", group);
		link_to(h, PORT "/" NIC, name, back);
	}
}

static void nic(const struct host *h)
{
	device(h, PORT "/" NIC, "0x020000", "0x15b3", "1");
	attribute(h, PORT "/" NIC, "sriov_totalvfs", "16");
	attribute(h, PORT "/" NIC, "sriov_numvfs", "8");
	attribute(h, PORT "/" NIC, "sriov_drivers_autoprobe", "0");
	attribute(h, PORT "/" NIC, "net/ens1f0np0/address", "0c:42:a1:00:00:01");
	attribute(h, PORT "/" NIC, "net/ens1f0np0/operstate", "up");
	attribute(h, PORT "/" NIC, "net/ens1f0np0/speed", "100000");
	attribute(h, PORT "/" NIC, "net/ens1f0npf0vf0/address", "0c:42:a1:00:00:99");
	attribute(h, PORT "/" NIC, "infiniband/mlx5_0/node_type", "1: CA");
	attribute(h, PORT "/" NIC, "subsystem_vendor", "0x15b3");
	attribute(h, PORT "/" NIC, "subsystem_device", "0x0022");
	attribute(h, PORT "/" NIC, "reset_method", "flr bus");
	attribute(h, PORT "/" NIC, "ari_enabled", "1");
	attribute(h, PORT "/" NIC, "current_link_speed", "16.0 GT/s PCIe");
	attribute(h, PORT "/" NIC, "current_link_width", "16");
	attribute(h, PORT "/" NIC, "max_link_speed", "Unknown");
	attribute(h, PORT "/" NIC, "max_link_width", "255");
	attribute(h, PORT "/" NIC, "iommu_group/devices/" NIC, "");
	attribute(h, PORT "/" NIC, "resource",
		  "0x0000380000000000 0x0000380001ffffff 0x000000000014220c\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		  "0x00000000fe000000 0x00000000fe0fffff 0x0000000000040200\n"
		  "0x0000000000003000 0x000000000000301f 0x0000000000040101\n"
		  "nonsense\n\n"
		  "0x00000000fd000000 0x00000000fd0fffff 0x0000000000046200\n"
		  "0x0000380002000000 0x0000380002ffffff 0x000000000014220c");
	link_to(h, PORT "/" NIC, "driver", "../../../../bus/pci/drivers/mlx5_core");
	vfs(h);
}

static void others(const struct host *h)
{
	device(h, "pci0000:5d/0000:5d:00.0/" HCA, "0x020700", "0x15b3", "-1");
	attribute(h, "pci0000:5d/0000:5d:00.0/" HCA, "net/ib0/operstate", "down");
	attribute(h, "pci0000:5d/0000:5d:00.0/" HCA, "net/ib0/address",
		  "00:00:10:29:fe:80:00:00:00:00:00:00:0c:42:a1:03:00:00:00:02");
	attribute(h, "pci0000:5d/0000:5d:00.0/" HCA, "infiniband/mlx5_1/node_type", "1: CA");
	attribute(h, "pci0000:5d/0000:5d:00.0/" HCA, "sriov_totalvfs", "8");
	attribute(h, "pci0000:5d/0000:5d:00.0/" HCA, "sriov_numvfs", "0");
	device(h, "pci0000:3a/0000:3a:00.0/0000:3c:00.0", "0x030200", "0x10de", "0");
	device(h, "pci10000:e0/10000:e0:06.0/10000:e1:00.0", "0x010802", "0x8086", "0");
	device(h, "pci0000:00/0000:00:02.0", "0x060400", "0x8086", "0");
	device(h, "pci0000:60/0000:60:00.0", "0x120000", "0x1002", "1");
	device(h, "pci0000:60/0000:60:01.0", "0x120000", "0x10ee", "1");
	device(h, "pci0000:60/0000:60:02.0", "0x020800", "0x8086", "1");
	attribute(h, "pci0000:60/0000:60:02.0", "infiniband/hfi1_0/node_type", "1: CA");
}

static void damaged(const struct host *h)
{
	char *entry = vh_strf("%s/sys/bus/pci/devices/0000:70:00.0", h->dir);

	ck_assert_int_eq(symlink("../../../devices/gone/0000:70:00.0", entry), 0);
	free(entry);
	device(h, "pci0000:71/0000:71:00.0", "0x020000", "15b3", "one");
	attribute(h, "pci0000:71/0000:71:00.0", "sriov_totalvfs", "-4");
	attribute(h, "pci0000:71/0000:71:00.0", "device", "0x101e0");
	attribute(h, "pci0000:71/0000:71:00.0", "net/e\xff/operstate", "up");
	attribute(h, "pci0000:71/0000:71:00.0", "net/f0/speed", "-1");
	link_to(h, "pci0000:71/0000:71:00.0", "iommu_group", "../../../kernel/iommu_groups/none");
	device(h, "pci0000:71/0000:71:01.0", "0x02", "0x15b3", "0");
	device(h, "pci0000:71/0000:71:02.0", "network", "0x15b3", "0");
	device(h, "pci0000:71/not-an-address", "0x020000", "0x15b3", "0");
	device(h, "pci0000:71/0000:71:03.0", "0x020000", "0x15b3", "0");
	link_to(h, "pci0000:71/0000:71:03.0", "physfn", "../0000:71:04.0");
	device(h, "pci0000:71/0000:71:05.0", "0x020000", "0x15b3", "0");
	attribute(h, "pci0000:71/0000:71:05.0", "sriov_totalvfs", "4");
	attribute(h, "pci0000:71/0000:71:05.0", "sriov_numvfs", "");
	link_to(h, "pci0000:71/0000:71:05.0", "virtfn0", "../0000:71:06.0");
	link_to(h, "pci0000:71/0000:71:05.0", "virtfn", "../0000:71:03.0");
	link_to(h, "pci0000:71/0000:71:05.0", "virtfn99999999999", "../0000:71:03.0");
	link_to(h, "pci0000:71/0000:71:05.0", "virtfn1x", "../0000:71:03.0");
}

static void host_open(struct host *h, void (*const parts[])(const struct host *))
{
	vh_autoerr err = VH_ERR_NONE;

	h->dir = unit_tmpdir();
	free(unit_file(h->dir, "sys/bus/pci/devices/.keep", ""));
	for (; *parts; parts++)
		(*parts)(h);
	ck_assert_int_eq(vh_root_open(&h->root, h->dir, &err), 0);
}

static void host_close(struct host *h)
{
	vh_root_free(h->root);
	free(h->dir);
}

#define HOST(h, ...) \
	vh_cleanup(host_close) struct host h = { 0 }; \
	host_open(&h, (void (*const[])(const struct host *)){ __VA_ARGS__, NULL })

static json_t *list(const struct host *h)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	json_t *rows = json_array();

	ck_assert_msg(vh_sriov_list(h->root, &devices, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < devices.n; i++)
		json_array_append_new(rows, vh_pci_device_json(&devices.v[i], false));
	return rows;
}

/* The row of that address in compact JSON, without what is the same everywhere here. */
static char *row(const json_t *rows, const char *address)
{
	json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
		if (!strcmp(json_string_value(json_object_get(r, "address")), address))
			return json_dumps(r, JSON_COMPACT);
	return strdup("");
}

#define ASSERT_ROW(rows, address, want) do { \
		vh_autofree char *row_ = row(rows, address); \
		ck_assert_str_eq(row_, "{\"address\":\"" address "\"," want "}"); \
	} while (0)

#define NO_NETWORK "\"mac\":null,\"link\":null,\"speed\":null,\"netdevs\":[],\"ibdevs\":[],\"attributes\":null"

START_TEST(pf_tells_its_vfs_and_first_network_device)
{
	HOST(h, nic);
	vh_autojson rows = list(&h);

	ck_assert_uint_eq(json_array_size(rows), 9);
	ASSERT_ROW(rows, NIC,
		   "\"kind\":\"nic\",\"vendor\":\"15b3\",\"device\":\"101e\",\"driver\":\"mlx5_core\","
		   "\"numa\":1,\"iommu_group\":null," BELOW("pci0000:3a", "\"0000:3a:02.0\"")
		   "\"function\":\"pf\",\"pf\":null,\"vf\":null,\"vfs\":8,"
		   "\"vfs_max\":16,\"mac\":\"0c:42:a1:00:00:01\",\"link\":\"up\",\"speed\":100000,"
		   "\"netdevs\":[\"ens1f0np0\",\"ens1f0npf0vf0\"],\"ibdevs\":[\"mlx5_0\"],\"attributes\":null");
}
END_TEST

START_TEST(vfs_are_numbered_by_their_pf)
{
	HOST(h, nic);
	vh_autojson rows = list(&h);

	for (size_t n = 0; n < 8; n++) {
		const json_t *r = json_array_get(rows, n + 1);

		ck_assert_int_eq(json_integer_value(json_object_get(r, "vf")), (json_int_t)n);
		ck_assert_str_eq(json_string_value(json_object_get(r, "pf")), NIC);
	}
	ASSERT_ROW(rows, "0000:3b:01.0",
		   "\"kind\":\"nic\",\"vendor\":\"15b3\",\"device\":\"101e\",\"driver\":\"vfio-pci\","
		   "\"numa\":1,\"iommu_group\":67," BELOW("pci0000:3a", "\"0000:3a:02.0\"")
		   "\"function\":\"vf\",\"pf\":\"" NIC "\",\"vf\":7,\"vfs\":null,"
		   "\"vfs_max\":null," NO_NETWORK);
}
END_TEST

START_TEST(hca_gpu_and_nvme_are_told_apart)
{
	HOST(h, others);
	vh_autojson rows = list(&h);

	ck_assert_uint_eq(json_array_size(rows), 5);
	ASSERT_ROW(rows, HCA,
		   "\"kind\":\"hca\",\"vendor\":\"15b3\",\"device\":\"101e\",\"driver\":null,\"numa\":null,"
		   "\"iommu_group\":null," BELOW("pci0000:5d", "\"0000:5d:00.0\"")
		   "\"function\":\"pf\",\"pf\":null,\"vf\":null,\"vfs\":0,\"vfs_max\":8,"
		   "\"mac\":\"00:00:10:29:fe:80:00:00:00:00:00:00:0c:42:a1:03:00:00:00:02\",\"link\":null,"
		   "\"speed\":null,\"netdevs\":[\"ib0\"],\"ibdevs\":[\"mlx5_1\"],\"attributes\":null");
	ASSERT_ROW(rows, "0000:3c:00.0",
		   "\"kind\":\"gpu\",\"vendor\":\"10de\",\"device\":\"101e\",\"driver\":null,\"numa\":0,"
		   "\"iommu_group\":null," BELOW("pci0000:3a", "\"0000:3a:00.0\"")
		   "\"function\":\"device\",\"pf\":null,\"vf\":null,\"vfs\":null,"
		   "\"vfs_max\":null," NO_NETWORK ",\"hca\":\"" HCA "\",\"hca_distance\":\"system\"");
	ASSERT_ROW(rows, "10000:e1:00.0",
		   "\"kind\":\"nvme\",\"vendor\":\"8086\",\"device\":\"101e\",\"driver\":null,\"numa\":0,"
		   "\"iommu_group\":null," BELOW("pci10000:e0", "\"10000:e0:06.0\"")
		   "\"function\":\"device\",\"pf\":null,\"vf\":null,\"vfs\":null,"
		   "\"vfs_max\":null," NO_NETWORK);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 2), "kind")), "gpu");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 3), "kind")), "hca");
}
END_TEST

START_TEST(damage_reads_as_null)
{
	HOST(h, damaged);
	vh_autojson rows = list(&h);

	ck_assert_uint_eq(json_array_size(rows), 3);
	ASSERT_ROW(rows, "0000:71:00.0",
		   "\"kind\":\"nic\",\"vendor\":null,\"device\":null,\"driver\":null,\"numa\":null,"
		   "\"iommu_group\":null," BELOW("pci0000:71", "")
		   "\"function\":\"device\",\"pf\":null,\"vf\":null,\"vfs\":null,"
		   "\"vfs_max\":null,\"mac\":null,\"link\":null,\"speed\":null,\"netdevs\":[\"f0\"],"
		   "\"ibdevs\":[],\"attributes\":null");
	ASSERT_ROW(rows, "0000:71:03.0",
		   "\"kind\":\"nic\",\"vendor\":\"15b3\",\"device\":\"101e\",\"driver\":null,\"numa\":0,"
		   "\"iommu_group\":null," BELOW("pci0000:71", "")
		   "\"function\":\"vf\",\"pf\":\"0000:71:04.0\",\"vf\":null,\"vfs\":null,"
		   "\"vfs_max\":null," NO_NETWORK);
	ASSERT_ROW(rows, "0000:71:05.0",
		   "\"kind\":\"nic\",\"vendor\":\"15b3\",\"device\":\"101e\",\"driver\":null,\"numa\":0,"
		   "\"iommu_group\":null," BELOW("pci0000:71", "")
		   "\"function\":\"pf\",\"pf\":null,\"vf\":null,\"vfs\":null,"
		   "\"vfs_max\":4," NO_NETWORK);
}
END_TEST

START_TEST(a_host_without_pci_has_no_devices)
{
	vh_cleanup(host_close) struct host h = { .dir = unit_tmpdir() };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_root_open(&h.root, h.dir, &err), 0);
	{
		vh_autojson rows = list(&h);

		ck_assert_uint_eq(json_array_size(rows), 0);
	}
}
END_TEST

static char *shown(const struct host *h, const char *address, const char *member)
{
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson d = NULL;

	ck_assert_msg(vh_sriov_show(h->root, address, &d, &err) == 0, "%s", err.text);
	return json_dumps(json_object_get(d, member), JSON_COMPACT | JSON_ENCODE_ANY);
}

#define ASSERT_SHOWN(h, address, member, want) do { \
		vh_autofree char *is_ = shown(h, address, member); \
		ck_assert_str_eq(is_, want); \
	} while (0)

START_TEST(show_tells_link_bars_and_path)
{
	HOST(h, nic);
	ASSERT_SHOWN(&h, "3B:00.0", "address", "\"" NIC "\"");
	ASSERT_SHOWN(&h, NIC, "class", "\"020000\"");
	ASSERT_SHOWN(&h, NIC, "subsystem", "\"15b3:0022\"");
	ASSERT_SHOWN(&h, NIC, "reset_methods", "[\"flr\",\"bus\"]");
	ASSERT_SHOWN(&h, NIC, "ari", "true");
	ASSERT_SHOWN(&h, NIC, "vfs_autoprobe", "false");
	ASSERT_SHOWN(&h, NIC, "pcie_speed", "\"16.0 GT/s PCIe\"");
	ASSERT_SHOWN(&h, NIC, "pcie_width", "16");
	ASSERT_SHOWN(&h, NIC, "pcie_speed_max", "null");
	ASSERT_SHOWN(&h, NIC, "pcie_width_max", "null");
	ASSERT_SHOWN(&h, NIC, "iommu_members", "[\"" NIC "\"]");
	ASSERT_SHOWN(&h, NIC, "root_complex", "\"pci0000:3a\"");
	ASSERT_SHOWN(&h, NIC, "upstream", "[\"0000:3a:02.0\"]");
	ASSERT_SHOWN(&h, NIC, "power", "null");
	ASSERT_SHOWN(&h, NIC, "bars",
		     "[{\"bar\":0,\"size\":33554432,\"kind\":\"memory\",\"bits\":64,\"prefetch\":true},"
		     "{\"bar\":2,\"size\":1048576,\"kind\":\"memory\",\"bits\":32,\"prefetch\":false},"
		     "{\"bar\":3,\"size\":32,\"kind\":\"io\",\"bits\":32,\"prefetch\":false}]");
	ASSERT_SHOWN(&h, NIC, "vf_bars",
		     "[{\"bar\":0,\"size\":16777216,\"kind\":\"memory\",\"bits\":64,\"prefetch\":true}]");
	ASSERT_SHOWN(&h, NIC, "vf_addresses",
		     "[\"0000:3b:00.1\",\"0000:3b:00.2\",\"0000:3b:00.3\",\"0000:3b:00.4\",\"0000:3b:00.5\","
		     "\"0000:3b:00.6\",\"0000:3b:00.7\",\"0000:3b:01.0\"]");
	ASSERT_SHOWN(&h, "3b:00.3", "vf", "2");
}
END_TEST

START_TEST(show_takes_any_device_and_refuses_none)
{
	vh_autoerr err = VH_ERR_NONE;
	json_t *d;

	HOST(h, others, damaged);
	ASSERT_SHOWN(&h, "00:02.0", "kind", "null");
	ASSERT_SHOWN(&h, "10000:e1:00.0", "root_complex", "\"pci10000:e0\"");
	ck_assert_int_eq(vh_sriov_show(h.root, "00:03.0", &d, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, "there is no PCI device 0000:00:03.0", "vhpc sriov list");
	ck_assert_int_eq(vh_sriov_show(h.root, "70:00.0", &d, &err), -ENOENT);
	ck_assert_int_eq(vh_sriov_show(h.root, "../..", &d, &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_USAGE);
	ck_assert_int_eq(vh_sriov_show(h.root, "", &d, &err), -EINVAL);
	ck_assert_int_eq(vh_sriov_show(h.root, "0000:00:02.8", &d, &err), -EINVAL);
}
END_TEST

UNIT_SUITE(sriov_devices, pf_tells_its_vfs_and_first_network_device, vfs_are_numbered_by_their_pf,
	   hca_gpu_and_nvme_are_told_apart, damage_reads_as_null, a_host_without_pci_has_no_devices,
	   show_tells_link_bars_and_path, show_takes_any_device_and_refuses_none)
