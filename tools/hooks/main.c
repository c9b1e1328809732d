// SPDX-License-Identifier: Apache-2.0
#include "tools/hooks/hooks.h"

static const struct vh_verb verbs[] = {
	{ "qemu", "NAME OP SUBOP EXTRA", 4, 4,
	  "what libvirt's qemu driver calls; reads the domain's XML", VH_VERB_REST, NULL, 0, hook_qemu },
	{ .name = NULL },
};

int main(int argc, char **argv)
{
	static const struct vh_prog prog = { "vhpc hook", "libvirt's hooks: a VM's leases follow its life", verbs };
	int code;

	return hook_called_by_libvirt(&prog, argc, argv, &code) ? code : vh_main(&prog, argc, argv);
}
