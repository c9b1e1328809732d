// SPDX-License-Identifier: Apache-2.0
#include "sriov/cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/json.h"
#include "lib/strv.h"
#include "lib/table.h"
#include "lib/values.h"
#include "sriov/sriov.h"
#include "sriov/function/state.h"

/* Checked before the state directory is touched. */
static int open_for(struct vh_cli *cli, const char *what, const char *force, struct vh_sriov **ret, struct vh_err *err)
{
	int r = cli->root ? 0 : vh_need_rights(what, err);

	if (r == 0)
		r = vh_sriov_open(ret, cli->root, cli->state, err);
	if (r == 0)
		vh_sriov_force(*ret, force);
	return r;
}

/* The functions as they are now, so that nobody has to ask. */
static int print_functions(struct vh_cli *cli, struct vh_sriov *s, const char *device, const char *schema,
			   struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ADDRESS", "address", VH_COL_TEXT }, { "VF", "vf", VH_COL_RIGHT },
		{ "DRIVER", "driver", VH_COL_TEXT }, { "MAC", "mac", VH_COL_TEXT },
		{ "PORT GUID", "port_guid", VH_COL_TEXT }, { "VLAN", "vlan", VH_COL_RIGHT },
		{ "QOS", "qos", VH_COL_RIGHT }, { "SPOOFCHK", "spoofchk", VH_COL_BOOL },
		{ "TRUST", "trust", VH_COL_BOOL }, { "MIN", "min_rate", VH_COL_RIGHT },
		{ "MAX", "max_rate", VH_COL_RIGHT }, { "LINK", "link_state", VH_COL_TEXT }, { 0 },
	};
	json_t *rows;
	int r = vh_sriov_functions(s, device, &rows, err);

	return r < 0 ? r : vh_listing(cli, schema, "functions", cols, rows, err);
}

/* --- doctor */

int vh_cmd_doctor(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "DEVICE", "device", VH_COL_TEXT }, { "STEP", "step", VH_COL_TEXT }, { "STATE", "state", VH_COL_TEXT },
		{ "FOUND", "found", VH_COL_TEXT }, { "MEND", "mend", VH_COL_TEXT }, { 0 },
	};
	unsigned wrong = 0;
	const json_t *row;
	json_t *rows;
	size_t i;
	int r = vh_sriov_doctor(cli->root, cli->state, cli->argc ? cli->argv[0] : NULL, &rows, err);

	if (r < 0)
		return r;
	json_array_foreach(rows, i, row)
		wrong += !strcmp(json_string_value(json_object_get(row, "state")), "wrong");
	r = vh_listing(cli, "vhpc.sriov.doctor/1", "findings", cols, rows, err);
	if (r < 0 || !wrong)
		return r;
	return vh_err_refuse(err, EIO, wrong == 1 ? "one finding is wrong" : "%u findings are wrong", wrong);
}

/* --- create */

const struct vh_opt vh_cmd_create_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_create_opts, force), "DEVICE", "even if others keep its VFs: name the PF" },
	{ "number", 'n', VH_OPT_STR, offsetof(struct vh_create_opts, number), "N", "how many; 0 removes all" },
	{ "probe", 0, VH_OPT_STR, offsetof(struct vh_create_opts, probe), "yes|no", "whether new VFs get a driver of the host" },
	{ 0 },
};

static int parse_probe(const char *text, int *ret, struct vh_err *err)
{
	*ret = !text ? -1 : !strcmp(text, "yes") ? 1 : 0;
	return *ret == 0 && strcmp(text, "no") ? vh_err_usage(err, "--probe: yes or no, not '%.20s'", text) : 0;
}

int vh_cmd_create(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_create_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	uint64_t number;
	int probe, r;

	if (!opts->number || vh_uint_parse(opts->number, UINT16_MAX, &number, err) < 0)
		return vh_err_usage(err, "--number: how many VFs, 0 to %d", UINT16_MAX);
	if ((r = parse_probe(opts->probe, &probe, err)) < 0 ||
	    (r = open_for(cli, "creating VFs", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_create(s, cli->argv[0], (unsigned)number, probe, err)) < 0)
		return r;
	return print_functions(cli, s, cli->argv[0], "vhpc.sriov.create/1", err);
}

/* --- set */

#define ATTR(name, attr, arg, help) \
	{ name, 0, VH_OPT_STR, offsetof(struct vh_set_opts, value) + (attr) * sizeof(const char *), arg, help }

const struct vh_opt vh_cmd_set_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_set_opts, force), "DEVICE", "even if others keep its VFs: name the PF" },
	ATTR("mac", VH_FN_MAC, "MAC", "its MAC address"),
	ATTR("vlan", VH_FN_VLAN, "ID", "the VLAN that it is in; 0: none"),
	ATTR("qos", VH_FN_QOS, "N", "the priority in that VLAN, 0 to 7"),
	ATTR("spoofchk", VH_FN_SPOOFCHK, "on|off", "drop what it sends with another MAC"),
	ATTR("trust", VH_FN_TRUST, "on|off", "let it change its MAC and see all traffic"),
	ATTR("min-rate", VH_FN_MIN_RATE, "MBIT", "what it is guaranteed, Mb/s; 0: nothing"),
	ATTR("max-rate", VH_FN_MAX_RATE, "MBIT", "what it may send, Mb/s; 0: all"),
	ATTR("link-state", VH_FN_LINK_STATE, "STATE", "auto, enable or disable"),
	ATTR("policy", VH_FN_ATTRS, "POLICY", "the same on InfiniBand: follow, up or down"),
	ATTR("node-guid", VH_FN_NODE_GUID, "GUID", "its node GUID"),
	ATTR("port-guid", VH_FN_PORT_GUID, "GUID", "its port GUID"),
	ATTR("pkey-index", VH_FN_PKEY_INDEX, "N", "the index of the PF's P_Key that it has as its first"),
	{ 0 },
};

