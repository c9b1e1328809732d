// SPDX-License-Identifier: Apache-2.0
/* What this host, or a captured one, offers to virtual clusters. It only reads. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/cli.h"
#include "lib/json.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "sriov/inventory/inventory.h"
#include "vmm/host/host.h"
#include "vmm/kernel/kernel.h"
#include "vmm/virt/virt.h"

enum { VERSION_MS = 10000 };

/* --- reading */

static unsigned distinct(const struct vh_host *host, size_t offset)
{
	unsigned most = 0;

	for (size_t i = 0; i < host->n_cpus; i++) {
		unsigned v = *(const unsigned *)((const char *)&host->cpus[i] + offset);

		if (v + 1 > most)
			most = v + 1;
	}
	return most;
}

static json_t *read_cpu(const struct vh_root *root, const struct vh_host *host)
{
	vh_autofree char *info = NULL, *model = NULL;
	const char *at;

	if (vh_root_read(root, &info, "proc/cpuinfo") == 0 && (at = strstr(info, "model name"))) {
		at += strcspn(at, ":\n");
		at += strspn(at, ": \t");
		model = strndup(at, strcspn(at, "\n"));
	}
	return json_pack("{s:o, s:i, s:i, s:i}", "model", vh_json_text(vh_plain(model)), "packages",
			 (int)distinct(host, offsetof(struct vh_host_cpu, package)), "cores",
			 (int)distinct(host, offsetof(struct vh_host_cpu, core)), "threads", (int)host->n_cpus);
}

static json_t *read_pool(const struct vh_root *root, unsigned node, const char *pool)
{
	int64_t total, left;

	if (vh_root_read_int(root, &total, "sys/devices/system/node/node%u/hugepages/%s/nr_hugepages",
			     node, pool) < 0 ||
	    vh_root_read_int(root, &left, "sys/devices/system/node/node%u/hugepages/%s/free_hugepages",
			     node, pool) < 0)
		return json_null();
	return json_pack("{s:I, s:I}", "total", (json_int_t)total, "free", (json_int_t)left);
}

static json_t *read_node(const struct vh_root *root, const struct vh_host *host,
			 const struct vh_host_node *node)
{
	vh_autofree unsigned *cpus = calloc(host->n_cpus, sizeof(*cpus));
	vh_autofree char *list = NULL;
	size_t n = 0;

	for (size_t i = 0; cpus && i < host->n_cpus; i++)
		if (host->cpus[i].node == node->id)
			cpus[n++] = host->cpus[i].id;
	list = n ? vh_cpu_list(cpus, n) : NULL;
	return json_pack("{s:i, s:o, s:I, s:o, s:o, s:o}", "node", (int)node->id, "cpus", vh_json_text(list),
			 "memory", (json_int_t)node->memory, "free",
			 vh_root_is_live(root) ? json_integer((json_int_t)node->free) : json_null(),
			 "huge_2m", read_pool(root, node->id, "hugepages-2048kB"),
			 "huge_1g", read_pool(root, node->id, "hugepages-1048576kB"));
}

static json_t *read_nodes(const struct vh_root *root, const struct vh_host *host)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < host->n_nodes; i++)
		json_array_append_new(rows, read_node(root, host, &host->nodes[i]));
	return rows;
}

static size_t count_entries(const struct vh_root *root, const char *dir)
{
	vh_autostrv names = NULL;

	return vh_root_list(root, &names, "%s", dir) < 0 ? 0 : vh_strv_len(names);
}

static json_t *read_iommu(const struct vh_root *root)
{
	return json_pack("{s:i, s:i}", "units", (int)count_entries(root, "sys/class/iommu"),
			 "groups", (int)count_entries(root, "sys/kernel/iommu_groups"));
}

