// SPDX-License-Identifier: Apache-2.0
/* vhpc sriov: its table of verbs. */
#include "sriov/cli/cli.h"

#define CHANGE(verb, what, most, text) \
	{ .name = #verb, .args = what, .min_args = most, .max_args = most, .help = text, .flags = VH_VERB_JSON, \
	  .opts = vh_cmd_driver_options, .opts_size = sizeof(struct vh_driver_opts), .run = vh_cmd_##verb }

static const struct vh_verb verbs[] = {
	{ .name = "list", .args = "", .help = "NICs, HCAs, their VFs, GPUs and NVMe, and where they sit",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_list_options, .opts_size = sizeof(struct vh_list_opts), .run = vh_cmd_list },
	{ .name = "show", .args = "ADDRESS", .min_args = 1, .max_args = 1,
	  .help = "One PCI device: link, BARs, reset, IOMMU group, path to the root complex",
	  .flags = VH_VERB_JSON, .run = vh_cmd_show },
	{ .name = "create", .args = "PF", .min_args = 1, .max_args = 1, .help = "Give a PF so many VFs",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_create_options, .opts_size = sizeof(struct vh_create_opts),
	  .run = vh_cmd_create },
	{ .name = "set", .args = "VF", .min_args = 1, .max_args = 1, .help = "Set a VF's attributes through its PF",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_set_options, .opts_size = sizeof(struct vh_set_opts), .run = vh_cmd_set },
	{ .name = "doctor", .args = "[DEVICE]", .max_args = 1, .help = "Walk from the firmware to the guest: what is wrong, and what mends it",
	  .flags = VH_VERB_JSON, .run = vh_cmd_doctor },
	CHANGE(bind, "DEVICE DRIVER", 2, "Bind a driver, vfio-pci for one"),
	CHANGE(unbind, "DEVICE", 1, "Leave a device without driver"),
	CHANGE(release, "DEVICE", 1, "Give a device back to the host, neutral, and its lease too"),
	CHANGE(reset, "DEVICE", 1, "Reset a device, and make sure that it answers"),
	{ .name = "lease", .args = "VM", .min_args = 1, .max_args = 1, .help = "Lease a free VF to a VM",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_lease_options, .opts_size = sizeof(struct vh_lease_opts),
	  .run = vh_cmd_lease },
	{ .name = "return", .args = "VM", .min_args = 1, .max_args = 1, .help = "Give back the VFs of a VM",
	  .run = vh_cmd_return },
	{ .name = "identity", .args = "CLUSTER NODE", .min_args = 2, .max_args = 2,
	  .help = "The MAC and GUID of a VM's port, and lease them to it", .flags = VH_VERB_JSON,
	  .opts = vh_cmd_identity_options, .opts_size = sizeof(struct vh_identity_opts), .run = vh_cmd_identity },
	{ .name = "restore", .args = "", .help = "Make all devices what was last asked of them, after a boot",
	  .flags = VH_VERB_JSON, .opts = vh_cmd_restore_options, .opts_size = sizeof(struct vh_restore_opts),
	  .run = vh_cmd_restore },
	{ .name = "recover", .args = "DEVICE", .min_args = 1, .max_args = 1,
	  .help = "Undo what a killed or failed change left of a device", .run = vh_cmd_recover },
	{ .name = "forget", .args = "DEVICE", .min_args = 1, .max_args = 1,
	  .help = "Leave a device out of restore", .run = vh_cmd_forget },
	{ 0 },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = {
		.name = "vhpc sriov", .summary = "PCI devices, their VFs and their locality", .verbs = verbs,
	};

	return vh_main(&prog, argc, argv);
}
