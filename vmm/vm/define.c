// SPDX-License-Identifier: Apache-2.0
/* Defining and undefining VMs. What is made is journalled first, so that a killed run's half is
 * found and removed by the next. */
#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "sriov/change/change.h"
#include "sriov/lease/lease.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/private.h"

enum { LOCK_MS = 30000 };

void vh_vm_clear(struct vh_vm *vm)
{
	free(vm->name);
	free(vm->image);
	free(vm->kernel);
	free(vm->initrd);
	free(vm->cmdline);
	free(vm->identity);
	vh_strv_free(vm->disks);
	vh_strv_free(vm->nics);
	*vm = (struct vh_vm){ 0 };
}

/* --- define */

static int refuse_taken(struct vh_virt *v, const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *dir = vh_vm_file(state, name, "");
	const char *is = NULL;
	int r = dir ? vh_virt_state(v, name, &is, err) : vh_err_nomem(err);

	if (r < 0 || (!is && access(dir, F_OK) < 0))
		return r;
	vh_err_refuse(err, EEXIST, "VM %s: a VM of that name is there", name);
	return vh_err_hint(err, "vhpc vm undefine %s", name);
}

static int drop_identities(struct vh_store *s, const char *name, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", name);
	int r = holder ? vh_lease_drop(s, holder, "mac", NULL, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_lease_drop(s, holder, "guid", NULL, err);
	return r < 0 ? r : vh_lease_drop(s, holder, "uid", NULL, err);
}

/* A cluster's node is the cluster's; and what runs stays. */
static int check_removable(struct vh_virt *v, const char *name, struct vh_err *err)
{
	vh_autofree char *owner = NULL;
	const char *is;
	int r = vh_virt_look(v, name, &is, &owner, err);

	if (r < 0 || !is)
		return r;
	if (!owner || strcmp(owner, VH_VM_OWNER))
		return vh_err_refuse(err, EPERM, "VM %s: was not made by vhpc vm define", name);
	if (vh_virt_is_off(is))
		return 0;
	vh_err_refuse(err, EBUSY, "VM %s: is running", name);
	return vh_err_hint(err, "vhpc vm stop %s", name);
}

/* All that a VM of that name is; 0 where there is nothing. */
static int remove_all(struct vh_virt *v, struct vh_store *s, const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *dir = vh_vm_file(state, name, "");
	int r = dir ? check_removable(v, name, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_virt_remove(v, name, VH_VM_OWNER, err);
	if (r == 0)
		r = vh_remove_tree(dir, err);
	return r < 0 ? r : drop_identities(s, name, err);
}

/* A run that was killed on its way has left the step begun. */
static int clear_half(struct vh_virt *v, struct vh_store *s, const char *state, const char *run, const char *name,
		      struct vh_err *err)
{
	struct vh_step *steps;
	size_t n;
	int r = vh_journal_list(s, run, &steps, &n, err);

	if (r < 0)
		return r;
	if (n)
		r = remove_all(v, s, state, name, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = vh_journal_forget(s, steps[i].id, err);
	vh_journal_free(steps, n);
	return r;
}

/* The same MACs after any restart and on any host. */
static int name_ports(const char *state, struct vh_vm *vm, struct vh_err *err)
{
	vh_autosriov s = NULL;
	unsigned port = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < vm->layout->n_devices; i++) {
		struct vh_layout_device *d = &vm->layout->devices[i];
		struct vh_sriov_identity id;

		if (d->kind != VH_DEVICE_NIC || !*d->pf || *d->mac)
			continue;
		if (!s)
			r = vh_sriov_open(&s, NULL, state, err);
		if (r == 0)
			r = vh_sriov_identity(s, "vm", vm->name, ++port, &id, err);
		if (r == 0)
			memcpy(d->mac, id.mac, sizeof(d->mac));
	}
	return r;
}

/* A kernel that is given may be other VMs' too, and libvirt gives it to one user. */
static int take_user(struct vh_virt *v, struct vh_store *s, struct vh_vm *vm, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", vm->name);

	int r = holder ? 0 : vh_err_nomem(err);

	if (r < 0 || vm->kernel || !vh_virt_any_user(v))
		return r;
	r = vh_store_begin(s, err);
	return r < 0 ? r : vh_store_settle(s, vh_user_take(s, holder, &vm->uid, err), err);
}

static int make_vm(struct vh_virt *v, struct vh_store *s, const char *state, struct vh_vm *vm, struct vh_err *err)
{
	vh_autoroot root = NULL;
	vh_autofree char *xml = NULL;
	struct vh_accel accel;
	int r = vh_root_open(&root, NULL, err);

	if (r < 0)
		return r;
	vh_accel_detect(root, &accel);
	/* QEMU's own processor tells guests of no hardware threads: they see as many cores. */
	if (!accel.kvm) {
		vm->layout->cores *= vm->layout->threads;
		vm->layout->threads = 1;
	}
	r = take_user(v, s, vm, err);
	if (r == 0 && !vm->rehearse)
		r = name_ports(state, vm, err);
	if (r == 0)
		r = vh_vm_make_files(state, vm, err);
	if (r == 0)
		r = vh_vm_xml(state, vm, &accel, root, &xml, err);
	return r < 0 ? r : vh_virt_define(v, xml, err);
}

static int define_locked(struct vh_virt *v, struct vh_store *s, const char *state, struct vh_vm *vm,
			 struct vh_err *err)
{
	vh_autofree char *run = vh_strf("vm/%s", vm->name);
	vh_autoerr undo = VH_ERR_NONE;
	int64_t id;
	int r = run ? clear_half(v, s, state, run, vm->name, err) : vh_err_nomem(err);

	if (r == 0)
		r = refuse_taken(v, state, vm->name, err);
	if (r == 0)
		r = vh_journal_begin(s, run, "define", vm->name, &id, err);
	if (r < 0)
		return r;
	r = make_vm(v, s, state, vm, err);
	if (r < 0 && remove_all(v, s, state, vm->name, &undo) < 0) {
		vh_err_as(err, VH_EXIT_PARTIAL);
		vh_err_hint(err, "undoing failed too: %s; vhpc vm undefine %s", undo.text, vm->name);
		return r;
	}
	/* A step that stays has the next run look for a half that is not there. */
	if (vh_journal_forget(s, id, r < 0 ? &undo : err) < 0 && r == 0)
		r = -err->num;
	return r;
}

int vh_vm_define(struct vh_virt *v, const char *state, struct vh_vm *vm, struct vh_err *err)
{
	vh_autofree char *lock = vh_strf("vm-%s", vm->name);
	vh_autostore s = NULL;
	vh_autoclose int fd = -1;
	int r = lock ? vh_lock(state, lock, LOCK_MS, &fd, err) : vh_err_nomem(err);

	if (r == 0)
		r = vh_store_open(&s, state, VH_STORE_WRITE, err);
	return r < 0 ? r : define_locked(v, s, state, vm, err);
}

/* --- undefine */

static int undefine_locked(struct vh_virt *v, struct vh_store *s, const char *state, const char *name,
			   struct vh_err *err)
{
	vh_autofree char *run = vh_strf("vm/%s", name), *dir = vh_vm_file(state, name, "");
	const char *is = NULL;
	int r = run && dir ? vh_virt_state(v, name, &is, err) : vh_err_nomem(err);

	if (r < 0)
		return r;
	if (!is && access(dir, F_OK) < 0)
		return vh_err_refuse(err, ENOENT, "VM %s: no such VM", name);
	r = remove_all(v, s, state, name, err);
	return r < 0 ? r : clear_half(v, s, state, run, name, err);
}

int vh_vm_undefine(struct vh_virt *v, const char *state, const char *name, struct vh_err *err)
{
	vh_autofree char *lock = vh_strf("vm-%s", name);
	vh_autostore s = NULL;
	vh_autoclose int fd = -1;
	int r = vh_hostname_check(name, err);

	if (r == 0)
		r = lock ? vh_lock(state, lock, LOCK_MS, &fd, err) : vh_err_nomem(err);
	if (r == 0)
		r = vh_store_open(&s, state, VH_STORE_WRITE, err);
	return r < 0 ? r : undefine_locked(v, s, state, name, err);
}
