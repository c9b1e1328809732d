// SPDX-License-Identifier: Apache-2.0
/* vhpc vm show and check: a VM beside its plan. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/json.h"
#include "lib/store/store.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "vmm/cli/cli.h"
#include "vmm/domain/domain.h"
#include "vmm/guest/guest.h"
#include "vmm/host/host.h"
#include "vmm/kernel/kernel.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

const struct vh_opt vh_check_options[] = {
	{ "guest", 0, VH_OPT_STR, offsetof(struct vh_check_opts, guest), "FILE",
	  "what lstopo --of xml printed inside, to compare as well" },
	{ 0 },
};

struct looked {
	struct vh_layout layout;
	struct vh_host *host;
	struct vh_root *root;
	char **pids;
	struct vh_lease *leases;
	size_t n_leases;
	char *holder;
	const char *state;	/* libvirt's word for it */
	char *xml;
	struct vh_check check;
};

static void looked_clear(struct looked *l)
{
	vh_layout_clear(&l->layout);
	vh_host_free(l->host);
	vh_root_free(l->root);
	vh_strv_free(l->pids);
	vh_lease_free(l->leases, l->n_leases);
	free(l->holder);
	free(l->xml);
}

static int find_plan(struct vh_cli *cli, struct looked *l, struct vh_err *err)
{
	bool rehearse = false;
	int r = vh_vm_layout(cli->state, cli->argv[0], &l->layout, &rehearse, err);

	if (r == -ENOENT && !err->num)
		return vh_err_refuse(err, ENOENT, "VM %s: no plan of it is here", cli->argv[0]);
	if (r == 0)
		r = vh_root_open(&l->root, NULL, err);
	if (r == 0 && rehearse)
		r = vh_host_load(l->root, NULL, &l->host, err);
	return r;
}

/* A VM that is off has no threads that float. */
static int find_leases(struct vh_cli *cli, struct looked *l, struct vh_err *err)
{
	vh_autostore s = NULL;
	int r;

	l->holder = vh_strf("vm/%s", cli->argv[0]);
	if (!l->holder)
		return vh_err_nomem(err);
	if (vh_virt_is_off(l->state))
		return 0;
	r = vh_store_open(&s, cli->state, VH_STORE_READ, err);
	return r < 0 ? r : vh_lease_list(s, "cpu", NULL, &l->leases, &l->n_leases, err);
}

/* running: only then has it threads and pages. */
static int look_at_vm(struct vh_cli *cli, bool running, struct looked *l, struct vh_err *err)
{
	const char *name = cli->argv[0];
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	vh_cleanup(vh_domain_lease_clear) struct vh_domain_lease lease = { 0 };
	int r = vh_open_daemon(cli, &v, err);

	if (r == 0)
		r = vh_virt_state(v, name, &l->state, err);
	if (r == 0)
		r = vh_virt_xml(v, name, &l->xml, err);
	if (r == 0)
		r = find_plan(cli, l, err);
	if (r == 0)
		r = find_leases(cli, l, err);
	if (r < 0)
		return r;
	l->check = (struct vh_check){ .name = name, .layout = &l->layout, .rehearse = l->host, .xml = l->xml, .root = l->root,
				      .leases = l->leases, .n_leases = l->n_leases, .holder = l->holder };
	if (!running)
		return 0;
	vh_root_list(l->root, &l->pids, "proc");
	r = vh_virt_lease(v, name, &lease, err);
	if (r < 0)
		return r;
	l->check.pid = vh_qemu_process(l->root, l->pids, name, lease.uuid);
	if (l->check.pid)
		return 0;
	vh_err_refuse(err, ESRCH, "VM %s: has no process here: it is %s", name, l->state);
	return vh_err_hint(err, "vhpc vm show %s", name);
}

/* --- show */

static void print_head(const char *name, const struct looked *l)
{
	char memory[16], page[16];

	printf("%s is %s%s: %u vCPUs in %u sockets of %u dies, %u cores, %u threads; %s in pages of %s\n", name, l->state,
	       l->host ? " in rehearsal" : "", l->layout.vcpus, l->layout.sockets, l->layout.dies, l->layout.cores,
	       l->layout.threads, vh_size_format(memory, sizeof(memory), vh_layout_memory(&l->layout)),
	       vh_size_format(page, sizeof(page), l->layout.page));
}

int vh_verb_show(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col columns[] = {
		{ "CHECK", "check", VH_COL_TEXT }, { "PLAN", "wanted", VH_COL_TEXT }, { "LIBVIRT", "libvirt", VH_COL_TEXT },
		{ "VERDICT", "verdict", VH_COL_TEXT }, { 0 },
	};
	vh_cleanup(looked_clear) struct looked l = { 0 };
	vh_autofindings found = VH_FINDINGS_NONE;
	int r = look_at_vm(cli, false, &l, err);

	if (r == 0)
		r = vh_check(&l.check, &found, err);
	if (r < 0)
		return r;
	if (cli->json)
		return vh_json_print("vhpc.vm.show/2", json_pack("{s:s, s:s, s:b, s:o, s:O}", "name", cli->argv[0], "state",
								 l.state, "rehearse", l.host != NULL, "plan",
								 vh_layout_to_json(&l.layout), "findings", found.rows), err);
	print_head(cli->argv[0], &l);
	vh_table_print(stdout, columns, found.rows);
	return 0;
}

/* --- check */

static void print_check(const json_t *rows, const json_t *inside)
{
	static const struct vh_col columns[] = {
		{ "CHECK", "check", VH_COL_TEXT }, { "PLAN", "wanted", VH_COL_TEXT }, { "LIBVIRT", "libvirt", VH_COL_TEXT },
		{ "CGROUP", "cgroup", VH_COL_TEXT }, { "KERNEL", "kernel", VH_COL_TEXT }, { "VERDICT", "verdict", VH_COL_TEXT },
		{ 0 },
	};

	vh_table_print(stdout, columns, rows);
	if (inside)
		vh_findings_print(stdout, inside, true);
}

int vh_verb_check(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_check_opts *o = cli->opts;
	vh_cleanup(looked_clear) struct looked l = { 0 };
	vh_autofindings found = VH_FINDINGS_NONE, inside = VH_FINDINGS_NONE;
	size_t wrong;
	int r = look_at_vm(cli, true, &l, err);

	if (r == 0)
		r = vh_check(&l.check, &found, err);
	if (r == 0 && o->guest)
		r = vh_guest_compare(&l.layout, cli->argv[0], o->guest, &inside, err);
	if (r < 0)
		return r;
	wrong = found.count[VH_WRONG] + inside.count[VH_WRONG];
	if (cli->json) {
		vh_findings_join(&found, &inside);
		r = vh_json_print("vhpc.vm.check/2", json_pack("{s:s, s:I, s:O}", "name", cli->argv[0], "wrong",
							       (json_int_t)wrong, "findings", found.rows), err);
	} else {
		print_check(found.rows, inside.rows);
	}
	if (r < 0 || !wrong)
		return r;
	return vh_err_refuse(err, EXDEV, "VM %s: %zu of these are not as planned", cli->argv[0], wrong);
}