static int read_devices(const struct vh_root *root, json_t **ret, struct vh_err *err)
{
	vh_autodevices devices = VH_PCI_DEVICES_NONE;
	int kinds[VH_PCI_KINDS] = { 0 }, pfs = 0, vfs = 0;
	int64_t possible = 0;
	int r = vh_sriov_list(root, &devices, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < devices.n; i++) {
		const struct vh_pci_device *d = &devices.v[i];

		vfs += d->function == VH_PCI_VF;
		pfs += d->function == VH_PCI_PF;
		possible += d->vfs_max > 0 ? d->vfs_max : 0;
		kinds[d->kind] += d->function != VH_PCI_VF;
	}
	*ret = json_pack("{s:i, s:i, s:I, s:i, s:i, s:i, s:i}", "pfs", pfs, "vfs", vfs, "vfs_possible", (json_int_t)possible,
			 "gpus", kinds[VH_PCI_GPU], "hcas", kinds[VH_PCI_HCA], "nics", kinds[VH_PCI_NIC],
			 "nvme", kinds[VH_PCI_NVME]);
	return 0;
}

/* The first line that the program prints of itself; NULL: it is not there. */
static char *ask_version(const char *program, const char *option)
{
	char *const argv[] = { (char *)program, (char *)option, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = VERSION_MS };
	vh_autooutput out = { 0 };
	vh_autoerr none = VH_ERR_NONE;
	const char *said;

	if (vh_spawn_run(&spawn, &out, &none) < 0 || out.status)
		return NULL;
	said = out.out_len ? out.out : out.err;
	return vh_plain(strndup(said, strcspn(said, "\n")));
}

static json_t *read_libvirt(const struct vh_cli *cli)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_autoerr why = VH_ERR_NONE;
	char version[64];
	int r = vh_virt_open(&v, cli->connect, cli->state, false, &why);

	if (r == 0 && vh_virt_version(v, version, sizeof(version), &why) == 0)
		return json_pack("{s:s, s:s, s:n}", "uri", vh_virt_uri(v), "version", version, "why");
	return json_pack("{s:n, s:n, s:s}", "uri", "version", "why",
			 why.text ? why.text : "no daemon runs here");
}

static json_t *read_tools(const struct vh_root *root)
{
	const char *virtiofsd = vh_virtiofsd(root);
	vh_autofree char *serves = virtiofsd ? ask_version(virtiofsd, "--version") : NULL;
	static const struct { const char *name, *option; } programs[] = {
		{ "qemu-system-x86_64", "--version" }, { "qemu-img", "--version" },
		{ "libvirtd", "--version" }, { "mmdebstrap", "--version" },
		{ "ssh", "-V" }, { "mpirun", "--version" },
	};
	json_t *tools = json_object();

	for (size_t i = 0; i < vh_array_len(programs); i++) {
		vh_autofree char *version = ask_version(programs[i].name, programs[i].option);

		json_object_set_new(tools, programs[i].name, vh_json_text(version));
	}
	json_object_set_new(tools, "virtiofsd", vh_json_text(serves));
	return tools;
}

static int read_all(const struct vh_cli *cli, json_t **ret, struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	json_t *devices = NULL;
	struct vh_accel accel;
	bool live;
	int r = vh_root_open(&root, cli->root, err);

	if (r == 0)
		r = vh_host_load(root, NULL, &host, err);
	if (r == 0)
		r = read_devices(root, &devices, err);
	if (r < 0)
		return r;
	live = vh_root_is_live(root);
	vh_accel_detect(root, &accel);
	*ret = json_pack("{s:s, s:o, s:o, s:{s:s, s:s}, s:o, s:o, s:o, s:o}", "root", vh_root_path(root),
			 "cpu", read_cpu(root, host), "numa", read_nodes(root, host),
			 "acceleration", "kind", vh_accel_name(&accel), "why", accel.why,
			 "iommu", read_iommu(root), "devices", devices,
			 "libvirt", live ? read_libvirt(cli) : json_null(),
			 "tools", live ? read_tools(root) : json_null());
	return *ret ? 0 : vh_err_nomem(err);
}

/* --- printing */

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "-";
}

static int num(const json_t *j, const char *key)
{
	return (int)json_integer_value(json_object_get(j, key));
}

