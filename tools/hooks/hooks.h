// SPDX-License-Identifier: Apache-2.0
/* Hooks: what others call when something of theirs begins or ends. A caller is a file and a row of
 * the table of verbs in main.c; each only calls programs or takes and gives back leases. */
#ifndef VH_HOOKS_H
#define VH_HOOKS_H

#include <stdbool.h>

#include "lib/cli.h"

/* --- libvirt.c */

/* NAME OP SUBOP EXTRA, the domain on standard input: a VM's leases follow its life. */
int hook_qemu(struct vh_cli *cli, struct vh_err *err);
/* Whether libvirt calls, by a name below qemu.d or for what must not be looked at; then it is served,
 * and *ret_exit is what to exit with. */
bool hook_called_by_libvirt(const struct vh_prog *prog, int argc, char **argv, int *ret_exit);

#endif