int vh_cmd_set(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_set_opts *opts = cli->opts;
	struct vh_sriov_attr attrs[VH_FN_ATTRS + 1];
	vh_autosriov s = NULL;
	size_t n = 0;
	int r;

	for (unsigned a = 0; a <= VH_FN_ATTRS; a++)
		if (opts->value[a])
			attrs[n++] = (struct vh_sriov_attr){
				vh_fn_attr_name(a < VH_FN_ATTRS ? a : VH_FN_LINK_STATE), opts->value[a],
			};
	if (!n)
		return vh_err_usage(err, "set: nothing to set");
	if ((r = open_for(cli, "setting a VF", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_set(s, cli->argv[0], attrs, n, err)) < 0)
		return r;
	return print_functions(cli, s, cli->argv[0], "vhpc.sriov.set/1", err);
}

/* --- drivers */

const struct vh_opt vh_cmd_driver_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_driver_opts, force), "DEVICE",
	  "even if the host lives on it or it is in use: name it" },
	{ 0 },
};

int vh_cmd_bind(struct vh_cli *cli, struct vh_err *err)
{
	const struct vh_driver_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	int r;

	if ((r = open_for(cli, "binding a driver", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_bind(s, cli->argv[0], cli->argv[1], err)) < 0)
		return r;
	return print_functions(cli, s, cli->argv[0], "vhpc.sriov.bind/1", err);
}

static int change(struct vh_cli *cli, const char *what, const char *schema,
		  int (*call)(struct vh_sriov *s, const char *device, struct vh_err *err), struct vh_err *err)
{
	const struct vh_driver_opts *opts = cli->opts;
	vh_autosriov s = NULL;
	int r;

	if ((r = open_for(cli, what, opts->force, &s, err)) < 0 || (r = call(s, cli->argv[0], err)) < 0)
		return r;
	return print_functions(cli, s, cli->argv[0], schema, err);
}

int vh_cmd_unbind(struct vh_cli *cli, struct vh_err *err)
{
	return change(cli, "unbinding a driver", "vhpc.sriov.unbind/1", vh_sriov_unbind, err);
}

int vh_cmd_release(struct vh_cli *cli, struct vh_err *err)
{
	return change(cli, "releasing a device", "vhpc.sriov.release/1", vh_sriov_release, err);
}

int vh_cmd_reset(struct vh_cli *cli, struct vh_err *err)
{
	return change(cli, "resetting a device", "vhpc.sriov.reset/1", vh_sriov_reset, err);
}

/* --- journal and wanted state */

int vh_cmd_recover(struct vh_cli *cli, struct vh_err *err)
{
	vh_autosriov s = NULL;
	unsigned n = 0;
	int r;

	if ((r = open_for(cli, "undoing a change", NULL, &s, err)) < 0 ||
	    (r = vh_sriov_recover(s, cli->argv[0], &n, err)) < 0)
		return r;
	if (!cli->quiet)
		fprintf(stderr, n ? "%s: undid %u\n" : "%s: nothing was left to undo\n", cli->argv[0], n);
	return 0;
}

int vh_cmd_forget(struct vh_cli *cli, struct vh_err *err)
{
	vh_autosriov s = NULL;
	int r = open_for(cli, "forgetting a device", NULL, &s, err);

	return r < 0 ? r : vh_sriov_forget(s, cli->argv[0], err);
}

const struct vh_opt vh_cmd_restore_options[] = {
	{ "force", 0, VH_OPT_STR, offsetof(struct vh_restore_opts, force), "DEVICE", "this one even if others keep its VFs" },
	{ "wait", 0, VH_OPT_UINT, offsetof(struct vh_restore_opts, wait), "SECONDS", "for devices and their drivers to come" },
	{ 0 },
};

/* Refused when all that went wrong was, and nothing was done; partly when something was. */
static int summary(const json_t *rows, struct vh_err *err)
{
	unsigned done = 0, refused = 0, failed = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const char *result = json_string_value(json_object_get(row, "result"));

		done += !strcmp(result, "restored");
		refused += !strcmp(result, "refused");
		failed += !strcmp(result, "failed") || !strcmp(result, "partly");
	}
	if (!refused && !failed)
		return 0;
	vh_err_set(err, EIO, "%u devices restored, %u refused, %u failed", done, refused, failed);
	err->exit = done ? VH_EXIT_PARTIAL : failed ? VH_EXIT_FAILED : VH_EXIT_REFUSED;
	return -err->num;
}

