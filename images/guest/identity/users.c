// SPDX-License-Identifier: Apache-2.0
#include "images/guest/identity/users.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "images/guest/identity/accounts.h"
#include "images/guest/files.h"
#include "images/guest/guest.h"
#include "images/guest/identity/home.h"

/* Beside what a user writes into his home: that stays his, and these stay ours. */
#define LET_IN "etc/ssh/authorized_keys.d"
#define KEYS "etc/vhpc/keys"
#define CLIENT "etc/ssh/ssh_config.d"
/* Whom we have made, so that who is told of no more is known. */
#define MADE "etc/vhpc/users"

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

/* --- those of before */

static int read_line(struct vh_id_users *u, char *line)
{
	bool known = false;
	char *rest = strchr(line, ' ');

	line[strcspn(line, "\n")] = 0;
	if (!rest)
		return -1;
	*rest++ = 0;
	return vh_id_users_line(u, line, strlen(line), rest, &known) || !known ? -1 : 0;
}

static int read_made(int root, struct vh_id_users *ret)
{
	int fd = openat(root, MADE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), r = 0;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		return errno == ENOENT ? 0 : vh_guest_complain(MADE, strerror(errno));
	while (r == 0 && getline(&line, &room, f) > 0)
		r = read_line(ret, line);
	free(line);
	fclose(f);
	return r == 0 ? 0 : vh_guest_complain(MADE, "is damaged");
}

static int write_made(int root, const struct vh_id_users *u)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_guest_complain(MADE, "out of memory");
	for (size_t i = 0; i < u->n_users; i++) {
		const struct vh_id_user *user = &u->users[i];

		fprintf(f, "user %s %u", user->name, user->uid);
		for (size_t k = 0; k < user->n_groups; k++)
			fprintf(f, "%c%s", k ? ',' : ' ', user->groups[k]);
		fputc('\n', f);
	}
	int r = fclose(f) ? vh_guest_complain(MADE, "out of memory") : vh_guest_text(root, MADE, 0644, text);
	free(text);
	return r;
}

static int forget(int root, const char *dir, const char *name)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return unlinkat(root, path, 0) == 0 || errno == ENOENT ? 0 : vh_guest_complain(path, strerror(errno));
}

/* As himself, who may signal all that is his, and nothing else. */
static int end_processes(const struct vh_id_user *user)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setresuid(user->uid, user->uid, user->uid) < 0 || (kill(-1, SIGKILL) < 0 && errno != ESRCH))
			_exit(1);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		return vh_guest_complain(user->name, "what he runs cannot be ended");
	return 0;
}

/* First nobody gets in any more. */
static int part_with(int root, const struct vh_id_users *were, const struct vh_id_users *u, bool live)
{
	int r = vh_accounts_drop(root, were, u);

	for (size_t i = 0; i < were->n_users; i++) {
		const struct vh_id_user *was = &were->users[i];

		if (vh_accounts_has(u, was))
			continue;
		if (forget(root, LET_IN, was->name) < 0 || forget(root, KEYS, was->name) < 0)
			r = -1;
		/* Who was left out has a number of the image's, with processes of others. */
		if (live && !vh_accounts_number(root, was->uid) && end_processes(was) < 0)
			r = -1;
	}
	return r;
}

/* --- */

static int make_all(int root, const struct vh_identity *id)
{
	const struct vh_id_users *u = &id->people;
	bool made[VH_USERS_MAX] = { false };
	int r = vh_accounts_add(root, u, made);

	if (vh_guest_directory(root, LET_IN, 0755, 0, 0) < 0 || vh_guest_directory(root, KEYS, 0755, 0, 0) < 0 ||
	    (id->n_hosts && tell_ssh(root, id) < 0))
		return -1;
	for (size_t i = 0; i < u->n_users; i++)
		if (made[i] && equip(root, &u->users[i]) < 0)
			r = -1;
	return r;
}

int vh_users_apply(int root, const struct vh_identity *id, bool live)
{
	const struct vh_id_users *u = &id->people;
	struct vh_id_users were = { 0 };
	int r = read_made(root, &were), gone = were.n_users ? part_with(root, &were, u, live) : 0, made = 0;
	const bool any = were.n_users || u->n_users;

	vh_id_users_clear(&were);
	if (!any)
		return r;
	if (vh_guest_directory(root, "etc/vhpc", 0755, 0, 0) < 0)
		return -1;
	/* Before they are made, so that none is made of whom nobody knows; and those stay in it who could not be taken away. */
	if (gone == 0 && write_made(root, u) < 0)
		return -1;
	if (u->n_users)
		made = make_all(root, id);
	return gone < 0 || made < 0 ? -1 : r;
}
