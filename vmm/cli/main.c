// SPDX-License-Identifier: Apache-2.0
#include <errno.h>

#include "lib/cli.h"
#include "lib/show/table.h"
#include "vmm/cli/cli.h"
#include "vmm/virt/virt.h"

static const struct vh_col columns[] = {
	{ "NAME", "name", VH_COL_TEXT },
	{ "STATE", "state", VH_COL_TEXT },
	{ "VCPUS", "vcpus", VH_COL_RIGHT },
	{ "MEMORY", "memory", VH_COL_SIZE },
	{ "CPUS", "cpus", VH_COL_TEXT },
	{ "NODES", "nodes", VH_COL_TEXT },
	{ "OWNER", "owner", VH_COL_TEXT },
	{ NULL, NULL, 0 },
};

static int list_vms(struct vh_cli *cli, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	json_t *rows = NULL;
	int r = vh_virt_open(&v, cli->connect, cli->state, false, err);

	if (r == 0)
		r = vh_virt_list(v, &rows, err);
	else if (r == -ENOTCONN && !err->num)
		rows = json_array();
	if (!rows)
		return r;
	return vh_listing(cli, "vhpc.vm.list/1", "vms", columns, rows, err);
}

static const struct vh_verb verbs[] = {
	{ "list", "", 0, 0, "the VMs of the libvirt daemon, whose they are, and where they are pinned",
	  VH_VERB_JSON, NULL, 0, list_vms },
	{ "plan", "", 0, 0, "where VMs would go, and why; changes nothing", VH_VERB_JSON, vh_plan_options,
	  sizeof(struct vh_plan_opts), vh_verb_plan },
	{ "host", "", 0, 0, "the host as VMs are placed on it, and what is taken of it", VH_VERB_JSON, vh_host_options,
	  sizeof(struct vh_host_opts), vh_verb_host },
	{ "define", "[PLAN]", 0, 1, "make a VM of a plan, or of a request placed on this host", 0, vh_define_options,
	  sizeof(struct vh_define_opts), vh_verb_define },
	{ "start", "NAME", 1, 1, "start a VM that is off", 0, NULL, 0, vh_verb_start },
	{ "stop", "NAME", 1, 1, "shut a VM down", 0, vh_stop_options, sizeof(struct vh_stop_opts), vh_verb_stop },
	{ "destroy", "NAME", 1, 1, "cut a VM's power", 0, NULL, 0, vh_verb_destroy },
	{ "show", "NAME", 1, 1, "a VM's plan, beside what libvirt says", VH_VERB_JSON, NULL, 0, vh_verb_show },
	{ "check", "NAME", 1, 1, "where its threads and pages are, beside its plan; exit 3 on a deviation", VH_VERB_JSON,
	  vh_check_options, sizeof(struct vh_check_opts), vh_verb_check },
	{ "undefine", "NAME", 1, 1, "remove a VM that is off, with its disk", 0, NULL, 0, vh_verb_undefine },
	{ "console", "NAME", 1, 1, "the VM's serial console; Ctrl-] leaves it", 0, NULL, 0, vh_verb_console },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc vm", "virtual machines, through libvirt", verbs };

	return vh_main(&prog, argc, argv);
}
