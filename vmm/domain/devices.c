// SPDX-License-Identifier: Apache-2.0
/* A domain's devices: those of the host behind their ports, and virtual ones. */
#include <string.h>

#include "lib/strv.h"
#include "lib/xml/xml.h"
#include "vmm/domain/private.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

/* More than a disk or NIC makes use of. */
enum { QUEUES_MAX = 16 };

/* --- PCI tree */

static const char *const models[] = {
	[VH_PORT_EXPANDER] = "pcie-expander-bus", [VH_PORT_ROOT] = "pcie-root-port",
	[VH_PORT_UPSTREAM] = "pcie-switch-upstream-port", [VH_PORT_DOWNSTREAM] = "pcie-switch-downstream-port",
};

static xmlNodePtr add_address(xmlNodePtr device, unsigned bus, unsigned slot, unsigned function)
{
	xmlNodePtr address = vh_xml_add(device, "address", "type", "pci", "domain", "0x0000", NULL);

	vh_xml_setf(address, "bus", "0x%02x", bus);
	vh_xml_setf(address, "slot", "0x%02x", slot);
	vh_xml_setf(address, "function", "0x%x", function);
	return address;
}

static void add_port(xmlNodePtr devices, const struct vh_guest_port *port)
{
	xmlNodePtr controller = vh_xml_add(devices, "controller", "type", "pci", NULL), target;
	vh_autofree char *cell = vh_strf("%u", port->cell);

	vh_xml_setf(controller, "index", "%u", port->index);
	vh_xml_setf(controller, "model", "%s", models[port->model]);
	if (port->model == VH_PORT_EXPANDER) {
		target = vh_xml_add(controller, "target", NULL);
		vh_xml_setf(target, "busNr", "%u", port->bus);
		vh_xml_text(target, "node", cell ? cell : "");
	} else if (port->on) {
		xmlNodePtr address = add_address(controller, port->on, port->slot, port->function);

		if (port->multifunction)
			vh_xml_setf(address, "multifunction", "on");
	}
}

static void add_source(xmlNodePtr device, const char *address)
{
	unsigned domain, bus, slot, function;
	xmlNodePtr source;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return;
	source = vh_xml_add(vh_xml_add(device, "source", NULL), "address", NULL);
	vh_xml_setf(source, "domain", "0x%04x", domain);
	vh_xml_setf(source, "bus", "0x%02x", bus);
	vh_xml_setf(source, "slot", "0x%02x", slot);
	vh_xml_setf(source, "function", "0x%x", function);
	if (!strcmp((const char *)device->name, "interface"))
		vh_xml_setf(source, "type", "pci");
}

/* libvirt sets an Ethernet VF's MAC through its PF; all else is handed over as it is. */
static xmlNodePtr add_hostdev(xmlNodePtr devices, const struct vh_layout_device *d)
{
	xmlNodePtr dev;

	if (d->kind == VH_DEVICE_NIC && *d->pf) {
		dev = vh_xml_add(devices, "interface", "type", "hostdev", "managed", "yes", NULL);
		if (*d->mac)
			vh_xml_add(dev, "mac", "address", d->mac, NULL);
	} else {
		dev = vh_xml_add(devices, "hostdev", "mode", "subsystem", "type", "pci", "managed", "yes", NULL);
	}
	vh_xml_add(dev, "driver", "name", "vfio", NULL);
	add_source(dev, d->address);
	vh_xml_add(dev, "rom", "enabled", "no", NULL);
	return dev;
}

/* In a rehearsal a SCSI controller that nothing is attached to stands for whatever it is. */
static xmlNodePtr add_stand_in(xmlNodePtr devices, size_t i)
{
	xmlNodePtr dev = vh_xml_add(devices, "controller", "type", "scsi", "model", "virtio-non-transitional", NULL);

	vh_xml_setf(dev, "index", "%zu", i);
	return dev;
}