static void print_nodes(const json_t *nodes)
{
	static const struct vh_col columns[] = {
		{ "  NODE", "label", VH_COL_TEXT },
		{ "CPUS", "cpus", VH_COL_TEXT },
		{ "MEMORY", "memory", VH_COL_SIZE },
		{ "FREE", "free", VH_COL_SIZE },
		{ "2M PAGES", "huge_2m.total", VH_COL_RIGHT },
		{ "FREE", "huge_2m.free", VH_COL_RIGHT },
		{ "1G PAGES", "huge_1g.total", VH_COL_RIGHT },
		{ "FREE", "huge_1g.free", VH_COL_RIGHT },
		{ NULL, NULL, 0 },
	};
	vh_autojson rows = json_deep_copy(nodes);
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		char label[16];

		snprintf(label, sizeof(label), "  %d", num(row, "node"));
		json_object_set_new(row, "label", json_string(label));
	}
	vh_table_print(stdout, columns, rows);
}

static void print_devices(const json_t *d)
{
	printf("%-20s%d PFs with %d VFs of %d possible; %d HCAs, %d NICs, %d GPUs, %d NVMe\n", "devices",
	       num(d, "pfs"), num(d, "vfs"), num(d, "vfs_possible"), num(d, "hcas"), num(d, "nics"),
	       num(d, "gpus"), num(d, "nvme"));
}

static void print_software(const json_t *libvirt, json_t *tools)
{
	const char *name;
	json_t *version;

	if (json_is_null(json_object_get(libvirt, "uri")))
		printf("%-20s%s\n", "libvirt", str(libvirt, "why"));
	else
		printf("%-20s%s at %s\n", "libvirt", str(libvirt, "version"), str(libvirt, "uri"));
	json_object_foreach(tools, name, version)
		printf("%-20s%s\n", name, json_is_string(version) ? json_string_value(version) : "not installed");
}

static void print_report(const json_t *doc)
{
	const json_t *cpu = json_object_get(doc, "cpu"), *accel = json_object_get(doc, "acceleration");
	const json_t *iommu = json_object_get(doc, "iommu");

	printf("%-20s%s\n", "processor", str(cpu, "model"));
	printf("%-20s%d packages, %d cores, %d threads\n", "", num(cpu, "packages"), num(cpu, "cores"),
	       num(cpu, "threads"));
	printf("%-20s%s: %s\n", "acceleration", str(accel, "kind"), str(accel, "why"));
	printf("%-20s%d units, %d groups\n", "IOMMU", num(iommu, "units"), num(iommu, "groups"));
	print_devices(json_object_get(doc, "devices"));
	printf("%-20s%zu nodes\n", "NUMA", json_array_size(json_object_get(doc, "numa")));
	print_nodes(json_object_get(doc, "numa"));
	if (json_is_object(json_object_get(doc, "libvirt")))
		print_software(json_object_get(doc, "libvirt"), json_object_get(doc, "tools"));
	else
		printf("%-20sa captured host: %s\n", "libvirt", str(doc, "root"));
}

struct probe_opts { const char *capture; };

static int capture(const struct vh_cli *cli, const char *dir, struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, cli->root, err);

	return r < 0 ? r : vh_host_capture(root, dir, err);
}

static int probe(struct vh_cli *cli, struct vh_err *err)
{
	const struct probe_opts *opts = cli->opts;
	vh_autojson doc = NULL;
	int r = opts->capture ? capture(cli, opts->capture, err) : 0;

	if (r == 0)
		r = read_all(cli, &doc, err);

	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print("vhpc.probe/1", vh_steal(&doc), err);
	print_report(doc);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct vh_opt options[] = {
		{ "capture", 0, VH_OPT_STR, offsetof(struct probe_opts, capture), "DIR",
		  "also write what was read as a new directory, for --root elsewhere" },
		{ 0 },
	};
	static const struct vh_verb verbs[] = {
		{ "", "", 0, 0, "report CPUs, memory, acceleration, devices and software of this host",
		  VH_VERB_JSON, options, sizeof(struct probe_opts), probe },
		{ 0 },
	};
	static const struct vh_prog prog = { "vhpc probe", "what this host offers to virtual clusters", verbs };

	return vh_main(&prog, argc, argv);
}
