// SPDX-License-Identifier: Apache-2.0
/* The domain of a VM: its layout with the files of its directory; and one that somebody else made, on this host. */
#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/show/table.h"
#include "vmm/domain/domain.h"
#include "vmm/host/host.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/private.h"

enum { QUEUES_MAX = 16 };

struct parts {
	char *kernel, *initrd, *cmdline, *log, *disk, *base, *hwloc, *nccl;
	struct vh_disk *disks;
	struct vh_nic *nics;
	char **texts;		/* what disks and nics point into */
	struct vh_host *here;
};

static void parts_clear(struct parts *p)
{
	free(p->kernel);
	free(p->initrd);
	free(p->cmdline);
	free(p->log);
	free(p->disk);
	free(p->base);
	free(p->hwloc);
	free(p->nccl);
	free(p->disks);
	free(p->nics);
	vh_strv_free(p->texts);
	vh_host_free(p->here);
}

static int image_cmdline(const struct vh_vm *vm, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/image.json", vm->image);
	vh_autojson doc = path ? json_load_file(path, 0, NULL) : NULL;
	const char *given = json_string_value(json_object_get(doc, "cmdline"));

	if (!given)
		return vh_err_refuse(err, EINVAL, "image %s: image.json tells no command line", vm->image);
	for (const char *c = given; *c; c++)
		if (*c < ' ' || *c > '~')
			return vh_err_refuse(err, EINVAL, "image %s: its command line is no line of ASCII", vm->image);
	*ret = vm->cmdline ? vh_strf("%s %s", given, vm->cmdline) : strdup(given);
	return *ret ? 0 : vh_err_nomem(err);
}

/* A copy that lives as long as the parts. */
static char *keep(struct parts *p, const char *text)
{
	return vh_strv_push(&p->texts, text) < 0 ? NULL : p->texts[vh_strv_len(p->texts) - 1];
}

static int fill_disks(const struct vh_vm *vm, struct parts *p, size_t *ret_n, struct vh_err *err)
{
	size_t n = 0;

	p->disks = calloc(vh_strv_len(vm->disks) + 1, sizeof(*p->disks));
	if (!p->disks)
		return vh_err_nomem(err);
	if (vm->image)
		p->disks[n++] = (struct vh_disk){ .path = p->disk, .format = "qcow2", .base = p->base };
	for (char **d = vm->disks; d && *d; d++, n++) {
		char *format = keep(p, *d), *path = format ? strchr(format, ':') : NULL;

		if (!path)
			return vh_err_nomem(err);
		*path++ = 0;
		p->disks[n] = (struct vh_disk){ .path = path, .format = format };
	}
	*ret_n = n;
	return 0;
}

/* A tap of several queues takes as many as there are vCPUs, and one of one no more. */
static unsigned queues_of(const struct vh_root *root, const char *tap, unsigned vcpus)
{
	int64_t flags;

	if (vh_root_read_int(root, &flags, "sys/class/net/%s/tun_flags", tap) < 0 || !(flags & IFF_MULTI_QUEUE))
		return 1;
	return vcpus < QUEUES_MAX ? vcpus : QUEUES_MAX;
}

static int fill_nics(const struct vh_vm *vm, const struct vh_root *root, struct parts *p, size_t *ret_n,
		     struct vh_err *err)
{
	size_t n = 0;

	p->nics = calloc(vh_strv_len(vm->nics) + 1, sizeof(*p->nics));
	if (!p->nics)
		return vh_err_nomem(err);
	for (char **nic = vm->nics; nic && *nic; nic++, n++) {
		char *tap = keep(p, *nic), *mac = tap ? strchr(tap, ',') : NULL;

		if (!tap)
			return vh_err_nomem(err);
		if (mac)
			*mac++ = 0;
		p->nics[n] = (struct vh_nic){ tap, mac, queues_of(root, tap, vm->layout->vcpus) };
	}
	*ret_n = n;
	return 0;
}

static int fill_paths(const char *state, const struct vh_vm *vm, struct parts *p, struct vh_err *err)
{
	int r = vm->image ? image_cmdline(vm, &p->cmdline, err) : 0;

	if (r < 0)
		return r;
	if (!vm->image && vm->cmdline && !(p->cmdline = strdup(vm->cmdline)))
		return vh_err_nomem(err);
	p->kernel = vm->kernel ? strdup(vm->kernel) : vh_vm_file(state, vm->name, "kernel");
	/* A kernel that is not the image's has modules of its own. */
	p->initrd = vm->initrd ? strdup(vm->initrd) : vm->kernel ? NULL : vh_vm_file(state, vm->name, "initrd");
	p->log = vh_vm_file(state, vm->name, "console.log");
	p->disk = vh_vm_file(state, vm->name, "disk.qcow2");
	p->base = vh_vm_file(state, vm->name, "root.ext4");
	p->hwloc = vh_vm_file(state, vm->name, "hwloc.xml");
	p->nccl = vh_vm_file(state, vm->name, "nccl.xml");
	return p->kernel && p->log && p->disk && p->base && p->hwloc && p->nccl && (p->initrd || vm->kernel) ? 0 : vh_err_nomem(err);
}

int vh_vm_xml(const char *state, const struct vh_vm *vm, const struct vh_accel *accel, const struct vh_root *root,
	      char **ret, struct vh_err *err)
{
	vh_cleanup(parts_clear) struct parts p = { 0 };
	struct vh_domain d = {
		.name = vm->name, .owner = VH_VM_OWNER, .identity = vm->identity, .kvm = accel->kvm,
		.topoext = accel->topoext, .layout = vm->layout, .uid = vm->uid, .gid = vm->uid ? vh_user_group(vm->uid) : 0,
	};
	int r = fill_paths(state, vm, &p, err);

	if (r == 0)
		r = fill_disks(vm, &p, &d.n_disks, err);
	if (r == 0)
		r = fill_nics(vm, root, &p, &d.n_nics, err);
	if (r == 0 && vm->rehearse)
		r = vh_host_load(root, NULL, &p.here, err);
	if (r < 0)
		return r;
	d.kernel = p.kernel;
	d.initrd = p.initrd;
	d.cmdline = p.cmdline;
	d.console_log = p.log;
	d.hwloc = p.hwloc;
	d.nccl = access(p.nccl, F_OK) == 0 ? p.nccl : NULL;
	d.disks = p.disks;
	d.nics = p.nics;
	d.rehearse = p.here;
	return vh_domain_xml(&d, ret, err);
}

int vh_vm_read_foreign(const char *xml, const struct vh_root *root, struct vh_foreign *ret, struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autofree unsigned *cpus = NULL, *nodes = NULL;
	int r = vh_host_load(root, NULL, &host, err);

	if (r < 0)
		return r;
	cpus = calloc(host->n_cpus + 1, sizeof(*cpus));
	nodes = calloc(host->n_nodes + 1, sizeof(*nodes));
	if (!cpus || !nodes)
		return vh_err_nomem(err);
	for (size_t i = 0; i < host->n_cpus; i++)
		cpus[i] = host->cpus[i].id;
	for (size_t i = 0; i < host->n_nodes; i++)
		nodes[i] = host->nodes[i].id;
	return vh_foreign_parse(xml, strlen(xml), &(struct vh_foreign_host){ cpus, nodes, host->n_cpus, host->n_nodes }, ret, err);
}
