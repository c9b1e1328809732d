// SPDX-License-Identifier: Apache-2.0
/* The way to a node. */
#include "mpirun-wrap/cluster/cluster.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/files/read.h"
#include "lib/strv.h"

char *vh_mpi_identity_file(const char *line)
{
	static const char key[] = "IdentityFile";
	const char *at = line + strspn(line, " \t");
	size_t n;

	if (strncasecmp(at, key, strlen(key)))
		return NULL;
	at += strlen(key);
	n = strspn(at, " \t=");
	at += n;
	if (n == 0 || !*at)
		return NULL;
	return *at == '"' ? strndup(at + 1, strcspn(at + 1, "\"")) : strndup(at, strcspn(at, " \t\r"));
}

char *vh_mpi_beside(const struct vh_mpi_cluster *c, const char *file)
{
	vh_autofree char *path = strdup(c->ssh_config);

	return path ? vh_strf("%s/%s", dirname(path), file) : NULL;
}

/* Whether a key that ssh_config names is not this user's to read. One of "~", or of whoever it is (%u), is his own. */
static int key_is_anothers(const struct vh_mpi_cluster *c, bool *ret, struct vh_err *err)
{
	vh_autofree char *config = NULL;
	char *at, *line;
	size_t len;
	int r = vh_mpi_read(c->ssh_config, &config, &len, err);

	*ret = false;
	for (at = config; r == 0 && (line = strsep(&at, "\n")); ) {
		vh_autofree char *file = vh_mpi_identity_file(line);

		*ret |= file && *file == '/' && !strchr(file, '%') && access(file, R_OK) < 0;
	}
	return r < 0 ? vh_err_within(err, "cluster %s", c->name) : 0;
}

/* By the user's own keys and settings, which the node's user must know; the host keys are the cluster's. */
static int own_words(const struct vh_mpi_cluster *c, const struct vh_mpi_node *n, char ***argv)
{
	const char *self = getenv("LOGNAME"), *login = self && vh_strv_has(c->users, self) ? self : c->user;
	vh_autofree char *known = vh_mpi_beside(c, "known_hosts");

	if (!known || vh_strv_push(argv, "-o") < 0 || vh_strv_pushf(argv, "UserKnownHostsFile=\"%s\"", known) < 0 ||
	    vh_strv_push(argv, "-o") < 0 || vh_strv_pushf(argv, "HostKeyAlias=%s", n->name) < 0)
		return -ENOMEM;
	for (const char *const *w = (const char *const[]){ "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
							   "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-l", login, n->address, NULL }; *w; w++)
		if (vh_strv_push(argv, *w) < 0)
			return -ENOMEM;
	return 0;
}

int vh_mpi_ssh(const struct vh_mpi_cluster *c, const struct vh_mpi_node *n, char ***ret, struct vh_err *err)
{
	vh_autostrv argv = NULL;
	bool anothers;
	int r = key_is_anothers(c, &anothers, err);

	if (r < 0)
		return r;
	r = vh_strv_push(&argv, "ssh");
	if (r == 0 && anothers)
		r = own_words(c, n, &argv);
	else if (r == 0)
		r = vh_strv_push(&argv, "-F") < 0 || vh_strv_push(&argv, c->ssh_config) < 0 || vh_strv_push(&argv, n->name) < 0 ? -ENOMEM : 0;
	if (r < 0)
		return vh_err_nomem(err);
	*ret = vh_steal(&argv);
	return 0;
}
