// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/ssh/ssh.h"

#include <resolv.h>
#include <string.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"

enum { KEYGEN_MS = 30000 };

int ssh_make_key(const char *path, const char *comment, struct vh_err *err)
{
	char *const argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", (char *)comment, "-f", (char *)path, NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = KEYGEN_MS };

	return path ? vh_spawn_ok(&spawn, NULL, err) : vh_err_nomem(err);
}

int ssh_base64(const char *bytes, size_t len, char **ret, struct vh_err *err)
{
	const size_t room = 4 * ((len + 2) / 3) + 1;
	vh_autofree char *text = malloc(room);

	if (!text || b64_ntop((const unsigned char *)bytes, len, text, room) < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&text);
	return 0;
}

/* A file's bytes, as the identity has them. */
static int read_base64(const char *path, char **ret, struct vh_err *err)
{
	vh_autofree char *bytes = NULL;
	size_t len;
	int r = vh_host_file(path, &bytes, &len, err);

	if (r < 0)
		return r;
	r = ssh_base64(bytes, len, ret, err);
	explicit_bzero(bytes, len);
	return r;
}

void ssh_secret_free(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

int ssh_read_public(const char *dir, const char *key, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s.pub", dir, key);
	size_t len;

	return path ? vh_host_file(path, ret, &len, err) : vh_err_nomem(err);
}

/* A key that goes on in the identities alone; its public half stays. */
int ssh_take_key(const char *dir, const char *name, const char *comment, char **ret, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);
	int r;

	/* Of a run that was killed: ssh-keygen overwrites none. */
	if (path)
		unlink(path);
	r = ssh_make_key(path, comment, err);
	if (r == 0)
		r = read_base64(path, ret, err);
	if (path)
		unlink(path);
	return r;
}

static bool says(const char *path, const char *text, size_t len)
{
	vh_autofree char *there = NULL;
	vh_autoerr none = VH_ERR_NONE;
	size_t there_len;

	return vh_host_file(path, &there, &there_len, &none) == 0 && there_len == len && !memcmp(there, text, len);
}

static int write_stream(const char *path, FILE *f, char **text, size_t *len, bool *ret_changed, struct vh_err *err)
{
	int r = fclose(f) || !path ? vh_err_nomem(err) : 0;

	*ret_changed = r == 0 && !says(path, *text, *len);
	if (*ret_changed)
		r = vh_write_file(path, *text, *len, 0644, err);
	free(*text);
	return r;
}

int ssh_make_known_hosts(const char *dir, const struct ssh_hosts *hosts, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/known_hosts", dir);
	char *text = NULL;
	size_t len, key_len;
	FILE *f = open_memstream(&text, &len);
	int r = f ? 0 : vh_err_nomem(err);

	for (size_t i = 0; r == 0 && i < hosts->n; i++) {
		vh_autofree char *pub = vh_strf("%s/%s/hostkey.pub", dir, hosts->v[i].name), *key = NULL;

		r = pub ? vh_host_file(pub, &key, &key_len, err) : vh_err_nomem(err);
		if (r == 0)
			fprintf(f, "%s,%s %s", hosts->v[i].name, hosts->v[i].address, key);
	}
	if (r < 0) {
		if (f)
			fclose(f);
		free(text);
		return r;
	}
	return write_stream(path, f, &text, &len, ret_changed, err);
}

int ssh_make_config(const char *dir, const struct ssh_hosts *hosts, bool *ret_changed, struct vh_err *err)
{
	vh_autofree char *path = vh_strf("%s/ssh_config", dir);
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return vh_err_nomem(err);
	for (size_t i = 0; i < hosts->n; i++)
		fprintf(f, "Host %s\n  HostName %s\n", hosts->v[i].name, hosts->v[i].address);
	fprintf(f, "Host *\n  User %s\n  IdentityFile \"%s/key\"\n  IdentitiesOnly yes\n"
		"  UserKnownHostsFile \"%s/known_hosts\"\n  GlobalKnownHostsFile /dev/null\n"
		"  StrictHostKeyChecking yes\n  PreferredAuthentications publickey\n  BatchMode yes\n"
		"  ConnectTimeout 10\n  ServerAliveInterval 15\n  LogLevel ERROR\n", hosts->user, hosts->dir, hosts->dir);
	return write_stream(path, f, &text, &len, ret_changed, err);
}
