// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/launch/launch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "mpirun-wrap/launcher/launcher.h"

enum { VERSION_DEADLINE_MS = 20000 };

static int open_list(const char *what, int *ret_fd, char path[32], struct vh_err *err)
{
	int fd = memfd_create(what, 0);	/* kept across exec: mpirun reads it */

	if (fd < 0)
		return vh_err_set(err, errno, "%s: %s", what, strerror(errno));
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	*ret_fd = fd;
	return 0;
}

int vh_mpi_lists_open(struct vh_mpi_lists *ret, struct vh_err *err)
{
	int r = open_list("vhpc-hosts", &ret->hosts_fd, ret->hosts, err);

	return r < 0 ? r : open_list("vhpc-ranks", &ret->ranks_fd, ret->ranks, err);
}

void vh_mpi_head_find(const char *cidr, struct vh_mpi_head *ret)
{
	char base[INET_ADDRSTRLEN];
	struct ifaddrs *all, *a;
	struct in_addr net;
	uint32_t mask;

	*ret = (struct vh_mpi_head){ 0 };
	snprintf(base, sizeof(base), "%.*s", (int)strcspn(cidr, "/"), cidr);
	mask = htonl(~0u << (32 - atoi(strchr(cidr, '/') + 1)));
	if (inet_pton(AF_INET, base, &net) != 1 || getifaddrs(&all) < 0)
		return;
	for (a = all; a && !*ret->interface; a = a->ifa_next) {
		const struct sockaddr_in *in = (const void *)a->ifa_addr;

		if (!in || in->sin_family != AF_INET || (in->sin_addr.s_addr & mask) != (net.s_addr & mask))
			continue;
		snprintf(ret->interface, sizeof(ret->interface), "%s", a->ifa_name);
		inet_ntop(AF_INET, &in->sin_addr, ret->address, sizeof(ret->address));
	}
	freeifaddrs(all);
}

int vh_mpi_check_version(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	const struct vh_mpi_ops *ops = vh_mpi_ops_find(c, err);
	char *argv[] = { ops ? (char *)ops->program : NULL, (char *)"--version", NULL };
	const struct vh_spawn spawn = { .argv = argv, .deadline_ms = VERSION_DEADLINE_MS };
	vh_autofree char *here = NULL;
	vh_autooutput out = { 0 };
	int r = ops ? vh_spawn_ok(&spawn, &out, err) : -ENOTSUP;

	if (!ops)
		return r;
	if (r < 0) {
		vh_err_as(err, VH_EXIT_REFUSED);
		return r == -ENOENT ? vh_err_hint(err, "install the nodes' MPI here too: %s %s", ops->package, c->version) : r;
	}
	here = vh_mpi_version(ops, out.out);
	if (!here)
		return vh_err_refuse(err, ENOTSUP, "%s: not %s's, as on the nodes of %s", ops->program, ops->shown, c->name);
	if (strcmp(here, c->version)) {
		vh_err_refuse(err, ENOTSUP, "%s here is %s %s, the nodes of %s have %s", ops->program, ops->shown, here, c->name,
			      c->version);
		return vh_err_hint(err, "put an %s of %s first in PATH, or build the image from the suite that has %s",
				   ops->program, c->version, here);
	}
	return 0;
}

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

/* mpirun would say of a key that it may not read only that some daemon did not start. */
static int check_key(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	vh_autofree char *config = NULL;
	char *at, *line;
	size_t len;
	int r = vh_mpi_read(c->ssh_config, &config, &len, err);

	for (at = config; r == 0 && (line = strsep(&at, "\n")); ) {
		vh_autofree char *file = vh_mpi_identity_file(line);

		if (file && access(file, R_OK) < 0)
			r = vh_err_refuse(err, errno, "%s: %s", file, strerror(errno));
	}
	if (r < 0)
		vh_err_within(err, "cluster %s", c->name);
	return r == -EACCES ? vh_err_hint(err, "a cluster belongs to the user who applied it; run this as that user") : r;
}

int vh_mpi_check(const struct vh_mpi_cluster *c, struct vh_err *err)
{
	struct vh_mpi_head head;
	int r = check_key(c, err);

	if (r < 0)
		return r;
	vh_mpi_head_find(c->cidr, &head);
	if (!*head.interface) {
		vh_err_refuse(err, ENETUNREACH, "cluster %s: this machine has no address in its network %s", c->name,
			      c->cidr);
		return vh_err_hint(err, "run it on the cluster's host, in the network namespace where it was applied");
	}
	return 0;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	for (; len > 0; text += n, len -= n)
		if ((n = write(fd, text, len)) < 0)
			return -errno;
	return 0;
}

int vh_mpi_launch(const struct vh_mpi_job *job, const struct vh_mpi_lists *lists, struct vh_err *err)
{
	int r = write_all(lists->hosts_fd, job->hostfile);

	if (r == 0 && job->rankfile)
		r = write_all(lists->ranks_fd, job->rankfile);
	if (r < 0)
		return vh_err_set(err, -r, "host list: %s", strerror(-r));
	for (char *const *e = job->env; e && *e; e++) {
		vh_autofree char *name = strndup(*e, strcspn(*e, "="));

		if (!name || setenv(name, *e + strlen(name) + 1, 1) < 0)
			return vh_err_nomem(err);
	}
	return vh_spawn_exec(job->argv, err);
}
