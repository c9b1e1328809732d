// SPDX-License-Identifier: Apache-2.0
/* What a VM holds, told to a store that has lost it; and whose VMs those of a directory are that was moved or restored. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/home.h"
#include "lib/files/read.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "vmm/domain/domain.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

/* A cluster's node has its user and its MACs of the cluster. */
static int take_own(struct vh_store *s, const char *state, const char *name, const struct vh_domain_lease *lease,
		    struct vh_err *err)
{
	vh_cleanup(vh_layout_clear) struct vh_layout layout = { 0 };
	bool rehearse;
	char uid[16];
	int r = 0;

	if (!lease->owner || strcmp(lease->owner, VH_VM_OWNER))
		return 0;
	snprintf(uid, sizeof(uid), "%u", lease->uid);
	if (lease->uid)
		r = vh_lease_take(s, "uid", uid, lease->holder, 0, err);
	if (r == 0)
		r = vh_vm_layout(state, name, &layout, &rehearse, err);
	/* Without its directory nothing tells its MACs. */
	if (r == -ENOENT && !err->num)
		return 0;
	for (size_t i = 0; r == 0 && i < layout.n_devices; i++)
		if (*layout.devices[i].mac)
			r = vh_lease_take(s, "mac", layout.devices[i].mac, lease->holder, 0, err);
	return r;
}

static int count(struct vh_store *s, const char *holder, size_t *ret, struct vh_err *err)
{
	struct vh_lease *leases;
	int r = vh_lease_list(s, NULL, holder, &leases, ret, err);

	if (r == 0)
		vh_lease_free(leases, *ret);
	return r;
}

static int take_all(struct vh_store *s, const char *state, const char *name, const struct vh_domain_lease *lease, bool runs,
		    struct vh_err *err)
{
	vh_autoroot root = NULL;
	int r = take_own(s, state, name, lease, err);

	if (r == 0 && runs)
		r = vh_root_open(&root, NULL, err);
	if (r == 0 && runs)
		r = vh_domain_lease_take(s, root, lease, err);
	return r < 0 || !runs ? r : vh_domain_lease_keep(s, root, lease, 0, err);
}

int vh_vm_recover(struct vh_virt *v, const char *state, const char *name, unsigned *ret_n, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autostore s = NULL;
	const char *is = NULL;
	size_t before = 0, after = 0;
	int r = vh_virt_lease(v, name, &lease, err);

	if (r == 0)
		r = vh_virt_state(v, name, &is, err);
	if (r == 0)
		r = vh_store_open(&s, state, VH_STORE_WRITE, err);
	if (r == 0)
		r = count(s, lease.holder, &before, err);
	if (r == 0)
		r = vh_store_begin(s, err);
	if (r == 0)
		r = vh_store_settle(s, take_all(s, state, name, &lease, is && !vh_virt_is_off(is), err), err);
	if (r == 0)
		r = count(s, lease.holder, &after, err);
	if (r == 0)
		*ret_n = after > before ? (unsigned)(after - before) : 0;
	/* It may have ended before its leases were taken. */
	if (r == 0)
		r = vh_vm_ended(v, state, name, err);
	return r < 0 ? vh_err_within(err, "VM %s", name) : 0;
}

/* --- a directory that was moved from another file system, or restored */

static int check_domain(const struct vh_root *root, char *const *pids, const char *path, struct vh_err *err)
{
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	vh_autofree char *xml = NULL;
	const char *pid;
	size_t len;
	int r = vh_host_file(path, &xml, &len, err);

	if (r == 0)
		r = vh_domain_lease_parse(xml, len, &lease, err);
	if (r == -ENODATA && !err->num)
		return 0;
	if (r < 0)
		return r;
	pid = vh_qemu_process(root, pids, lease.holder + strlen("vm/"), lease.uuid);
	return pid ? vh_err_refuse(err, EBUSY, "VM %s: runs, process %s, out of another directory", lease.holder + strlen("vm/"), pid) : 0;
}

/* The private daemon's domains, by the files that it keeps of them. */
static int check_domains(const char *state, const struct vh_root *root, char *const *pids, struct vh_err *err)
{
	vh_autofree char *dir = vh_strf("%s/libvirt/etc/qemu", state);
	DIR *d = dir ? opendir(dir) : NULL;
	const struct dirent *e;
	int r = dir ? 0 : vh_err_nomem(err);

	while (d && r == 0 && (e = readdir(d))) {
		size_t len = strlen(e->d_name);
		vh_autofree char *path = vh_strf("%s/%s", dir, e->d_name);

		if (!path)
			r = vh_err_nomem(err);
		else if ((e->d_type == DT_REG || e->d_type == DT_UNKNOWN) && len > 4 && !strcmp(e->d_name + len - 4, ".xml"))
			r = check_domain(root, pids, path, err);
	}
	if (d)
		closedir(d);
	return r;
}

int vh_vms_adopt(const char *state, struct vh_err *err)
{
	vh_autofree char *run = vh_strf("%s/libvirt/run", state);
	vh_autostrv pids = NULL;
	vh_autoroot root = NULL;
	int r = run ? vh_root_open(&root, NULL, err) : vh_err_nomem(err);

	if (r == 0 && (r = vh_root_list(root, &pids, "proc")) < 0)
		vh_err_set(err, -r, "/proc: %s", strerror(-r));
	if (r == 0)
		r = check_domains(state, root, pids, err);
	/* What libvirt there remembers as running ran elsewhere. */
	if (r == 0)
		r = vh_remove_tree(run, err);
	return r < 0 ? r : vh_home_settle(state, err);
}
