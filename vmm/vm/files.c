// SPDX-License-Identifier: Apache-2.0
/* The directory of a VM, STATE/vms/NAME: what it boots, its disk, its plan. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/files/files.h"
#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/show/table.h"
#include "vmm/domain/domain.h"
#include "vmm/guest/guest.h"
#include "vmm/layout/layout.h"
#include "vmm/vm/private.h"

char *vh_vm_file(const char *state, const char *name, const char *file)
{
	return vh_strf("%s/vms/%s%s%s", state, name, *file ? "/" : "", file);
}

/* Files that the guest is given stay as they are when the image is built anew; copy: it is libvirt's to give
 * to whom QEMU runs as. */
static int take_file(const char *dir, const char *from_dir, const char *file, bool copy, struct vh_err *err)
{
	vh_autofree char *from = vh_strf("%s/%s", from_dir, file), *to = vh_strf("%s/%s", dir, file);

	if (!from || !to)
		return vh_err_nomem(err);
	if (access(from, F_OK) < 0)
		return vh_err_refuse(err, errno, "image %s: %s: %s", from_dir, file, strerror(errno));
	return copy ? vh_copy(from, to, err) : vh_link_or_copy(from, to, err);
}

static int take_image(const char *dir, const struct vh_vm *vm, struct vh_err *err)
{
	static const struct { const char *name; bool copy; } files[] = {
		{ "kernel", true }, { "initrd", true }, { "root.ext4", false },
	};
	vh_autofree char *base = vh_strf("%s/root.ext4", dir), *disk = vh_strf("%s/disk.qcow2", dir);
	bool made;
	int r = 0;

	if (!base || !disk)
		return vh_err_nomem(err);
	for (size_t i = 0; r == 0 && i < vh_array_len(files); i++)
		r = take_file(dir, vm->image, files[i].name, files[i].copy, err);
	return r < 0 ? r : vh_disk_overlay(base, disk, 0, &made, err);
}

static int write_plan(const char *dir, const struct vh_vm *vm, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/plan.json", dir), *text = NULL;
	vh_autojson doc = json_pack("{s:s, s:s, s:b, s:o}", "schema", "vhpc.vm/1", "name", vm->name, "rehearse",
				    vm->rehearse, "plan", vh_layout_to_json(vm->layout));

	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return path && text ? vh_write_file(path, text, strlen(text), 0644, err) : vh_err_nomem(err);
}

static bool has_gpu(const struct vh_layout *l)
{
	for (size_t i = 0; i < l->n_devices; i++)
		if (l->devices[i].kind == VH_DEVICE_GPU)
			return true;
	return false;
}

int vh_vm_tell_guest(const char *dir, const struct vh_layout *l, struct vh_err *err)
{
	vh_autofree char *hwloc = NULL, *nccl = NULL;
	vh_autofree char *to_hwloc = vh_strf("%s/hwloc.xml", dir), *to_nccl = vh_strf("%s/nccl.xml", dir);
	int r;

	if (!to_hwloc || !to_nccl || vh_guest_hwloc(l, &hwloc) < 0 || (has_gpu(l) && vh_guest_nccl(l, &nccl) < 0))
		return vh_err_nomem(err);
	r = vh_write_file(to_hwloc, hwloc, strlen(hwloc), 0644, err);
	return r < 0 || !nccl ? r : vh_write_file(to_nccl, nccl, strlen(nccl), 0644, err);
}

int vh_vm_make_files(const char *state, const struct vh_vm *vm, struct vh_err *err)
{
	vh_autofree char *dir = vh_vm_file(state, vm->name, "");
	int r = dir ? vh_mkdirs(dir, 0711, err) : vh_err_nomem(err);

	if (r == 0 && vm->image)
		r = take_image(dir, vm, err);
	if (r == 0)
		r = vh_vm_tell_guest(dir, vm->layout, err);
	return r < 0 ? r : write_plan(dir, vm, err);
}

/* The layout of a cluster's node, which the cluster's record holds. */
static int cluster_layout(const char *state, const char *name, struct vh_layout *ret, struct vh_err *err)
{
	vh_autostore s = NULL;
	vh_autojson clusters = NULL;
	const char *cluster;
	json_t *record, *node;
	size_t i;
	int r = vh_store_open(&s, state, VH_STORE_READ, err);

	if (r == 0)
		r = vh_record_list(s, "cluster", &clusters, err);
	if (r < 0)
		return r;
	json_object_foreach(clusters, cluster, record)
		json_array_foreach(json_object_get(record, "nodes"), i, node) {
			const char *is = json_string_value(json_object_get(node, "name"));

			if (is && !strcmp(is, name))
				return vh_layout_from_json(json_object_get(node, "layout"), ret, err);
		}
	return -ENOENT;
}

int vh_vm_layout(const char *state, const char *name, struct vh_layout *ret, bool *ret_rehearse, struct vh_err *err)
{
	vh_autofree char *path = vh_vm_file(state, name, "plan.json");
	json_error_t why;
	vh_autojson doc = NULL;

	if (!path)
		return vh_err_nomem(err);
	*ret_rehearse = false;
	if (access(path, F_OK) < 0)
		return cluster_layout(state, name, ret, err);
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return vh_err_set(err, EBADMSG, "%s:%d: %s", path, why.line, why.text);
	*ret_rehearse = json_is_true(json_object_get(doc, "rehearse"));
	if (vh_layout_from_json(json_object_get(doc, "plan"), ret, err) < 0)
		return vh_err_within(err, "%s", path);
	return 0;
}
