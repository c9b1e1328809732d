// SPDX-License-Identifier: Apache-2.0
/* A node's identity, as the program in the image reads it. */
#include "images/guest/guest.h"
#include "images/guest/identity_parse.h"
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"

/* They become lines of passwd and group, and names of files. */
static void check_users(const struct vh_id_users *u)
{
	FUZZ_ASSERT(u->n_users <= VH_USERS_MAX && u->n_groups <= VH_ID_GROUPS_MAX);
	for (size_t i = 0; i < u->n_groups; i++)
		FUZZ_ASSERT(vh_is_login(u->groups[i].name) && vh_user_id_is_free(u->groups[i].gid));
	for (size_t i = 0; i < u->n_users; i++) {
		const struct vh_id_user *user = &u->users[i];

		FUZZ_ASSERT(vh_is_login(user->name) && vh_user_id_is_free(user->uid));
		for (size_t k = 0; k < user->n_groups; k++)
			FUZZ_ASSERT(vh_is_login(user->groups[k]));
		for (size_t k = 0; k < user->n_authorized; k++)
			FUZZ_ASSERT(!strpbrk(user->authorized[k], "\r\n"));
		for (size_t k = 0; k < i; k++)
			FUZZ_ASSERT(user->uid != u->users[k].uid && strcmp(user->name, u->users[k].name));
	}
}

/* They become files. */
static void check_slurm(const struct vh_id_slurm *s)
{
	FUZZ_ASSERT(!s->key || (s->key_len >= VH_MUNGE_KEY_MIN && s->key_len <= VH_MUNGE_KEY_MAX));
}

/* They become lines of exports, where a few characters mean much. */
static void check_exports(const struct vh_identity *id)
{
	FUZZ_ASSERT(id->n_exports <= VH_ID_EXPORTS_MAX);
	for (size_t i = 0; i < id->n_exports; i++)
		FUZZ_ASSERT(*id->exports[i].target == '/' && !strpbrk(id->exports[i].target, " ()\"\\#\t\n,=*") && id->exports[i].prefix);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vh_identity id = { 0 };
	char why[200] = "";

	if (vh_identity_parse((const char *)data, size, &id, why, sizeof(why)) < 0) {
		FUZZ_ASSERT(*why && !id.nics && !id.hosts && !id.authorized && !id.hostkey && !id.people.users && !id.people.groups && !id.slurm.key);
		return 0;
	}
	FUZZ_ASSERT(*id.hostname && id.n_nics <= VH_ID_NICS_MAX && id.n_authorized <= VH_ID_KEYS_MAX);
	for (size_t i = 0; i < id.n_nics; i++)
		FUZZ_ASSERT(id.nics[i].prefix >= 1 && id.nics[i].prefix <= 32 && !strpbrk(id.nics[i].name, "/ \n"));
	for (size_t i = 0; i < id.n_authorized; i++)
		FUZZ_ASSERT(!strchr(id.authorized[i], '\n'));
	check_users(&id.people);
	check_slurm(&id.slurm);
	check_exports(&id);
	vh_identity_clear(&id);
	return 0;
}
