// SPDX-License-Identifier: Apache-2.0
#include "vmm/domain/domain.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "lib/strv.h"
#include "lib/values.h"
#include "lib/xml/xml.h"
#include "vmm/domain/private.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"

/* As many vCPUs as have a number without x2APIC, which QEMU's own processor lacks. */
enum { XAPIC_VCPUS_MAX = 255, DISKS_MAX = 26, SERIAL_MAX = 20, TAG_MAX = 36 };

static int check_path(const struct vh_domain *d, const char *what, const char *path, struct vh_err *err)
{
	if (path && (path[0] != '/' || !vh_xml_can_hold(path)))
		return vh_err_refuse(err, EINVAL, "%s: %s %s: not an absolute path of plain text", d->name,
				     what, path);
	return 0;
}

/* virtio carries so many bytes of it. */
static int check_serial(const struct vh_domain *d, const char *serial, struct vh_err *err)
{
	if (serial && (!vh_is_hostname(serial) || strlen(serial) > SERIAL_MAX))
		return vh_err_refuse(err, EINVAL, "%s: disk %.40s: no serial number of at most %d letters and digits", d->name, serial, SERIAL_MAX);
	return 0;
}

static int check_shares(const struct vh_domain *d, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->n_shares; i++) {
		const char *tag = d->shares[i].tag;

		r = check_path(d, "directory", d->shares[i].dir, err);
		if (r == 0 && (!vh_is_hostname(tag) || strlen(tag) > TAG_MAX))
			r = vh_err_refuse(err, EINVAL, "%s: directory %.40s: no tag of at most %d letters and digits", d->name, tag, TAG_MAX);
	}
	return r;
}

static int check_paths(const struct vh_domain *d, struct vh_err *err)
{
	const struct { const char *what, *path; } paths[] = {
		{ "kernel", d->kernel }, { "initrd", d->initrd }, { "firmware", d->firmware }, { "identity", d->identity },
		{ "NCCL topology", d->nccl }, { "hwloc topology", d->hwloc }, { "console log", d->console_log },
	};
	int r = d->n_disks > DISKS_MAX ? vh_err_refuse(err, E2BIG, "%s: more than %d disks", d->name, DISKS_MAX) : 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(paths); i++)
		r = check_path(d, paths[i].what, paths[i].path, err);
	for (size_t i = 0; r == 0 && i < d->n_disks; i++)
		if ((r = check_path(d, "disk", d->disks[i].path, err)) == 0 &&
		    (r = check_path(d, "disk", d->disks[i].base, err)) == 0)
			r = check_serial(d, d->disks[i].serial, err);
	return r;
}

