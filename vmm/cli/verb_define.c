// SPDX-License-Identifier: Apache-2.0
/* vhpc vm define and undefine */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/sysroot.h"
#include "lib/values.h"
#include "vmm/cli/cli.h"
#include "vmm/host/host.h"
#include "vmm/hosts/hosts.h"
#include "vmm/layout/layout.h"
#include "vmm/virt/virt.h"
#include "vmm/vm/vm.h"

#define OPTION(name, member, arg, help) \
	{ name, 0, VH_OPT_STR, offsetof(struct vh_define_opts, member), arg, help }

const struct vh_opt vh_define_options[] = {
	OPTION("image", image, "IMAGE", "what it boots: an image of the store, or a directory with one's files"),
	OPTION("kernel", kernel, "FILE", "a kernel instead of the image's"),
	OPTION("initrd", initrd, "FILE", "an initrd for it"),
	OPTION("cmdline", cmdline, "TEXT", "kernel parameters, after the image's own"),
	{ "disk", 0, VH_OPT_STRV, offsetof(struct vh_define_opts, disks), "FILE[:FORMAT]",
	  "a disk: qcow2 where its name ends so, else raw" },
	{ "nic", 0, VH_OPT_STRV, offsetof(struct vh_define_opts, nics), "TAP[,MAC]", "a virtio NIC on a tap that is there" },
	OPTION("identity", identity, "FILE", "who the guest is, see formats/identity.md"),
	VH_WANT_OPTIONS(offsetof(struct vh_define_opts, want))
	OPTION("reserve", reserve, "CPUS", "CPUs that are kept for the host"),
	{ "rehearse", 0, VH_OPT_FLAG, offsetof(struct vh_define_opts, rehearse), NULL,
	  "another host's plan: devices are emulated, only what is here is bound" },
	{ 0 },
};

/* --- the layout */

static const json_t *find_vm(const json_t *doc, const char *name)
{
	const json_t *vms = json_object_get(doc, "vms"), *vm;
	size_t i;

	if (!name && json_array_size(vms) == 1)
		return json_array_get(vms, 0);
	json_array_foreach(vms, i, vm) {
		const char *is = json_string_value(json_object_get(vm, "name"));

		if (name && is && !strcmp(is, name))
			return vm;
	}
	return NULL;
}

static int from_file(const char *path, const struct vh_define_opts *o, struct vh_vm *vm, struct vh_err *err)
{
	json_error_t why;
	vh_autojson doc = NULL;
	const json_t *plan;
	const char *schema, *name;

	if (o->want.request || vh_want_says_more(&o->want.said) || o->reserve)
		return vh_err_usage(err, "the plan says where: a request beside it is for vhpc vm plan");
	doc = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (!doc)
		return vh_err_refuse(err, EINVAL, "%s:%d: %s", path, why.line, why.text);
	schema = json_string_value(json_object_get(doc, "schema"));
	if (!schema || strcmp(schema, "vhpc.vm.plan/1"))
		return vh_err_refuse(err, EINVAL, "%s: not what vhpc vm plan --json prints", path);
	plan = find_vm(doc, o->want.said.name);
	name = json_string_value(json_object_get(plan, "name"));
	if (!name) {
		vh_err_refuse(err, ENOENT, "%s: %s", path, o->want.said.name ? "no VM of that name" : "not one VM");
		return vh_err_hint(err, "--name NAME chooses one");
	}
	if (vh_hostname_check(name, err) < 0 || vh_layout_from_json(plan, vm->layout, err) < 0)
		return vh_err_within(err, "%s", path);
	vm->name = strdup(name);
	return vm->name ? 0 : vh_err_nomem(err);
}

static int plan_live(struct vh_cli *cli, const struct vh_define_opts *o, struct vh_vm *vm, struct vh_err *err)
{
	vh_cleanup(vh_plan_host_clear) struct vh_plan_host host = { 0 };
	vh_autoplan plan = NULL;
	struct vh_want want;
	int r = vh_want_from_opts(&o->want, &want, err);

	if (r == 0 && want.vms > 1)
		r = vh_err_usage(err, "define makes one VM; vhpc vm plan --vms, then each of the plan");
	if (r == 0)
		r = vh_load_host(cli, NULL, o->reserve, &host, err);
	if (r < 0)
		return r;
	if (vh_solve(&host.left, &want, 0, &plan) < 0)
		return vh_err_nomem(err);
	if (!plan)
		return vh_explain_refusal(host.name, &host.left, &want, err);
	vm->name = strdup(want.name);
	if (!vm->name || vh_plan_layout(host.host, plan, vm->layout) < 0)
		return vh_err_nomem(err);
	return 0;
}

/* --- what it boots */

static int absolute_path(const char *what, const char *path, char **ret, struct vh_err *err)
{
	if (!path)
		return 0;
	*ret = realpath(path, NULL);
	return *ret ? 0 : vh_err_refuse(err, errno, "%s %s: %s", what, path, strerror(errno));
}

