// SPDX-License-Identifier: Apache-2.0
#include "vmm/vmm.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "vmm/xml.h"

/* Against a clock that stands still under load, which has hung boots without KVM. */
static const char tcg_cmdline[] = "clocksource=tsc tsc=reliable";

/* With one possible CPU TCG drops the atomicity of locked instructions, which memory
 * shared between VMs relies on: then a second one stays unplugged. */
static unsigned max_vcpus(const struct vh_domain *d)
{
	return !d->kvm && d->vcpus < 2 ? 2 : d->vcpus;
}

static int check_path(const struct vh_domain *d, const char *what, const char *path, struct vh_err *err)
{
	if (path && (path[0] != '/' || !vh_xml_can_hold(path)))
		return vh_err_refuse(err, EINVAL, "%s: %s %s: not an absolute path of plain text", d->name,
				     what, path);
	return 0;
}

static int check_paths(const struct vh_domain *d, struct vh_err *err)
{
	const struct { const char *what, *path; } paths[] = {
		{ "kernel", d->kernel }, { "initrd", d->initrd }, { "firmware", d->firmware }, { "disk", d->disk },
		{ "identity", d->identity }, { "console log", d->console_log },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(paths); i++)
		r = check_path(d, paths[i].what, paths[i].path, err);
	return r;
}

static bool is_mac(const char *mac)
{
	if (strlen(mac) != 17)
		return false;
	for (int i = 0; i < 17; i++)
		if (i % 3 == 2 ? mac[i] != ':' : !strchr("0123456789abcdef", mac[i]))
			return false;
	return true;
}

static int check_nics(const struct vh_domain *d, struct vh_err *err)
{
	for (size_t i = 0; i < d->n_nics; i++) {
		const struct vh_nic *nic = &d->nics[i];

		if (!nic->tap[0] || strlen(nic->tap) >= IFNAMSIZ || strchr(nic->tap, '/') ||
		    !vh_xml_can_hold(nic->tap))
			return vh_err_refuse(err, EINVAL, "%s: tap %s: no interface name", d->name, nic->tap);
		if (!is_mac(nic->mac))
			return vh_err_refuse(err, EINVAL, "%s: %s: no MAC address", d->name, nic->mac);
	}
	return 0;
}

static int check_shmem(const struct vh_domain *d, struct vh_err *err)
{
	const struct vh_shmem *s = d->shmem;

	if (s && (!*s->name || *s->name == '.' || strchr(s->name, '/') || !vh_xml_can_hold(s->name) ||
		  s->size < 1 << 20 || s->size & (s->size - 1)))
		return vh_err_refuse(err, EINVAL, "%s: shared memory %s: no name, or no power of two MiB", d->name, s->name);
	return 0;
}

static int check(const struct vh_domain *d, struct vh_err *err)
{
	int r = vh_hostname_check(d->name, err);

	if (r < 0)
		return r;
	if (!d->vcpus || !d->memory)
		return vh_err_refuse(err, EINVAL, "%s: a VM has vCPUs and memory", d->name);
	if (!d->kernel == !d->firmware || (d->owner && !vh_xml_can_hold(d->owner)) || (d->uuid && !vh_xml_can_hold(d->uuid)) ||
	    (d->cmdline && !vh_xml_can_hold(d->cmdline)))
		return vh_err_refuse(err, EINVAL, "%s: has no kernel or firmware, or its command line, owner or UUID is not plain text",
				     d->name);
	r = check_paths(d, err);
	if (r == 0)
		r = check_shmem(d, err);
	return r < 0 ? r : check_nics(d, err);
}

/* {VH_DOMAIN_NS}lease in the metadata; read back by vh_domain_lease_parse. */
static void add_lease(xmlNodePtr domain, const struct vh_domain *d, const char *cpus)
{
	xmlNodePtr lease = vh_xml_add(vh_xml_add(domain, "metadata", NULL), "lease", NULL);
	xmlNsPtr ns = lease ? xmlNewNs(lease, BAD_CAST VH_DOMAIN_NS, BAD_CAST "vhpc") : NULL;

	if (!ns)
		return;
	xmlSetNs(lease, ns);
	vh_xml_setf(lease, "holder", "vm/%s", d->name);
	if (d->owner)
		vh_xml_setf(lease, "owner", "%s", d->owner);
	if (d->place && d->place->policy == VH_CPU_DEDICATED)
		vh_xml_setf(lease, "cpus", "%s", cpus);
	for (size_t i = 0; d->place && i < d->place->n_nodes; i++) {
		xmlNodePtr memory = vh_xml_add(lease, "memory", NULL);

		vh_xml_setf(memory, "node", "%u", d->place->nodes[i]);
		vh_xml_setf(memory, "bytes", "%llu", (unsigned long long)d->place->node_memory[i]);
	}
}

