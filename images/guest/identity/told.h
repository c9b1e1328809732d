// SPDX-License-Identifier: Apache-2.0
/* What a node was told while it ran. QEMU hands out the credential of its own start until its next one, so that a node which
 * boots anew in between would be told what is no more so. */
#ifndef VH_GUEST_TOLD_H
#define VH_GUEST_TOLD_H

#include <stddef.h>

/* Below the root. */
#define VH_CREDENTIAL "run/credentials/@system/vhpc.identity"

/* Keeps it, for boots with the credential that is there. 0, also where there is none, or -1 after saying why. */
int vh_told_keep(int root, const char *text, size_t len);
/* What was kept for boots with this credential; malloc'd; NULL: nothing. */
char *vh_told_since(int root, const char *credential, size_t len, size_t *ret_len);

#endif