static int find_image(const struct vh_cli *cli, const char *image, char **ret, struct vh_err *err)
{
	vh_autofree char *path = strchr(image, '/') ? strdup(image) : vh_strf("%s/images/%s", cli->state, image);

	return path ? absolute_path("image", path, ret, err) : vh_err_nomem(err);
}

static int add_disk(const char *given, struct vh_vm *vm, struct vh_err *err)
{
	vh_autofree char *copy = strdup(given), *path = NULL;
	char *colon = copy ? strrchr(copy, ':') : NULL;
	const char *format = NULL;
	size_t len;
	int r;

	if (!copy)
		return vh_err_nomem(err);
	if (colon && (!strcmp(colon, ":raw") || !strcmp(colon, ":qcow2"))) {
		format = colon + 1;
		*colon = 0;
	}
	len = strlen(copy);
	if (!format)
		format = len > 6 && !strcmp(copy + len - 6, ".qcow2") ? "qcow2" : "raw";
	r = absolute_path("disk", copy, &path, err);
	return r == 0 && vh_strv_pushf(&vm->disks, "%s:%s", format, path) < 0 ? vh_err_nomem(err) : r;
}

static int read_boot(const struct vh_cli *cli, const struct vh_define_opts *o, struct vh_vm *vm, struct vh_err *err)
{
	int r = o->image ? find_image(cli, o->image, &vm->image, err) : 0;

	if (!o->image && !o->kernel)
		return vh_err_usage(err, "nothing to boot: --image or --kernel");
	if (o->initrd && !o->kernel)
		return vh_err_usage(err, "--initrd goes with --kernel");
	vm->rehearse = o->rehearse;
	if (r == 0)
		r = absolute_path("kernel", o->kernel, &vm->kernel, err);
	if (r == 0)
		r = absolute_path("initrd", o->initrd, &vm->initrd, err);
	if (r == 0)
		r = absolute_path("identity", o->identity, &vm->identity, err);
	if (r == 0 && o->cmdline && !(vm->cmdline = strdup(o->cmdline)))
		r = vh_err_nomem(err);
	for (char **d = o->disks; r == 0 && d && *d; d++)
		r = add_disk(*d, vm, err);
	for (char **n = o->nics; r == 0 && n && *n; n++)
		r = vh_strv_push(&vm->nics, *n) < 0 ? vh_err_nomem(err) : 0;
	return r;
}

/* --- define */

static int check_here(const struct vh_vm *vm, struct vh_err *err)
{
	vh_cleanup(vh_host_freep) struct vh_host *host = NULL;
	vh_autoroot root = NULL;
	int r = vh_root_open(&root, NULL, err);

	if (r == 0)
		r = vh_host_load(root, NULL, &host, err);
	return r < 0 ? r : vh_vm_check_host(host, root, vm->name, vm->layout, err);
}

static int define_vm(struct vh_cli *cli, struct vh_vm *vm, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	int r = vh_need_rights("define a VM", err);

	if (r == 0 && !vm->rehearse)
		r = check_here(vm, err);
	if (r == 0)
		r = vh_virt_open(&v, cli->connect, cli->state, true, err);
	if (r == 0)
		r = vh_vm_define(v, cli->state, vm, err);
	if (r < 0)
		return r;
	vh_say(cli, vm->name, "defined");
	if (!vm->kernel && vh_virt_one_user(v))
		vh_say(cli, vm->name, vh_virt_one_user(v));
	return 0;
}

int vh_verb_define(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_define_opts *o = cli->opts;
	vh_cleanup(vh_layout_clear) struct vh_layout layout = { 0 };
	vh_cleanup(vh_vm_clear) struct vh_vm vm = { .layout = &layout };
	vh_autoerr ignored = VH_ERR_NONE;
	int r = cli->root ? vh_err_usage(err, "--root: nothing is made on a captured host") : read_boot(cli, o, &vm, err);

	if (r == 0)
		r = cli->argc ? from_file(cli->argv[0], o, &vm, err) : plan_live(cli, o, &vm, err);
	if (r < 0)
		return r;
	r = define_vm(cli, &vm, err);
	/* Ends a daemon that was started for this define alone. */
	if (r < 0)
		vh_virt_stop_private(cli->state, &ignored);
	return r;
}

int vh_verb_undefine(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *dir = vh_vm_file(cli->state, cli->argv[0], "");
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	int r = dir ? vh_hostname_check(cli->argv[0], err) : vh_err_nomem(err);

	/* What a killed define left may be all that is there. */
	if (r == 0)
		r = access(dir, F_OK) == 0 ? vh_virt_open(&v, cli->connect, cli->state, true, err)
					   : vh_open_daemon(cli, &v, err);
	if (r == 0)
		r = vh_vm_undefine(v, cli->state, cli->argv[0], err);
	if (r < 0)
		return r;
	vh_say(cli, cli->argv[0], "is undefined");
	vh_virt_close(vh_steal(&v));
	return vh_virt_stop_private(cli->state, err);
}