static void add_size(xmlNodePtr domain, const struct vh_domain *d, const char *cpus)
{
	unsigned max = max_vcpus(d);
	vh_autofree char *kib = vh_strf("%llu", (unsigned long long)((d->memory + 1023) / 1024));
	vh_autofree char *count = vh_strf("%u", max);
	xmlNodePtr vcpu;

	xmlNewProp(vh_xml_text(domain, "memory", kib ? kib : ""), BAD_CAST "unit", BAD_CAST "KiB");
	vcpu = vh_xml_text(domain, "vcpu", count ? count : "");
	vh_xml_setf(vcpu, "placement", "static");
	if (cpus)
		vh_xml_setf(vcpu, "cpuset", "%s", cpus);
	if (max != d->vcpus)
		vh_xml_setf(vcpu, "current", "%u", d->vcpus);
}

static void add_pins(xmlNodePtr domain, const struct vh_domain *d, const char *cpus, const char *nodes)
{
	xmlNodePtr tune = vh_xml_add(domain, "cputune", NULL);

	for (unsigned i = 0; i < d->vcpus; i++) {
		xmlNodePtr pin = vh_xml_add(tune, "vcpupin", NULL);

		vh_xml_setf(pin, "vcpu", "%u", i);
		if (d->place->policy == VH_CPU_DEDICATED)
			vh_xml_setf(pin, "cpuset", "%u", d->place->cpus[i]);
		else
			vh_xml_setf(pin, "cpuset", "%s", cpus);
	}
	vh_xml_add(tune, "emulatorpin", "cpuset", cpus, NULL);
	vh_xml_add(vh_xml_add(domain, "numatune", NULL), "memory", "mode", "strict", "nodeset", nodes, NULL);
}

static void add_kernel(xmlNodePtr os, const struct vh_domain *d)
{
	const char *given = d->cmdline ? d->cmdline : "";
	vh_autofree char *cmdline = d->kvm ? vh_strf("%s", given)
					   : vh_strf("%s%s%s", given, *given ? " " : "", tcg_cmdline);

	vh_xml_text(os, "kernel", d->kernel);
	if (d->initrd)
		vh_xml_text(os, "initrd", d->initrd);
	vh_xml_text(os, "cmdline", cmdline ? cmdline : "");
}

/* Firmware from a ROM keeps no variables: it looks for the disk's own boot program each time. */
static void add_boot(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr os = vh_xml_add(domain, "os", NULL);

	xmlNewProp(vh_xml_text(os, "type", "hvm"), BAD_CAST "arch", BAD_CAST "x86_64");
	xmlNewProp(vh_xml_child(os, NULL, "type"), BAD_CAST "machine", BAD_CAST "q35");
	if (d->firmware)
		xmlNewProp(vh_xml_text(os, "loader", d->firmware), BAD_CAST "type", BAD_CAST "rom");
	else
		add_kernel(os, d);
	if (d->identity)
		vh_xml_add(vh_xml_add(domain, "sysinfo", "type", "fwcfg", NULL), "entry",
			   "name", "opt/io.systemd.credentials/vhpc.identity", "file", d->identity, NULL);
}

static void add_cpu(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr features = vh_xml_add(domain, "features", NULL), cpu, topology;

	vh_xml_add(features, "acpi", NULL);
	vh_xml_add(features, "apic", NULL);
	if (d->kvm && d->place && d->place->policy == VH_CPU_DEDICATED)
		vh_xml_add(vh_xml_add(features, "kvm", NULL), "hint-dedicated", "state", "on", NULL);
	cpu = vh_xml_add(domain, "cpu", "mode", d->kvm ? "host-passthrough" : "maximum", "check", "none",
			 "migratable", d->kvm ? "off" : NULL, NULL);
	topology = vh_xml_add(cpu, "topology", "sockets", "1", NULL);
	vh_xml_setf(topology, "cores", "%u", max_vcpus(d));
	vh_xml_setf(topology, "threads", "1");
	if (d->kvm)
		vh_xml_add(cpu, "cache", "mode", "passthrough", NULL);
	vh_xml_add(vh_xml_add(domain, "clock", "offset", "utc", NULL), "timer", "name", "hpet",
		   "present", "no", NULL);
	vh_xml_text(domain, "on_poweroff", "destroy");
	vh_xml_text(domain, "on_reboot", "restart");
	vh_xml_text(domain, "on_crash", "destroy");
}

