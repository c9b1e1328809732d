// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov set */
#include <stddef.h>

#include "sriov/change/change.h"
#include "sriov/cli/cli.h"
#include "sriov/function/function.h"

_Static_assert(VH_SET_OPTS == VH_FN_ATTRS + 1, "an option an attribute, and policy");

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
	struct vh_sriov_attr attrs[VH_SET_OPTS];
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
	if ((r = vh_cmd_open(cli, "setting a VF", opts->force, &s, err)) < 0 ||
	    (r = vh_sriov_set(s, cli->argv[0], attrs, n, err)) < 0)
		return r;
	return vh_cmd_print_functions(cli, s, cli->argv[0], "vhpc.sriov.set/1", err);
}