void vh_domain_add_passed(xmlNodePtr devices, const struct vh_domain *d, const struct vh_guest_pci *pci)
{
	const struct vh_layout *l = d->layout;

	if (pci->hole && !d->rehearse) {
		vh_autofree char *kib = vh_strf("%llu", (unsigned long long)pci->hole >> 10);
		xmlNodePtr root = vh_xml_add(devices, "controller", "type", "pci", "index", "0", "model", "pcie-root", NULL);

		xmlNewProp(vh_xml_text(root, "pcihole64", kib ? kib : ""), BAD_CAST "unit", BAD_CAST "KiB");
	}
	for (size_t i = 0; i < pci->n_ports; i++)
		add_port(devices, &pci->ports[i]);
	for (size_t i = 0; i < l->n_devices; i++)
		add_address(d->rehearse ? add_stand_in(devices, i) : add_hostdev(devices, &l->devices[i]), pci->on[i], 0, 0);
}

/* --- virtual devices */

/* libvirt gives a disk's files to whom QEMU runs as, and who owns a file writes it: not this one. */
static void let_be(xmlNodePtr source)
{
	vh_xml_add(source, "seclabel", "model", "dac", "relabel", "no", NULL);
}

static void add_base(xmlNodePtr disk, const char *base)
{
	xmlNodePtr store = vh_xml_add(disk, "backingStore", "type", "file", NULL), source;

	vh_xml_add(store, "format", "type", "raw", NULL);
	source = vh_xml_add(store, "source", "file", base, NULL);
	let_be(source);
	vh_xml_add(store, "backingStore", NULL);
}

static void add_disk(xmlNodePtr devices, const struct vh_domain *d, size_t i)
{
	const struct vh_layout *l = d->layout;
	xmlNodePtr disk = vh_xml_add(devices, "disk", "type", "file", "device", "disk", NULL), driver, source;
	vh_autofree char *dev = vh_strf("vd%c", (int)('a' + i));

	/* The base image is shared by all VMs of a cluster: the host's page cache reads it once. */
	driver = vh_xml_add(disk, "driver", "name", "qemu", "type", d->disks[i].format, "cache", "writeback",
			    "discard", "unmap", NULL);
	if (l->vcpus > 1)
		vh_xml_setf(driver, "queues", "%u", l->vcpus < QUEUES_MAX ? l->vcpus : QUEUES_MAX);
	if (l->iothreads)
		vh_xml_setf(driver, "iothread", "%zu", i % l->iothreads + 1);
	source = vh_xml_add(disk, "source", "file", d->disks[i].path, NULL);
	if (d->disks[i].readonly)
		let_be(source);
	if (d->disks[i].base)
		add_base(disk, d->disks[i].base);
	vh_xml_add(disk, "target", "dev", dev, "bus", "virtio", NULL);
	if (d->disks[i].readonly)
		vh_xml_add(disk, "readonly", NULL);
	/* Guests write their disks: else libvirt looks for a base there, and gives it to QEMU. */
	if (d->disks[i].serial) {
		vh_xml_add(disk, "backingStore", NULL);
		vh_xml_text(disk, "serial", d->disks[i].serial);
	}
}

static void add_share(xmlNodePtr devices, const struct vh_share *share)
{
	xmlNodePtr fs = vh_xml_add(devices, "filesystem", "type", "mount", "accessmode", "passthrough", NULL);

	vh_xml_add(fs, "driver", "type", "virtiofs", NULL);
	vh_xml_add(fs, "source", "dir", share->dir, NULL);
	vh_xml_add(fs, "target", "dir", share->tag, NULL);
}

static void add_nic(xmlNodePtr devices, const struct vh_nic *nic)
{
	xmlNodePtr dev = vh_xml_add(devices, "interface", "type", "ethernet", NULL);

	if (nic->mac)
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

void vh_domain_add_virtual(xmlNodePtr devices, const struct vh_domain *d)
{
	xmlNodePtr backend;

	for (size_t i = 0; i < d->n_disks; i++)
		add_disk(devices, d, i);
	for (size_t i = 0; i < d->n_shares; i++)
		add_share(devices, &d->shares[i]);
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