int vh_cmd_restore(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "DEVICE", "device", VH_COL_TEXT }, { "RESULT", "result", VH_COL_TEXT },
		{ "CAUSE", "cause", VH_COL_TEXT }, { "HINT", "hint", VH_COL_TEXT }, { 0 },
	};
	const struct vh_restore_opts *opts = cli->opts;
	vh_autojson rows = NULL;
	vh_autosriov s = NULL;
	int r;

	if (opts->wait > 3600)
		return vh_err_usage(err, "--wait: an hour at most");
	if ((r = open_for(cli, "restoring devices", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_restore(s, (unsigned)opts->wait, &rows, err)) < 0 ||
	    (r = vh_listing(cli, "vhpc.sriov.restore/1", "devices", cols, json_incref(rows), err)) < 0)
		return r;
	return summary(rows, err);
}

/* --- leases */

const struct vh_opt vh_cmd_lease_options[] = {
	{ "kind", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, kind), "KIND", "ib or ethernet" },
	{ "numa", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, numa), "NODE", "only one of this NUMA node" },
	{ "pf", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, pf), "PF", "only one of this PF" },
	{ "pid", 0, VH_OPT_UINT, offsetof(struct vh_lease_opts, pid), "PID", "the lease ends with this process" },
	{ 0 },
};

static int parse_request(const struct vh_lease_opts *opts, struct vh_sriov_request *ret, struct vh_err *err)
{
	uint64_t numa;

	if (opts->kind && strcmp(opts->kind, "ib") && strcmp(opts->kind, "ethernet"))
		return vh_err_usage(err, "--kind: ib or ethernet, not '%.20s'", opts->kind);
	if (opts->pid > INT_MAX)
		return vh_err_usage(err, "--pid: no process has such a number");
	ret->pf = opts->pf;
	ret->kind = opts->kind;
	ret->pid = (int)opts->pid;
	ret->numa = -1;
	if (!opts->numa)
		return 0;
	if (vh_uint_parse(opts->numa, 4095, &numa, err) < 0)
		return vh_err_usage(err, "--numa: '%.20s' is no NUMA node", opts->numa);
	ret->numa = (int)numa;
	return 0;
}

int vh_cmd_lease(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "ADDRESS", "address", VH_COL_TEXT }, { "HOLDER", "holder", VH_COL_TEXT }, { 0 },
	};
	vh_autofree char *holder = vh_strf("vm/%s", cli->argv[0]);
	struct vh_sriov_request request = { .holder = holder };
	char address[VH_PCI_ADDRESS_SIZE];
	vh_autosriov s = NULL;
	int r;

	if (!holder)
		return vh_err_nomem(err);
	if ((r = parse_request(cli->opts, &request, err)) < 0 || (r = open_for(cli, "leasing a VF", NULL, &s, err)) < 0 ||
	    (r = vh_sriov_lease(s, &request, address, err)) < 0)
		return r;
	return vh_listing(cli, "vhpc.sriov.lease/1", "leases", cols,
			  json_pack("[{ss ss}]", "address", address, "holder", holder), err);
}

int vh_cmd_return(struct vh_cli *cli, struct vh_err *err)
{
	vh_autofree char *holder = vh_strf("vm/%s", cli->argv[0]);
	vh_autosriov s = NULL;
	int r;

	if (!holder)
		return vh_err_nomem(err);
	r = open_for(cli, "giving back VFs", NULL, &s, err);
	return r < 0 ? r : vh_sriov_return(s, holder, NULL, err);
}

const struct vh_opt vh_cmd_identity_options[] = {
	{ "port", 0, VH_OPT_UINT, offsetof(struct vh_identity_opts, port), "N", "of the VM, counted from 1, the default" },
	{ 0 },
};

int vh_cmd_identity(struct vh_cli *cli, struct vh_err *err)
{
	static const struct vh_col cols[] = {
		{ "NODE", "node", VH_COL_TEXT }, { "PORT", "port", VH_COL_RIGHT }, { "MAC", "mac", VH_COL_TEXT },
		{ "GUID", "guid", VH_COL_TEXT }, { 0 },
	};
	const struct vh_identity_opts *opts = cli->opts;
	uint64_t port = opts->port ? opts->port : 1;
	struct vh_sriov_identity id;
	vh_autosriov s = NULL;
	int r;

	if (port > UINT16_MAX)
		return vh_err_usage(err, "--port: more than there can be");
	if ((r = open_for(cli, "leasing an identity", NULL, &s, err)) < 0 ||
	    (r = vh_sriov_identity(s, cli->argv[0], cli->argv[1], (unsigned)port, &id, err)) < 0)
		return r;
	return vh_listing(cli, "vhpc.sriov.identity/1", "identities", cols,
			  json_pack("[{ss ss si ss ss}]", "cluster", cli->argv[0], "node", cli->argv[1],
				    "port", (int)port, "mac", id.mac, "guid", id.guid), err);
}
