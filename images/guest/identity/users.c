// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images/guest/identity/accounts.h"
#include "images/guest/files.h"
#include "images/guest/guest.h"
#include "images/guest/identity/home.h"

/* Beside what a user writes into his home: that stays his, and these stay ours. */
#define LET_IN "etc/ssh/authorized_keys.d"
#define KEYS "etc/vhpc/keys"
#define CLIENT "etc/ssh/ssh_config.d"

/* His keys, and the one by which he comes from the other nodes. */
static int let_in(int root, const struct vh_id_user *user)
{
	char path[80], *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_guest_complain(user->name, "out of memory");
	snprintf(path, sizeof(path), LET_IN "/%s", user->name);
	for (size_t i = 0; i < user->n_authorized; i++)
		fprintf(f, "%s\n", user->authorized[i]);
	if (user->key && user->key_pub)
		fprintf(f, "%s\n", user->key_pub);
	int r = fclose(f) ? vh_guest_complain(path, "out of memory") : vh_guest_text(root, path, 0644, text);
	free(text);
	return r;
}

static int put_key(int root, const struct vh_id_user *user)
{
	char path[64];

	snprintf(path, sizeof(path), KEYS "/%s", user->name);
	return user->key ? vh_guest_put(root, &(struct vh_guest_file){ path, user->key, user->key_len, 0600, user->uid, user->uid }) : 0;
}

/* Also an ssh that a user starts himself goes to the nodes by the key that is for them. */
static int tell_ssh(int root, const struct vh_identity *id)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_guest_complain(CLIENT, "out of memory");
	fputs("Host", f);
	for (size_t i = 0; i < id->n_hosts; i++)
		fprintf(f, " %s %s", id->hosts[i].name, id->hosts[i].address);
	fputs("\n  IdentityFile /" KEYS "/%u\n  IdentityFile ~/.ssh/id_ed25519\n", f);
	int r = fclose(f) ? vh_guest_complain(CLIENT, "out of memory") : vh_guest_directory(root, CLIENT, 0755, 0, 0);
	if (r == 0)
		r = vh_guest_text(root, CLIENT "/10-vhpc.conf", 0644, text);
	free(text);
	return r;
}

static int equip(int root, const struct vh_id_user *user)
{
	int home = vh_home_is_remote(root) ? 0 : vh_home_make(root, user), in = let_in(root, user), key = put_key(root, user);

	return home < 0 || in < 0 || key < 0 ? -1 : 0;
}

int vh_users_apply(int root, const struct vh_identity *id)
{
	const struct vh_id_users *u = &id->people;
	bool made[VH_USERS_MAX] = { false };
	int r;

	if (!u->n_users)
		return 0;
	r = vh_accounts_add(root, u, made);
	if (vh_guest_directory(root, LET_IN, 0755, 0, 0) < 0 || vh_guest_directory(root, "etc/vhpc", 0755, 0, 0) < 0 ||
	    vh_guest_directory(root, KEYS, 0755, 0, 0) < 0 || (id->n_hosts && tell_ssh(root, id) < 0))
		return -1;
	for (size_t i = 0; i < u->n_users; i++)
		if (made[i] && equip(root, &u->users[i]) < 0)
			r = -1;
	return r;
}
