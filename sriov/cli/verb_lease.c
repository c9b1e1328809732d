// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov lease, return and identity */
#include <limits.h>
#include <stddef.h>

#include "lib/strv.h"
#include "lib/show/table.h"
#include "lib/values.h"
#include "sriov/change/change.h"
#include "sriov/cli/cli.h"
#include "sriov/inventory/inventory.h"
#include "sriov/lease/lease.h"

const struct vh_opt vh_cmd_lease_options[] = {
	{ "kind", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, kind), "KIND", "hca or nic" },
	{ "numa", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, numa), "NODE", "only one of this NUMA node" },
	{ "pf", 0, VH_OPT_STR, offsetof(struct vh_lease_opts, pf), "PF", "only one of this PF" },
	{ "pid", 0, VH_OPT_UINT, offsetof(struct vh_lease_opts, pid), "PID", "the lease ends with this process" },
	{ 0 },
};

static int parse_request(const struct vh_lease_opts *opts, struct vh_sriov_request *ret, struct vh_err *err)
{
	uint64_t numa;

	ret->kind = opts->kind ? vh_pci_kind_named(opts->kind) : VH_PCI_OTHER;
	if (opts->kind && ret->kind != VH_PCI_HCA && ret->kind != VH_PCI_NIC)
		return vh_err_usage(err, "--kind: hca or nic, not '%.20s'", opts->kind);
	if (opts->pid > INT_MAX)
		return vh_err_usage(err, "--pid: no process has such a number");
	ret->pf = opts->pf;
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
	if ((r = parse_request(cli->opts, &request, err)) < 0 || (r = vh_cmd_open(cli, "leasing a VF", NULL, &s, err)) < 0 ||
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
	r = vh_cmd_open(cli, "giving back VFs", NULL, &s, err);
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
	if ((r = vh_cmd_open(cli, "leasing an identity", NULL, &s, err)) < 0 ||
	    (r = vh_sriov_identity(s, cli->argv[0], cli->argv[1], (unsigned)port, &id, err)) < 0)
		return r;
	return vh_listing(cli, "vhpc.sriov.identity/1", "identities", cols,
			  json_pack("[{ss ss si ss ss}]", "cluster", cli->argv[0], "node", cli->argv[1],
				    "port", (int)port, "mac", id.mac, "guid", id.guid), err);
}
