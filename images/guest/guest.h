// SPDX-License-Identifier: Apache-2.0
/* What the programs inside a node and those that build and describe it agree on: the disk that grows at boot,
 * which users a cluster may have, and what munge takes for a key. */
#ifndef VH_GUEST_H
#define VH_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "images/guest/gpt.h"

enum {
	VH_USERS_MAX = 256,
	VH_USER_KEYS_MAX = 64,		/* of each user */
	VH_USER_GROUPS_MAX = 32,	/* of each user */
	VH_ID_GROUPS_MAX = 256,		/* further ones of all users together */
	VH_ID_TEXT_MAX = 1 << 20,	/* bytes of an identity */
	VH_MUNGE_KEY_MIN = 32, VH_MUNGE_KEY_MAX = 1024,	/* bytes, as munged takes them */
	VH_USER_MAIN = 1000,		/* the image's own, who runs the jobs of a cluster without users; and his group */
};

/* Whether a user or a group of a cluster may have this number: the system, the image's user and what
 * distributions and systemd hand out have the others. */
static inline bool vh_user_id_is_free(uint64_t id)
{
	return (id > VH_USER_MAIN && id < 60000) || (id > UINT16_MAX && id <= INT32_MAX);
}

#endif