static void add_disk(xmlNodePtr devices, const char *file)
{
	xmlNodePtr disk = vh_xml_add(devices, "disk", "type", "file", "device", "disk", NULL);

	/* The base image is shared by all VMs of a cluster: the host's page cache reads it once. */
	vh_xml_add(disk, "driver", "name", "qemu", "type", "qcow2", "cache", "writeback",
		   "discard", "unmap", NULL);
	vh_xml_add(disk, "source", "file", file, NULL);
	vh_xml_add(disk, "target", "dev", "vda", "bus", "virtio", NULL);
}

static void add_nic(xmlNodePtr devices, const struct vh_nic *nic)
{
	xmlNodePtr dev = vh_xml_add(devices, "interface", "type", "ethernet", NULL);

	vh_xml_add(dev, "mac", "address", nic->mac, NULL);
	vh_xml_add(dev, "target", "dev", nic->tap, "managed", "no", NULL);
	vh_xml_add(dev, "model", "type", "virtio", NULL);
	if (nic->queues > 1)
		vh_xml_setf(vh_xml_add(dev, "driver", NULL), "queues", "%u", nic->queues);
	vh_xml_add(dev, "rom", "enabled", "no", NULL);
}

static void add_console(xmlNodePtr devices, const char *log)
{
	xmlNodePtr serial = vh_xml_add(devices, "serial", "type", "pty", NULL), console;

	if (log)
		vh_xml_add(serial, "log", "file", log, "append", "off", NULL);
	vh_xml_add(serial, "target", "type", "isa-serial", "port", "0", NULL);
	console = vh_xml_add(devices, "console", "type", "pty", NULL);
	vh_xml_add(console, "target", "type", "serial", "port", "0", NULL);
}

static void add_shmem(xmlNodePtr devices, const struct vh_shmem *shmem)
{
	xmlNodePtr dev = vh_xml_add(devices, "shmem", "name", shmem->name, NULL);
	vh_autofree char *mib = vh_strf("%llu", (unsigned long long)(shmem->size >> 20));

	vh_xml_add(dev, "model", "type", "ivshmem-plain", NULL);
	xmlNewProp(vh_xml_text(dev, "size", mib ? mib : ""), BAD_CAST "unit", BAD_CAST "M");
}

static void add_devices(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr devices = vh_xml_add(domain, "devices", NULL), backend;

	if (d->disk)
		add_disk(devices, d->disk);
	vh_xml_add(devices, "controller", "type", "usb", "model", "none", NULL);
	for (size_t i = 0; i < d->n_nics; i++)
		add_nic(devices, &d->nics[i]);
	if (d->shmem)
		add_shmem(devices, d->shmem);
	add_console(devices, d->console_log);
	vh_xml_add(devices, "memballoon", "model", "none", NULL);
	backend = vh_xml_text(vh_xml_add(devices, "rng", "model", "virtio", NULL), "backend", "/dev/urandom");
	vh_xml_setf(backend, "model", "random");
}

static int build(xmlNodePtr domain, const struct vh_domain *d)
{
	vh_autofree char *cpus = NULL, *nodes = NULL;

	if (d->place) {
		cpus = vh_cpu_list(d->place->cpus, d->place->n_cpus);
		nodes = vh_cpu_list(d->place->nodes, d->place->n_nodes);
		if (!cpus || !nodes)
			return -ENOMEM;
	}
	vh_xml_text(domain, "name", d->name);
	if (d->uuid)
		vh_xml_text(domain, "uuid", d->uuid);
	add_lease(domain, d, cpus);
	add_size(domain, d, cpus);
	if (d->place)
		add_pins(domain, d, cpus, nodes);
	add_boot(domain, d);
	add_cpu(domain, d);
	add_devices(domain, d);
	return 0;
}

int vh_domain_xml(const struct vh_domain *d, char **ret, struct vh_err *err)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr domain = xmlNewNode(NULL, BAD_CAST "domain");
	vh_autoxmlstr text = NULL;
	int r = check(d, err), len;

	if (doc && domain)
		xmlDocSetRootElement(doc, domain);
	else
		xmlFreeNode(domain);
	if (r < 0)
		return r;
	if (!doc || !domain || !xmlNewProp(domain, BAD_CAST "type", BAD_CAST (d->kvm ? "kvm" : "qemu")) ||
	    build(domain, d) < 0)
		return vh_err_nomem(err);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	*ret = text ? strdup((const char *)text) : NULL;
	return *ret ? 0 : vh_err_nomem(err);
}