static int check_nics(const struct vh_domain *d, struct vh_err *err)
{
	for (size_t i = 0; i < d->n_nics; i++) {
		const struct vh_nic *nic = &d->nics[i];

		if (!nic->tap[0] || strlen(nic->tap) >= IFNAMSIZ || strchr(nic->tap, '/') ||
		    !vh_xml_can_hold(nic->tap))
			return vh_err_refuse(err, EINVAL, "%s: tap %s: no interface name", d->name, nic->tap);
		if (nic->mac && !vh_is_mac(nic->mac))
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

static int check_layout(const struct vh_domain *d, struct vh_err *err)
{
	const struct vh_layout *l = d->layout;

	if (!l->vcpus || !l->n_cells)
		return vh_err_refuse(err, EINVAL, "%s: a VM has vCPUs and memory", d->name);
	for (size_t i = 0; i < l->n_cells; i++)
		if (!l->cells[i].memory)
			return vh_err_refuse(err, EINVAL, "%s: guest node %zu has no memory", d->name, i);
	if (!d->kvm && l->vcpus > XAPIC_VCPUS_MAX)
		return vh_err_refuse(err, ERANGE, "%s: %u vCPUs: without KVM at most %d", d->name, l->vcpus,
				     XAPIC_VCPUS_MAX);
	return 0;
}

static int check_domain(const struct vh_domain *d, struct vh_err *err)
{
	int r = vh_hostname_check(d->name, err);

	if (r == 0)
		r = check_layout(d, err);
	if (r < 0)
		return r;
	if (!d->kernel == !d->firmware || (d->owner && !vh_xml_can_hold(d->owner)) || (d->uuid && !vh_xml_can_hold(d->uuid)) ||
	    (d->cmdline && !vh_xml_can_hold(d->cmdline)))
		return vh_err_refuse(err, EINVAL, "%s: has no kernel or firmware, or its command line, owner or UUID is not plain text",
				     d->name);
	r = check_paths(d, err);
	if (r == 0)
		r = check_shmem(d, err);
	if (r == 0)
		r = check_shares(d, err);
	return r < 0 ? r : check_nics(d, err);
}

static int make_lease(const struct vh_domain *d, struct vh_domain_lease *ret)
{
	vh_autofree char *holder = vh_strf("vm/%s", d->name);

	return holder ? vh_layout_lease(d->layout, d->rehearse, holder, d->owner, ret) : -ENOMEM;
}

/* {VH_DOMAIN_NS}lease in the metadata; read back by vh_domain_lease_parse. */
static int add_lease(xmlNodePtr domain, const struct vh_domain *d)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease l = { 0 };
	const int r = make_lease(d, &l);
	xmlNodePtr lease = vh_xml_add(vh_xml_add(domain, "metadata", NULL), "lease", NULL);
	xmlNsPtr ns = lease ? xmlNewNs(lease, BAD_CAST VH_DOMAIN_NS, BAD_CAST "vhpc") : NULL;

	if (r < 0 || !ns)
		return -ENOMEM;
	xmlSetNs(lease, ns);
	return vh_domain_fill_lease(lease, &l);
}

static void add_memory(xmlNodePtr domain, const struct vh_domain *d)
{
	vh_autofree char *kib = vh_strf("%llu", (unsigned long long)((vh_layout_memory(d->layout) + 1023) / 1024));

	xmlNewProp(vh_xml_text(domain, "memory", kib ? kib : ""), BAD_CAST "unit", BAD_CAST "KiB");
}

static void add_file(xmlNodePtr *sysinfo, xmlNodePtr domain, const char *name, const char *file)
{
	if (!file)
		return;
	if (!*sysinfo)
		*sysinfo = vh_xml_add(domain, "sysinfo", "type", "fwcfg", NULL);
	vh_xml_add(*sysinfo, "entry", "name", name, "file", file, NULL);
}

static int add_kernel(xmlNodePtr os, const struct vh_domain *d)
{
	vh_autofree char *cmdline = vh_domain_cmdline(d);

	if (!cmdline)
		return -ENOMEM;
	vh_xml_text(os, "kernel", d->kernel);
	if (d->initrd)
		vh_xml_text(os, "initrd", d->initrd);
	vh_xml_text(os, "cmdline", cmdline);
	return 0;
}

/* Firmware from a ROM keeps no variables: it looks for the disk's own boot program each time. */
static int add_boot(xmlNodePtr domain, const struct vh_domain *d)
{
	xmlNodePtr os = vh_xml_add(domain, "os", NULL), sysinfo = NULL;

	xmlNewProp(vh_xml_text(os, "type", "hvm"), BAD_CAST "arch", BAD_CAST "x86_64");
	xmlNewProp(vh_xml_child(os, NULL, "type"), BAD_CAST "machine", BAD_CAST "q35");
	if (d->firmware)
		xmlNewProp(vh_xml_text(os, "loader", d->firmware), BAD_CAST "type", BAD_CAST "rom");
	else if (add_kernel(os, d) < 0)
		return -ENOMEM;
	add_file(&sysinfo, domain, "opt/io.systemd.credentials/vhpc.identity", d->identity);
	add_file(&sysinfo, domain, "opt/vhpc/nccl.xml", d->nccl);
	add_file(&sysinfo, domain, "opt/vhpc/hwloc.xml", d->hwloc);
	return 0;
}

static void add_clock(xmlNodePtr domain)
{
	vh_xml_add(vh_xml_add(domain, "clock", "offset", "utc", NULL), "timer", "name", "hpet",
		   "present", "no", NULL);
	vh_xml_text(domain, "on_poweroff", "destroy");
	vh_xml_text(domain, "on_reboot", "restart");
	vh_xml_text(domain, "on_crash", "destroy");
}

/* Past 255 vCPUs interrupts need remapping to reach them all. */
static void add_iommu(xmlNodePtr domain, xmlNodePtr devices, const struct vh_domain *d)
{
	if (d->layout->vcpus <= XAPIC_VCPUS_MAX)
		return;
	vh_xml_add(vh_xml_child(domain, NULL, "features"), "ioapic", "driver", "qemu", NULL);
	vh_xml_add(vh_xml_add(devices, "iommu", "model", "intel", NULL), "driver", "intremap", "on", "eim", "on", NULL);
}

/* libvirt gives QEMU's files to that user while it runs. */
static int add_user(xmlNodePtr domain, const struct vh_domain *d)
{
	vh_autofree char *label = vh_strf("+%u:+%u", d->uid, d->gid);
	xmlNodePtr seclabel = d->uid ? vh_xml_add(domain, "seclabel", "type", "static", "model", "dac", "relabel", "yes", NULL)
				     : NULL;

	if (seclabel && label)
		vh_xml_text(seclabel, "label", label);
	return label ? 0 : -ENOMEM;
}

static int build(xmlNodePtr domain, const struct vh_domain *d, const struct vh_guest_pci *pci)
{
	xmlNodePtr devices;

	vh_xml_text(domain, "name", d->name);
	if (d->uuid)
		vh_xml_text(domain, "uuid", d->uuid);
	if (add_lease(domain, d) < 0)
		return -ENOMEM;
	add_memory(domain, d);
	if (vh_domain_add_binding(domain, d) < 0 || add_boot(domain, d) < 0)
		return -ENOMEM;
	vh_domain_add_cpu(domain, d);
	add_clock(domain);
	devices = vh_xml_add(domain, "devices", NULL);
	vh_domain_add_passed(devices, d, pci);
	vh_domain_add_virtual(devices, d);
	add_iommu(domain, devices, d);
	return add_user(domain, d);
}

int vh_domain_xml(const struct vh_domain *d, char **ret, struct vh_err *err)
{
	vh_autoxml doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr domain = xmlNewNode(NULL, BAD_CAST "domain");
	vh_cleanup(vh_guest_pci_clear) struct vh_guest_pci pci = { 0 };
	vh_autoxmlstr text = NULL;
	int r = check_domain(d, err), len;

	if (doc && domain)
		xmlDocSetRootElement(doc, domain);
	else
		xmlFreeNode(domain);
	if (r == 0)
		r = vh_guest_pci(d->layout, &pci);
	if (r == -E2BIG)
		return vh_err_refuse(err, E2BIG, "%s: %zu devices need more PCI buses than a guest has", d->name,
				     d->layout->n_devices);
	if (r < 0)
		return err->num ? r : vh_err_nomem(err);
	if (!doc || !domain || !xmlNewProp(domain, BAD_CAST "type", BAD_CAST (d->kvm ? "kvm" : "qemu")) ||
	    build(domain, d, &pci) < 0)
		return vh_err_nomem(err);
	xmlDocDumpFormatMemory(doc, &text, &len, 1);
	*ret = text ? strdup((const char *)text) : NULL;
	return *ret ? 0 : vh_err_nomem(err);
}
